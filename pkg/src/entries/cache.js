export * from "./client.js";
export { Cache } from "../cache.js";
export { PromptCache } from "../prompt-cache.js";
