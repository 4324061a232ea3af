export * from "./client.js";
export { Cache } from "../cache.js";
