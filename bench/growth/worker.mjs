// Checks of so many identifiers, by our limiter or the peer's, each kept for as long as the isolate lives.

import { Ratelimit } from "@upstash/ratelimit";
import { Redis as Peer } from "@upstash/redis/cloudflare";
import { RateLimiter, Redis, slidingWindow } from "upstash-edge";

/** Outside a request, as Workers keep it. */
const ephemeralCache = new Map();

/** @type {Record<string, (server: {url: string, token: string}) => (id: string) => Promise<{allowed: boolean}>>} */
const SIDES = {
  ours: (server) => {
    const limiter = new RateLimiter(new Redis(server), { limits: slidingWindow(1, "1h"), timeout: "60s" });
    return (id) => limiter.check(id);
  },
  peer: (server) => {
    const redis = new Peer({ ...server, enableTelemetry: false });
    const limiter = new Ratelimit({ redis, limiter: Ratelimit.slidingWindow(1, "1 h"), timeout: 60_000, ephemeralCache });
    return async (id) => ({ allowed: (await limiter.limit(id)).success });
  },
};

export default {
  /** Checks each of `from` to `to` twice, the second time to be refused and remembered. @param {Request} request */
  async fetch(request) {
    if (request.method === "GET") return new Response();
    const { side, server, from, to } = /** @type {any} */ (await request.json());
    const check = /** @type {(id: string) => Promise<{allowed: boolean}>} */ (SIDES[side]?.(server));
    for (let first = from; first < to; first += 250) {
      const ids = Array.from({ length: Math.min(250, to - first) }, (_, n) => `identifier ${first + n}`);
      const [once, twice] = [await Promise.all(ids.map(check)), await Promise.all(ids.map(check))];
      if (!once.every(({ allowed }) => allowed) || twice.some(({ allowed }) => allowed)) return new Response("a check was not counted", { status: 500 });
    }
    return new Response();
  },
};
