// The same, all at once.

import { Cache, RateLimiter, Redis, Sessions, slidingWindow } from "upstash-edge";
import { addressOf, answer, render, tooMany } from "./page.mjs";

/** @param {{url: string, token: string, secret: string}} server */
export function oursParallel({ url, token, secret }) {
  const redis = new Redis({ url, token });
  const limiter = new RateLimiter(redis, { limits: slidingWindow(1_000_000, "1m") });
  const sessions = new Sessions(redis, { secrets: secret });
  const cache = new Cache(redis);
  return async (/** @type {Request} */ request) => {
    const [decision, session, page] = await Promise.all([limiter.check(addressOf(request)), sessions.load(request), cache.getOrFetch("/", render)]);
    if (!decision.allowed) return tooMany();
    return answer(page, session.userId);
  };
}
