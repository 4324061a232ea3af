// Hono, its own `fetch` called here, with and without an execution context, and behind Node's server.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { requests } from "../edge/front.mjs";
import { command, INSTALLED, printed } from "../runtimes/start.mjs";
import { beside, cookieOf, packed, SECRET, startStack } from "./stack.mjs";

const { gateway, vars } = await startStack();

/** For Deno and Bun: serves, asks itself, and prints what came. */
const SERVED = `import { Hono } from "hono";
import { Cache, Edge, Redis, Sessions } from "upstash-edge";
import { edge } from "upstash-edge/hono";
const name = globalThis.Deno ? "deno" : "bun";
const redis = new Redis(${JSON.stringify({ url: vars.UPSTASH_REDIS_REST_URL, token: vars.UPSTASH_REDIS_REST_TOKEN })});
const app = new Hono();
app.use(edge(new Edge({ redis, sessions: new Sessions(redis, { name, secrets: "${SECRET}" }), cache: new Cache(redis, { name, metrics: false }) }), app));
let asked = 0;
app.get("/", (c) => c.text(String(++asked), 200, { "cache-control": "max-age=60" }));
app.get("/me", (c) => {
  const visits = (c.get("session").get("visits") ?? 0) + 1;
  c.get("session").set("visits", visits);
  return c.text(String(visits));
});
const options = { port: 0, hostname: "127.0.0.1" };
const server = globalThis.Deno ? Deno.serve({ ...options, onListen() {} }, app.fetch) : Bun.serve({ ...options, fetch: app.fetch });
const url = "http://127.0.0.1:" + (server.port ?? server.addr.port);
const texts = [await (await fetch(url)).text(), await (await fetch(url)).text()];
const first = await fetch(url + "/me");
const cookie = first.headers.getSetCookie()[0].split(";")[0];
texts.push(await first.text(), await (await fetch(url + "/me", { headers: { cookie } })).text());
console.log(JSON.stringify(texts));
process.exit();
`;

const path = beside({ "served.mjs": `import process from "node:process";\n${SERVED}` });
const { Cache, Edge, RateLimiter, Redis, Sessions, slidingWindow } = await packed(path, "inline.js");
const { edge } = await packed(path, "hono.js");
const { Hono } = await import(join(INSTALLED, "node_modules/hono/dist/index.js"));
const { serve } = await import(join(INSTALLED, "node_modules/@hono/node-server/dist/index.mjs"));

const redis = Redis.fromEnv(vars);
let names = 0;

/** An edge with keys of its own, of all parts or of those that are named. @param {any} [options] */
function anEdge({ limit = 100, parts = ["limiter", "sessions", "cache"], ...cache } = {}) {
  const name = `t${names++}`;
  const all = {
    limiter: new RateLimiter(redis, { name, limits: slidingWindow(limit, "1h") }),
    sessions: new Sessions(redis, { name, secrets: SECRET }),
    cache: new Cache(redis, { name, metrics: false, ...cache }),
  };
  const chosen = Object.fromEntries(Object.entries(all).filter(([part]) => parts.includes(part)));
  return new Edge({ redis, by: (/** @type {Request} */ request) => request.headers.get("x-user") ?? "nobody", ...chosen });
}

/** What a Worker's runtime is told to go on with. */
function aContext() {
  /** @type {Promise<unknown>[]} */
  const works = [];
  return { works, waitUntil: (/** @type {Promise<unknown>} */ work) => void works.push(work), passThroughOnException() {} };
}

/** @param {any} app @param {string} path @param {RequestInit} [init] @param {object} [context] @returns {Promise<Response>} */
const ask = async (app, path, init, context) => app.fetch(new Request(`http://a.test${path}`, init), {}, context);

