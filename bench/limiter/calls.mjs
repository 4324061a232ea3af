// What both limiters send to Redis for the same checks.

import { Ratelimit } from "@upstash/ratelimit";
import { readFileSync } from "node:fs";

export const WINDOW_MS = 60_000;
const SOURCE = readFileSync(new URL("../../src/lua/limit.lua", import.meta.url), "utf8");

/** @typedef {{script: string, keys: string[], args: (string | number)[]}} Call */
/** @typedef {"sliding window" | "fixed window" | "token bucket"} Algorithm */

const KINDS = /** @type {const} */ ({ "sliding window": "s", "fixed window": "f" });

/**
 * What the crate sends for a check.
 * @param {Algorithm} algorithm @param {number} limit @param {number} now @returns {Call}
 */
export function ours(algorithm, limit, now, cost = 1) {
  const kind = algorithm === "token bucket" ? limit : KINDS[algorithm];
  return { script: SOURCE, keys: ["{ratelimit:user-1}:default"], args: [now, cost, limit, WINDOW_MS, kind, WINDOW_MS + 5_000] };
}

/** The peer's calls, as its own code makes them. @param {Algorithm} algorithm @param {number} limit @param {number[]} moments @param {number} [cost] */
export async function peers(algorithm, limit, moments, cost) {
  /** @type {Call[]} */
  const calls = [];
  const redis = {
    evalsha: () => Promise.reject(new Error("NOSCRIPT")),
    eval: (/** @type {string} */ script, /** @type {string[]} */ keys, /** @type {number[]} */ args) => {
      calls.push({ script: script.replace(/^#!.*\n/, ""), keys, args });
      return Promise.resolve([1, limit, limit]);
    },
  };
  const limiters = {
    "sliding window": () => Ratelimit.slidingWindow(limit, "60 s"),
    "fixed window": () => Ratelimit.fixedWindow(limit, "60 s"),
    "token bucket": () => Ratelimit.tokenBucket(limit, "60 s", limit),
  };
  const options = { redis, limiter: limiters[algorithm](), ephemeralCache: false, prefix: "ratelimit" };
  const limiter = new Ratelimit(/** @type {any} */ (options));
  const clock = Date.now;
  for (const now of moments) {
    Date.now = () => now;
    await limiter.limit("user-1", { rate: cost }).finally(() => (Date.now = clock));
  }
  return calls;
}
