// @upstash/redis and @upstash/ratelimit as they are usually written: one after the other.

import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis/cloudflare";
import { addressOf, answer, cookieOf, render, tooMany } from "./page.mjs";

/** @param {{url: string, token: string}} server */
export function peerUsual(server) {
  const redis = new Redis({ ...server, enableTelemetry: false });
  const limiter = new Ratelimit({ redis, limiter: Ratelimit.slidingWindow(1_000_000, "1 m") });
  return async (/** @type {Request} */ request) => {
    const { success } = await limiter.limit(addressOf(request));
    if (!success) return tooMany();
    const session = /** @type {{user: string} | null} */ (await redis.get(`session:${cookieOf(request, "sid")}`));
    const page = /** @type {string | null} */ (await redis.get("page:/")) ?? (await render());
    return answer(page, session?.user);
  };
}
