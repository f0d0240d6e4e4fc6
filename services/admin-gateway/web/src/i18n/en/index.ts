// One line an area; the same in ../ru/index.ts.
export { common } from "./common";
export { errors } from "./errors";
export { gallery } from "./gallery";
export { login } from "./login";
export { slots } from "./slots";
