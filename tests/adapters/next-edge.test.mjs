// What stands around a route handler and before pages, called here with Next's own NextResponse; in Next itself it runs in
// next.test.mjs.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { INSTALLED } from "../runtimes/start.mjs";
import { beside, cookieOf, packed, SECRET, startStack } from "./stack.mjs";

const { vars } = await startStack();
const path = beside();
const { Cache, Edge, RateLimiter, Redis, Sessions, slidingWindow } = await packed(path, "inline.js");
const { proxy, route } = await packed(path, "next.js");
const { NextRequest, NextResponse } = createRequire(import.meta.url)(join(INSTALLED, "next16/node_modules/next/server.js"));

const redis = Redis.fromEnv(vars);
const sessions = new Sessions(redis, { secrets: SECRET });
const edge = new Edge({ redis, sessions });
const event = { waitUntil() {} };

/** @param {string} path @param {Record<string, string>} [headers] */
const request = (path, headers) => new NextRequest(`http://a.test${path}`, { headers });

/** What the page behind is told. @param {Response} response @param {string} name */
const forwarded = (response, name) => response.headers.get(`x-middleware-request-${name}`);

test("what follows a route's answer goes to after, and the next is served without the handler", async () => {
  /** @type {Promise<unknown>[]} */
  const works = [];
  let asked = 0;
  const cached = new Edge({ redis, cache: new Cache(redis, { metrics: false }) });
  const GET = route(
    () => cached,
    { after: (/** @type {Promise<unknown>} */ work) => void works.push(work) },
    async (/** @type {Request} */ _, /** @type {any} */ visit, /** @type {any} */ { params }) => {
      assert.deepEqual(visit, { session: undefined, decision: undefined });
      asked++;
      return Response.json(await params, { headers: { "cache-control": "max-age=60" } });
    },
  );
  const get = async () => (await GET(request("/posts/1"), { params: Promise.resolve({ id: "1" }) })).json();
  assert.deepEqual(await get(), { id: "1" });
  assert.equal(works.length, 1);
  await Promise.all(works);
  assert.deepEqual([await get(), asked], [{ id: "1" }, 1]);
});

test("a proxy passes on what it changed, its cookie in place of the one that was sent", async () => {
  const change = proxy(edge, { NextResponse }, (/** @type {Request} */ _, /** @type {any} */ { session, headers }) => {
    session.set("visits", (session.get("visits") ?? 0) + 1);
    headers.set("x-visits", `${session.get("visits")}`);
    headers.delete("x-forged");
    if (session.get("visits") === 2) session.rotate();
    if (session.get("visits") === 3) session.destroy();
  });
  const first = await change(request("/", { cookie: "theme=dark; __Host-session=forged; a=b", "x-forged": "1" }), event);
  assert.equal(first.headers.get("x-middleware-next"), "1");
  const [cookie, ...more] = first.headers.getSetCookie();
  assert.deepEqual(more, []);
  assert.equal(forwarded(first, "cookie"), `theme=dark; a=b; ${cookie?.split(";")[0]}`);
  assert.equal(forwarded(first, "x-visits"), "1");
  assert.equal(forwarded(first, "x-forged"), null);
  assert.match(first.headers.get("cache-control") ?? "", /no-store/);
  // The page behind, by what it is told.
  assert.equal((await sessions.load(forwarded(first, "cookie") ?? "")).get("visits"), 1);

  const second = await change(request("/", { cookie: cookieOf(first) }), event);
  assert.notEqual(cookieOf(second), cookieOf(first));
  assert.equal(forwarded(second, "cookie"), cookieOf(second));
  const ended = await change(request("/", { cookie: `${cookieOf(second)}; a=b` }), event);
  assert.match(ended.headers.getSetCookie().join(), /Max-Age=0/);
  assert.equal(forwarded(ended, "cookie"), "a=b");
});

test("a proxy without anything to tell leaves cookies and the page's Cache-Control alone", async () => {
  const passed = await proxy(edge, { NextResponse })(request("/", { cookie: "a=b" }), event);
  assert.deepEqual([passed.headers.get("x-middleware-next"), passed.headers.get("cache-control"), passed.headers.getSetCookie()], ["1", null, []]);
  assert.equal(forwarded(passed, "cookie"), "a=b");
});

test("a proxy goes on to another URL, answers, or is refused", async () => {
  const limiter = new RateLimiter(redis, { limits: slidingWindow(2, "1h") });
  const limited = new Edge({ redis, limiter, sessions, by: () => "one" });
  const how = proxy(limited, { NextResponse }, (/** @type {Request} */ { url }, /** @type {any} */ { session }) => {
    session.set("k", 1);
    return url.endsWith("/old") ? new URL("/new", url) : NextResponse.redirect(new URL("/login", url));
  });
  const rewritten = await how(request("/old"), event);
  assert.equal(rewritten.headers.get("x-middleware-rewrite"), "http://a.test/new");
  assert.equal(forwarded(rewritten, "cookie"), cookieOf(rewritten));
  assert.equal(rewritten.headers.get("ratelimit"), '"default";r=1;t=3600');
  const redirected = await how(request("/"), event);
  assert.deepEqual([redirected.status, redirected.headers.get("location")], [307, "http://a.test/login"]);
  assert.match(cookieOf(redirected), /^__Host-session=/);
  const refused = await how(request("/"), event);
  assert.deepEqual([refused.status, refused.headers.get("content-type")], [429, "application/problem+json"]);
});

test("what is missing is named", () => {
  assert.throws(() => route(edge, {}, () => new Response()), { code: "invalid_argument", message: /after of next\/server/ });
  assert.throws(() => route(edge, { after() {} }), { code: "invalid_argument", message: /handler/ });
  assert.throws(() => proxy(edge, {}), { code: "invalid_argument", message: /NextResponse/ });
  assert.throws(() => proxy({}, { NextResponse }), { code: "invalid_argument", message: /edge/ });
});
