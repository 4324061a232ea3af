// The types of `upstash-edge/next-cache-handler`.

import type { Duration, ErrorCode, Redis } from "../index.js";

/** Next's `CacheEntry`: durations in seconds, `timestamp` in epoch milliseconds. */
export interface CacheEntry {
  value: ReadableStream<Uint8Array>;
  tags: string[];
  stale: number;
  timestamp: number;
  expire: number;
  revalidate: number;
}

/** Next's `CacheHandler`. */
export interface CacheHandler {
  get(cacheKey: string, softTags: string[]): Promise<CacheEntry | undefined>;
  set(cacheKey: string, pendingEntry: Promise<CacheEntry>): Promise<void>;
  refreshTags(): Promise<void>;
  getExpiration(tags: string[]): Promise<number>;
  updateTags(tags: string[], durations?: { expire?: number }): Promise<void>;
}

export interface CacheHandlerOptions {
  /** Default: by the variables of the environment, `UPSTASH_REDIS_REST_URL` and `_TOKEN`. */
  redis?: Redis;
  /** The namespace of its keys: Next's own have the build's id in them. Default `"next"`. */
  name?: string;
  /** How long Redis is waited for; what comes later is a miss. After a failure nobody asks it for 2 s. Default `"500ms"`. */
  timeout?: Duration;
  /** Told of what Next is not: to it a read that fails is a miss, and an invalidation is sent again with the next read. What it throws changes nothing. */
  onError?: (failure: { operation: "read" | "store" | "invalidate"; code: ErrorCode }) => void;
}

/**
 * Where Next 16 keeps what is under `"use cache"`, shared by all processes of one build: an entry that one has made serves
 * all, and `updateTag`, `revalidateTag` and `revalidatePath` in one are seen by the next read of each. It never rejects.
 *
 * A read is one POST (EVALSHA, in it one MGET; one HMGET of the tags), and one more where this process has not seen the
 * entry before and it has tags. A store is one POST behind the answer. Kept are at most 30 days, whatever `expire` says.
 * @throws EdgeError `invalid_config`, naming the option or the variables
 * @example
 * // cache-handler.mjs
 * import { Redis } from "upstash-edge";
 * import { cacheHandler } from "upstash-edge/next-cache-handler";
 * export default cacheHandler({ redis: Redis.fromEnv(), name: "shop" });
 */
export function cacheHandler(options?: CacheHandlerOptions): CacheHandler;

/**
 * One by the variables of the environment, for `next.config`; a build without them keeps nothing, and a server without them
 * fails with `invalid_config`.
 * @example
 * const handler = import.meta.resolve("upstash-edge/next-cache-handler");
 * export default { cacheComponents: true, cacheHandlers: { default: handler, remote: handler } };
 */
declare const handler: CacheHandler;
export default handler;
