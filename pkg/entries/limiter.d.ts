// The types of `upstash-edge/limiter`: the client and the rate limiter.

export type * from "../index.js";
export { EdgeError, fixedWindow, health, partitionKey, RateLimiter, Redis, slidingWindow, tokenBucket } from "../index.js";
