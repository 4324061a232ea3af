// Both limiters as users have them, each over a Redis and a gateway of its own, by one clock that is set by hand.

import { Ratelimit } from "@upstash/ratelimit";
import { Redis as PeerRedis } from "@upstash/redis";
import { startGateway, startRedis } from "../../scripts/stack.mjs";
import { client } from "../lib/redis.mjs";

// Built before the bench runs.
const path = "../../pkg/dist/inline.js";
/** @type {typeof import("../../pkg/index.js")} */
const { RateLimiter, Redis, slidingWindow } = await import(path);

const TOKEN = "token-of-the-bench";
export const LIMIT = 10;
export const WINDOW_MS = 10_000;

/** The time of all, in epoch milliseconds. */
export const clock = { now: 1_800_000_000_000 };

/** @typedef {{allowed: boolean, wait: number}} Answer wait: how long until it says to come back, in milliseconds */
/** @typedef {(id: string, cost?: number) => Promise<Answer>} Check */
/** @typedef {{check: Check, isolate: () => Check, send: (...words: (string | number)[]) => Promise<any>, end: () => void}} Side isolate: another limiter with a memory of its own over the same Redis */

/** @param {(url: string) => Check} make @returns {Promise<Side>} */
async function side(make) {
  const redis = await startRedis();
  const gateway = await startGateway({ redisUrl: redis.url, token: TOKEN });
  const { send, end } = client(redis.port);
  return { check: make(gateway.url), isolate: () => make(gateway.url), send, end };
}

/** Starts both; from then on `Date.now` is the clock's. */
export async function sides() {
  const ours = await side((url) => {
    const limiter = new RateLimiter(new Redis({ url, token: TOKEN }), { limits: slidingWindow(LIMIT, "10s"), timeout: "60s", analytics: true });
    return async (id, cost = 1) => {
      const { allowed, retryAfterMs } = await limiter.check(id, { cost });
      return { allowed, wait: retryAfterMs };
    };
  });
  const peer = await side((url) => {
    const redis = new PeerRedis({ url, token: TOKEN, enableTelemetry: false });
    const limiter = new Ratelimit({ redis, limiter: Ratelimit.slidingWindow(LIMIT, "10 s"), analytics: true });
    return async (id, cost = 1) => {
      const { success, reset, pending } = await limiter.limit(id, { rate: cost });
      await pending;
      return { allowed: success, wait: success ? 0 : reset - clock.now };
    };
  });
  Date.now = () => clock.now;
  return { ours, peer };
}

/** How many of so many checks pass at this moment. @param {Side} side @param {string} id @param {number} checks */
export async function burst({ check }, id, checks) {
  let allowed = 0;
  for (let n = 0; n < checks; n++) allowed += Number((await check(id)).allowed);
  return allowed;
}
