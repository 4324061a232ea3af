// The types of `upstash-edge/cache`: the client, the cache and the prompt cache.

export type * from "../index.js";
export { Cache, EdgeError, health, PromptCache, Redis } from "../index.js";
