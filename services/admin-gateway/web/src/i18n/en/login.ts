export const login = {
  title: "Hello!",
  window: "Sign in",
  subtitle: "Sign in to look after the studio's slots.",
  username: "User name",
  password: "Password",
  showPassword: "Show the password",
  submit: "Sign in",
  usernameMissing: "Enter your user name.",
  passwordMissing: "Enter your password.",
  wrong: "Wrong user name or password. Check the keyboard's language and Caps Lock.",
  throttled: "Too many failed attempts. Try again in {{time}}.",
  preferences: "Language and colours",
};