test("limit, session and stored page are one request, and the variables are set", async () => {
  const app = new Hono();
  app.use(edge(anEdge()));
  app.get("/", (/** @type {any} */ c) => c.json({ status: c.get("session").status, remaining: c.var.decision.remaining }));
  app.get("/page", (/** @type {any} */ c) => c.text("page", 200, { "cache-control": "max-age=60" }));
  app.get("/begin", (/** @type {any} */ c) => c.json(c.get("session").set("k", 1)));
  const answer = await ask(app, "/");
  assert.deepEqual(await answer.json(), { status: "new", remaining: 99 });
  assert.equal(answer.headers.get("ratelimit"), '"default";r=99;t=3600');
  const headers = { cookie: cookieOf(await ask(app, "/begin")) };
  assert.deepEqual(await (await ask(app, "/", { headers })).json(), { status: "valid", remaining: 97 });
  await (await ask(app, "/page", { headers })).text();
  let hit = new Response();
  assert.equal(await requests(gateway.url, async () => (hit = await ask(app, "/page", { headers }))), 1);
  assert.match(hit.headers.get("cache-status") ?? "", /hit/);
  assert.equal(hit.headers.get("ratelimit"), '"default";r=95;t=3600');
});

test("a refusal is a problem that reaches nothing behind, and one that is remembered asks nobody", async () => {
  const app = new Hono();
  let asked = 0;
  app.use(edge(anEdge({ limit: 1, parts: ["limiter"] })));
  app.get("/", (/** @type {any} */ c) => c.text(`${++asked}`));
  assert.equal(await requests(gateway.url, () => ask(app, "/")), 1);
  assert.equal(await requests(gateway.url, () => ask(app, "/")), 1);
  let answer = new Response();
  assert.equal(await requests(gateway.url, async () => (answer = await ask(app, "/"))), 0);
  assert.equal(answer.status, 429);
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  assert.ok(Number(answer.headers.get("retry-after")) > 3000);
  assert.equal(asked, 1);
});

test("a session lasts from request to request, and what it made is private whatever the route says", async () => {
  const app = new Hono();
  app.use(edge(anEdge({ parts: ["sessions"] })));
  app.get("/", (/** @type {any} */ c) => {
    const session = c.get("session");
    session.set("visits", (session.get("visits") ?? 0) + 1);
    c.header("cache-control", "max-age=60");
    return c.text(`${session.get("visits")}`);
  });
  const first = await ask(app, "/");
  assert.equal(await first.text(), "1");
  assert.equal(first.headers.get("cache-control"), "private, no-store");
  const second = await ask(app, "/", { headers: { cookie: cookieOf(first) } });
  assert.equal(await second.text(), "2");
  assert.equal(second.headers.get("cache-control"), "private, max-age=60");
});

test("a page is stored behind its answer, and then served without the route", async () => {
  const app = new Hono();
  let asked = 0;
  app.use(edge(anEdge({ parts: ["cache"] })));
  app.get("/", (/** @type {any} */ c) => c.text(`${++asked}`, 200, { "cache-control": "max-age=60" }));
  const context = aContext();
  const miss = await ask(app, "/", {}, context);
  assert.equal(context.works.length, 1);
  assert.equal(await miss.text(), "1");
  await Promise.all(context.works);
  let hit = new Response();
  assert.equal(await requests(gateway.url, async () => (hit = await ask(app, "/", {}, aContext()))), 1);
  assert.equal(await hit.text(), "1");
  assert.match(hit.headers.get("cache-status") ?? "", /hit/);
  assert.equal(asked, 1);
});

