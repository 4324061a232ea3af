import { Edge, RateLimiter, Redis, Sessions, slidingWindow } from "upstash-edge";

let parts;

// When the first request comes: a build has no variables.
function made() {
  const redis = Redis.fromEnv();
  const limiter = new RateLimiter(redis, { limits: slidingWindow(100, "1m") });
  const sessions = new Sessions(redis, { secrets: process.env.SESSION_SECRETS.split(",") });
  // Next names the client's address there, unless the request does; a proxy in front adds the one that it sees.
  const by = (request) => request.headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() || false;
  return { sessions, edge: new Edge({ redis, limiter, sessions, by }) };
}

export const sessions = () => (parts ??= made()).sessions;
export const edge = () => (parts ??= made()).edge;
