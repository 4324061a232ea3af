export { Cache } from "./cache.js";
export { Edge } from "./edge.js";
export { EdgeError } from "./error.js";
export { health } from "./health.js";
export { Leaderboard } from "./leaderboard.js";
export { PromptCache } from "./prompt-cache.js";
export { fixedWindow, partitionKey, RateLimiter, slidingWindow, tokenBucket } from "./ratelimit.js";
export { Redis } from "./redis.js";
export { Sessions } from "./sessions.js";
