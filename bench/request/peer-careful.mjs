// The same packages as well as they can be written: all at once, and what can be pipelined is (their client does that by itself).

import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis/cloudflare";
import { addressOf, answer, cookieOf, render, tooMany } from "./page.mjs";

/** @param {{url: string, token: string}} server */
export function peerCareful(server) {
  const redis = new Redis({ ...server, enableTelemetry: false, enableAutoPipelining: true });
  const limiter = new Ratelimit({ redis, limiter: Ratelimit.slidingWindow(1_000_000, "1 m") });
  return async (/** @type {Request} */ request) => {
    const [{ success }, session, page] = await Promise.all([
      limiter.limit(addressOf(request)),
      /** @type {Promise<{user: string} | null>} */ (redis.get(`session:${cookieOf(request, "sid")}`)),
      /** @type {Promise<string | null>} */ (redis.get("page:/")),
    ]);
    if (!success) return tooMany();
    return answer(page ?? (await render()), session?.user);
  };
}
