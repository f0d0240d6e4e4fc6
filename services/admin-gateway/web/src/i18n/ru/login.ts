export const login = { title: "login" };
