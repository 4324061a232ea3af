// The types of `upstash-edge/cache`: the client and the cache.

export type * from "../index.js";
export { Cache, EdgeError, health, Redis } from "../index.js";
