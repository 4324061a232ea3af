// Edge.handle: the limit, the session and the stored answer, its headers included, around a handler that knows of none of them.

import { Cache, Edge, RateLimiter, Redis, Sessions, slidingWindow } from "upstash-edge";
import { addressOf, render } from "./page.mjs";

/** @param {{url: string, token: string, secret: string}} server */
export function oursEdge({ url, token, secret }) {
  const redis = new Redis({ url, token });
  const limiter = new RateLimiter(redis, { limits: slidingWindow(1_000_000, "1m") });
  const sessions = new Sessions(redis, { secrets: secret });
  const edge = new Edge({ redis, limiter, sessions, cache: new Cache(redis), by: addressOf });
  return (/** @type {Request} */ request, /** @type {{waitUntil(promise: Promise<unknown>): void}} */ context) =>
    edge.handle(request, async () => new Response(await render(), { headers: { "content-type": "text/html", "cache-control": "public, max-age=3600" } }), context);
}
