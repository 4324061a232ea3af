import { Hono } from "hono";
import { Cache, Edge, RateLimiter, Redis, Sessions, slidingWindow } from "upstash-edge";
import { edge, type EdgeVariables } from "upstash-edge/hono";

interface Bindings extends Record<string, string> {
  SESSION_SECRETS: string;
}

/** Limit, session and stored page of a request: one request to Redis. */
function edgeOf(env: Bindings) {
  const redis = Redis.fromEnv(env);
  return new Edge({
    redis,
    limiter: new RateLimiter(redis, { limits: slidingWindow(20, "10s") }),
    sessions: new Sessions(redis, { secrets: env.SESSION_SECRETS.split(",") }),
    cache: new Cache(redis, { name: "pages", staleWhileRevalidate: "1h" }),
  });
}

const app = new Hono<{ Bindings: Bindings; Variables: EdgeVariables }>();

// With the app, a stale page is made anew behind its answer.
app.use(edge((c) => edgeOf(c.env), app));

// The same for all: it is stored, and served without this.
app.get("/", (c) => c.html(`<p>made ${crypto.randomUUID()}`, 200, { "cache-control": "max-age=60" }));

app.get("/me", (c) => c.text(c.get("session").userId ?? "a stranger"));

app.post("/login", async (c) => {
  const { user } = await c.req.parseBody();
  if (typeof user !== "string" || !user) return c.text("who?", 400);
  c.get("session").login(user);
  return c.redirect("/me", 303);
});

app.post("/logout", (c) => {
  c.get("session").destroy();
  return c.redirect("/me", 303);
});

export default app;
