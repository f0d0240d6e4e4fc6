// One line an area; the same in ../ru/index.ts.
export { audit } from "./audit";
export { common } from "./common";
export { errors } from "./errors";
export { gallery } from "./gallery";
export { jobs } from "./jobs";
export { keys } from "./keys";
export { login } from "./login";
export { operations } from "./operations";
export { queues } from "./queues";
export { reasons } from "./reasons";
export { settings } from "./settings";
export { slot } from "./slot";
export { slots } from "./slots";
export { statistics } from "./statistics";
export { webhooks } from "./webhooks";
