// upstash-edge as one writes without a thought: one after the other.

import { Cache, RateLimiter, Redis, Sessions, slidingWindow } from "upstash-edge";
import { addressOf, answer, render, tooMany } from "./page.mjs";

/** @param {{url: string, token: string, secret: string}} server */
export function oursUsual({ url, token, secret }) {
  const redis = new Redis({ url, token });
  const limiter = new RateLimiter(redis, { limits: slidingWindow(1_000_000, "1m") });
  const sessions = new Sessions(redis, { secrets: secret });
  const cache = new Cache(redis);
  return async (/** @type {Request} */ request) => {
    const decision = await limiter.check(addressOf(request));
    if (!decision.allowed) return tooMany();
    const session = await sessions.load(request);
    const page = await cache.getOrFetch("/", render);
    return answer(page, session.userId);
  };
}
