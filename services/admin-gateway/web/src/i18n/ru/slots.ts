export const slots = { title: "slots" };
