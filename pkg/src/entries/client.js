// What every entry has.

export { EdgeError } from "../error.js";
export { health } from "../health.js";
export { Redis } from "../redis.js";
