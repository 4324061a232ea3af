import { Cache, Edge, RateLimiter, Redis, Sessions, slidingWindow } from "upstash-edge";
import { handler } from "upstash-edge/workers";

interface Env extends Record<string, string> {
  SESSION_SECRETS: string;
}

/** Limit, session and stored page of a request: one request to Redis. */
function edgeOf(env: Env) {
  const redis = Redis.fromEnv(env);
  return new Edge({
    redis,
    limiter: new RateLimiter(redis, { limits: slidingWindow(20, "10s") }),
    sessions: new Sessions(redis, { secrets: env.SESSION_SECRETS.split(",") }),
    cache: new Cache(redis, { name: "pages", staleWhileRevalidate: "1h" }),
  });
}

export default handler(edgeOf, async (request, { session }) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/") {
    // The same for all: it is stored, and served without this.
    return new Response(`made ${crypto.randomUUID()}\n`, { headers: { "cache-control": "max-age=60" } });
  }
  if (pathname === "/visits" && session) {
    const visits = (session.get<number>("visits") ?? 0) + 1;
    session.set("visits", visits);
    return new Response(`visit ${visits}\n`);
  }
  return new Response("not found\n", { status: 404 });
});
