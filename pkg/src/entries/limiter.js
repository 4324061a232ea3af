export * from "./client.js";
export { fixedWindow, partitionKey, RateLimiter, slidingWindow, tokenBucket } from "../ratelimit.js";