for (const known of [true, false]) {
  test(`a stale page is made anew ${known ? "behind its answer where the app is known" : "before it where that is not"}`, async () => {
    const app = new Hono();
    let asked = 0;
    /** @type {string[]} */
    const statuses = [];
    app.use(edge(anEdge({ staleWhileRevalidate: "1h" }), known ? app : undefined));
    app.use(async (/** @type {any} */ c, /** @type {() => Promise<void>} */ next) => {
      await next();
      c.header("x-seen", "1");
    });
    app.get("/", async (/** @type {any} */ c) => {
      // A visitor of whom nothing is known.
      statuses.push(c.get("decision") ? "visitor" : "nobody");
      return c.text(`${++asked}`, 200, { "cache-control": "public, max-age=1" });
    });
    const get = async () => {
      const context = aContext();
      const answer = await ask(app, "/", {}, context);
      const made = asked;
      const text = await answer.text();
      await Promise.all(context.works);
      return { text, made, seen: answer.headers.get("x-seen"), status: answer.headers.get("cache-status") };
    };
    assert.equal((await get()).text, "1");
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const stale = await get();
    assert.deepEqual([stale.text, stale.seen], ["1", "1"]);
    assert.match(stale.status ?? "", /hit; ttl=(0|-1)$/);
    if (!known) assert.equal(stale.made, 2);
    assert.deepEqual(statuses, ["visitor", "nobody"]);
    const fresh = await get();
    assert.deepEqual([fresh.text, asked], ["2", 2]);
  });
}

test("what a route throws is answered by the app, and a save that fails takes nothing of the route's answer along", async () => {
  const app = new Hono();
  app.use(edge(anEdge({ parts: ["sessions"] })));
  app.onError((/** @type {any} */ error, /** @type {any} */ c) => c.text(`told: ${error.code ?? error.message}`, 500));
  app.get("/thrown", () => {
    throw new Error("thrown");
  });
  app.get("/large", (/** @type {any} */ c) => {
    c.get("session").set("k", "x".repeat(70_000));
    return c.text("done", 200, { "x-secret": "of the answer" });
  });
  assert.equal(await (await ask(app, "/thrown")).text(), "told: thrown");
  const failed = await ask(app, "/large");
  assert.deepEqual([failed.status, await failed.text(), failed.headers.get("x-secret")], [500, "told: too_large", null]);
});

test("one edge is made, by the first request, and none where that fails", async () => {
  const made = anEdge({ parts: ["sessions"] });
  let calls = 0;
  const app = new Hono();
  app.use(
    edge((/** @type {any} */ c) => {
      if (++calls === 1) throw new Error("not yet");
      assert.ok(c.req.raw);
      return made;
    }),
  );
  app.onError((/** @type {any} */ error, /** @type {any} */ c) => c.text(error.message, 500));
  app.get("/", (/** @type {any} */ c) => c.text("ok"));
  assert.equal(calls, 0);
  const texts = [];
  for (let n = 0; n < 3; n++) texts.push(await (await ask(app, "/")).text());
  assert.deepEqual([texts, calls], [["not yet", "ok", "ok"], 2]);
  assert.throws(() => edge({}), { code: "invalid_argument", message: /edge must be an Edge/ });
  assert.throws(() => edge(made, {}), { code: "invalid_argument", message: /app/ });
});

test("behind Node's server it is the same, and the store is done before the answer's end", async () => {
  const app = new Hono();
  let asked = 0;
  app.use(edge(() => anEdge()));
  app.get("/", (/** @type {any} */ c) => c.text(`${++asked}`, 200, { "cache-control": "public, max-age=60" }));
  app.get("/me", (/** @type {any} */ c) => {
    const session = c.get("session");
    session.set("visits", (session.get("visits") ?? 0) + 1);
    return c.json(session.get("visits"));
  });
  /** @type {any} */
  const server = await new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, () => resolve(server));
  });
  after(() => server.close());
  const url = `http://127.0.0.1:${server.address().port}`;
  assert.equal(await (await fetch(url)).text(), "1");
  assert.equal(await (await fetch(url)).text(), "1");
  const first = await fetch(`${url}/me`);
  const second = await fetch(`${url}/me`, { headers: { cookie: cookieOf(first) } });
  assert.deepEqual([await first.json(), await second.json(), asked], [1, 2, 1]);
});

for (const [runtime = "", ...args] of [["deno", "run", "--allow-net"], ["bun"]]) {
  test(`in ${runtime} a page is stored, and a session lasts`, async () => {
    const output = await command(join(INSTALLED, "node_modules/.bin", runtime), [...args, "served.mjs"], path);
    assert.deepEqual(printed(output), ["1", "1", "1", "2"]);
  });
}
