export const login = {
  title: "Привет!",
  window: "Вход",
  subtitle: "Войдите, чтобы управлять слотами студии.",
  username: "Имя пользователя",
  password: "Пароль",
  showPassword: "Показать пароль",
  submit: "Войти",
  usernameMissing: "Введите имя пользователя.",
  passwordMissing: "Введите пароль.",
  wrong: "Неверное имя пользователя или пароль. Проверьте раскладку и Caps Lock.",
  throttled: "Слишком много неудачных попыток. Повторите через {{time}}.",
  preferences: "Язык и оформление",
};
