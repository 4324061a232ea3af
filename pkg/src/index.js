export { EdgeError } from "./error.js";
export { Redis } from "./redis.js";
