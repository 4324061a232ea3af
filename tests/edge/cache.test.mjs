// The front as a shared cache: what it costs, what it stores, and what nobody can make it store.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { address, ask, raw, requests, SECRET, startFront, until } from "./front.mjs";
import { startOrigin } from "./origin.mjs";

const GZIPPED = gzipSync("hello ".repeat(1000));
let made = 0;
let fails = false;
let release = () => {};
/** An answer that tells which of the origin's it is. @param {string} control @param {Record<string, string>} [more] @returns {import("./origin.mjs").Route} */
const numbered = (control, more = {}) => (_, response) => {
  if (fails) return response.writeHead(500).end("down");
  for (const [name, value] of Object.entries(more)) response.setHeader(name, value);
  response.setHeader("cache-control", control).end(`answer ${++made}`);
};

const origin = await startOrigin({
  "/page": numbered("max-age=60", { etag: '"one"', "content-type": "text/html" }),
  "/head": numbered("max-age=60"),
  "/short": numbered("max-age=1, stale-while-revalidate=60"),
  "/tagged": (request, response) => {
    response.setHeader("cache-control", "max-age=1, stale-if-error=60").setHeader("etag", '"same"');
    if (request.headers["if-none-match"] === '"same"') return response.writeHead(304).end();
    response.end(`answer ${++made}`);
  },
  "/backup": numbered("max-age=1, stale-if-error=60"),
  "/cookie": numbered("max-age=60", { "set-cookie": "own=1" }),
  "/private": numbered("private, max-age=60"),
  "/silent": (_, response) => response.end(`answer ${++made}`),
  "/off/silent": (_, response) => response.setHeader("cache-control", "max-age=60").end(`answer ${++made}`),
  "/assets/app.js": numbered("max-age=60"),
  "/public": numbered("public, max-age=60"),
  "/members/public": numbered("public, max-age=60"),
  "/members/page": numbered("max-age=60"),
  "/members/login": (_, response) => response.setHeader("upstash-edge-login", "ada").setHeader("cache-control", "public, max-age=60").end("welcome"),
  "/gzip": (_, response) => {
    response.setHeader("content-encoding", "gzip").setHeader("cache-control", "max-age=60").setHeader("vary", "accept-encoding").end(GZIPPED);
  },
  "/slow": async (_, response) => {
    await new Promise((resolve) => (release = () => resolve(undefined)));
    response.setHeader("cache-control", "max-age=60").end(`answer ${++made}`);
  },
  "/vary": (request, response) =>
    response.setHeader("cache-control", "max-age=60").setHeader("vary", "accept-language").end(`${request.headers["accept-language"]} ${++made}`),
  "/star": numbered("max-age=60", { vary: "*" }),
  "/links": (request, response) =>
    response.setHeader("cache-control", "max-age=60").end(`${request.headers["x-forwarded-host"]} ${request.headers["x-forwarded-proto"]} ${request.headers["x-host"]}`),
  "/broken": (_, response) => {
    response.setHeader("cache-control", "max-age=60").setHeader("content-length", "100").write("only this");
    setTimeout(() => response.socket?.resetAndDestroy(), 100);
  },
  "/huge": (_, response) => response.setHeader("cache-control", "max-age=60").end(Buffer.alloc(5_000_000, `${++made} `)),
  "/form": (request, response) => {
    if (request.method === "POST") return response.end("changed");
    response.setHeader("cache-control", "max-age=60").end(`answer ${++made}`);
  },
  "/stream": (_, response) => {
    response.setHeader("cache-control", "max-age=60").write("first");
    release = () => response.end("last");
  },
});
const RULES = [
  { path: "/off/*", cache: false },
  { path: "/assets/*", limit: false },
  { path: "/members/*", session: true },
  { path: "/limited", limit: "1/1m" },
  { path: "*", session: false },
];
const front = await startFront({
  ORIGIN_URL: origin.url,
  RATE_LIMIT: "100000/1m",
  CACHE_TTL: "1m",
  SESSION_SECRETS: SECRET,
  RULES: JSON.stringify(RULES),
  LOG: "errors",
});
/** @param {string} path @param {Parameters<typeof ask>[1]} [init] */
const get = (path, init) => ask(front.url + path, init);
/** What comes, and what the cache says of it. @param {string} path @param {Parameters<typeof ask>[1]} [init] @returns {Promise<[string, string]>} */
async function told(path, init) {
  const answer = await get(path, init);
  return [await answer.text(), answer.headers.get("cache-status") ?? ""];
}
/** Until it stands there: a store is behind its answer. @param {string} path @param {Parameters<typeof ask>[1]} [init] */
const stored = (path, init) => until(async () => (await told(path, init))[1].startsWith("upstash-edge; hit"));
const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A request by hand, the connection ended behind it. @param {string} line @param {string[]} headers @param {string} [body] */
const by = (line, headers, body = "") => raw(front.port, `${[`${line} HTTP/1.1`, ...headers, "Connection: close"].join("\r\n")}\r\n\r\n${body}`);

test("a miss is two requests to Redis, the second behind the answer; a hit is one", async () => {
  await get("/warm");
  await stored("/warm");
  /** @type {[string, string][]} */
  const all = [];
  assert.equal(await requests(front.gateway.url, async () => all.push(await told("/page"))), 2);
  assert.equal(await requests(front.gateway.url, async () => all.push(await told("/page"))), 1);
  const [miss, hit] = all;
  assert.equal(hit?.[0], miss?.[0]);
  assert.match(miss?.[1] ?? "", /^upstash-edge; fwd=uri-miss; stored$/);
  assert.match(hit?.[1] ?? "", /^upstash-edge; hit; ttl=\d+$/);
  assert.equal(origin.of("/page").length, 1);
  const answer = await get("/page");
  assert.equal(answer.headers.get("content-type"), "text/html");
  assert.match(answer.headers.get("age") ?? "", /^\d$/);
  // Its own limits, not those of who was there before.
  assert.match(answer.headers.get("ratelimit") ?? "", /^"1m";r=99999;/);
});

test("who has the page already is told so; HEAD is answered by what a GET left", async () => {
  // By hand: with this header fetch would say that it wants no cache.
  const host = new URL(front.url).host;
  const answer = await by("GET /page", [`Host: ${host}`, 'If-None-Match: W/"one"']);
  assert.match(answer, /^HTTP\/1\.1 304 [^]*ratelimit: "1m"/i);
  const head = await get("/page", { method: "HEAD", headers: { "accept-encoding": "identity" } });
  assert.deepEqual([head.status, head.headers.get("content-type"), await head.text()], [200, "text/html", ""]);
  assert.match(head.headers.get("cache-status") ?? "", /hit/);
  assert.equal(origin.of("/page").length, 1);
});

test("what says nothing is kept for CACHE_TTL, and nothing where a rule switches it off", async () => {
  const [first] = await told("/silent");
  await stored("/silent");
  assert.equal((await told("/silent"))[0], first);
  const [one, status] = await told("/off/silent");
  assert.equal(status, "");
  assert.notEqual((await told("/off/silent"))[0], one);
});

test("a stale page is served at once, and made anew behind it", async () => {
  const [first] = await told("/short");
  await stored("/short");
  await pause(1100);
  const [stale, status] = await told("/short");
  assert.equal(stale, first);
  assert.match(status, /^upstash-edge; hit; ttl=-\d+/);
  await until(async () => (await told("/short"))[0] !== first);
});

test("a page that is over is asked for by its tag, and what the origin confirms is served on", async () => {
  const [first] = await told("/tagged");
  await stored("/tagged");
  await pause(1100);
  const [again, status] = await told("/tagged");
  assert.equal(again, first);
  assert.match(status, /fwd=stale; fwd-status=304/);
  assert.equal(origin.of("/tagged").at(-1)?.headers["if-none-match"], '"same"');
});

test("a page that may stand in for a failing origin does", async () => {
  const [first] = await told("/backup");
  await stored("/backup");
  await pause(1100);
  fails = true;
  const [stale] = await told("/backup");
  fails = false;
  assert.equal(stale, first);
});

test("many who miss at once ask the origin once", async () => {
  const all = Array.from({ length: 20 }, () => told("/slow"));
  await until(() => origin.of("/slow").length === 1);
  await pause(200);
  release();
  const answers = await Promise.all(all);
  assert.equal(new Set(answers.map(([text]) => text)).size, 1);
  assert.equal(origin.of("/slow").length, 1);
});

test("who is refused leaves the page to the next at once", async () => {
  const from = address();
  await (await get("/limited", { headers: { "cf-connecting-ip": from } })).text();
  // A page that nobody has yet; this visitor's look takes its lease.
  const other = await get("/limited?other", { headers: { "cf-connecting-ip": from } });
  assert.equal(other.status, 429);
  const started = performance.now();
  assert.equal((await get("/limited?other")).status, 200);
  // Not the ten seconds of a lease that nobody gives back.
  assert.ok(performance.now() - started < 5000);
});

test("a range passes, and what comes of it is nobody else's", async () => {
  await told("/page", { headers: { range: "bytes=0-1" } });
  assert.equal(origin.of("/page").at(-1)?.headers.range, "bytes=0-1");
  assert.equal((await told("/page"))[0].startsWith("answer "), true);
});

test("no answer with a cookie, and none that says it is private, is stored", async () => {
  for (const path of ["/cookie", "/private"]) {
    const [first, status] = await told(path);
    assert.ok(!status.includes("stored"), status);
    assert.notEqual((await told(path))[0], first);
  }
  assert.deepEqual((await get("/cookie")).headers.getSetCookie(), ["own=1"]);
});

test("what the session may have made is not stored, unless it says that it is public; and no cookie is another's", async () => {
  const login = await get("/members/login");
  const cookie = login.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  assert.equal(login.headers.get("cache-control"), "private, no-store");
  const second = await get("/members/login");
  assert.notEqual(second.headers.getSetCookie()[0]?.split(";")[0], cookie);
  const [mine, status] = await told("/members/page", { headers: { cookie } });
  assert.ok(!status.includes("stored"), status);
  assert.notEqual((await told("/members/page"))[0], mine);
  const [all] = await told("/members/public", { headers: { cookie } });
  await stored("/members/public");
  const theirs = await get("/members/public");
  assert.deepEqual([await theirs.text(), theirs.headers.getSetCookie(), theirs.headers.get("cache-control")], [all, [], "public, max-age=60"]);
  assert.equal(await requests(front.gateway.url, () => get("/members/public", { headers: { cookie } })), 1);
});

test("a compressed page is stored and served as it came", async () => {
  const wire = "GET /gzip HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n";
  const body = (/** @type {string} */ answer) => Buffer.from(answer.slice(answer.indexOf("\r\n\r\n") + 4), "latin1");
  await raw(front.port, wire);
  await until(async () => /cache-status: upstash-edge; hit/i.test(await raw(front.port, wire)));
  const hit = await raw(front.port, wire);
  assert.match(hit, /content-encoding: gzip/i);
  assert.deepEqual(body(hit), GZIPPED);
});

test("the client reads the first chunk of what is to be stored before the last is sent", async () => {
  const reader = (await get("/stream", { headers: { "accept-encoding": "identity" } })).body?.getReader();
  const read = async () => new TextDecoder().decode((await reader?.read())?.value);
  assert.equal(await read(), "first");
  release();
  assert.equal(await read(), "last");
  await stored("/stream");
  assert.equal((await told("/stream"))[0], "firstlast");
});

test("an answer that breaks off, or is too large, is stored nowhere and passed on as it is", async () => {
  await assert.rejects(told("/broken"));
  await pause(300);
  await assert.rejects(told("/broken"));
  assert.equal(origin.of("/broken").length, 2);
  const sizes = [];
  for (let n = 0; n < 2; n++) sizes.push((await told("/huge"))[0].length);
  assert.deepEqual([sizes, origin.of("/huge").length], [[5_000_000, 5_000_000], 2]);
});

test("what changes a page makes it invalid", async () => {
  const [first] = await told("/form");
  await stored("/form");
  await get("/form", { method: "POST", body: "a=1" });
  await until(async () => (await told("/form"))[0] !== first);
});

test("each language has its own page, and what varies by anything is nobody's", async () => {
  const language = (/** @type {string} */ value) => ({ headers: { "accept-language": value } });
  const [en] = await told("/vary", language("en"));
  await stored("/vary", language("en"));
  const [de] = await told("/vary", language("de"));
  assert.notEqual(de, en);
  assert.equal((await told("/vary", language("en")))[0], en);
  const [star] = await told("/star");
  assert.notEqual((await told("/star"))[0], star);
});

test("headers that are in no key change no page", async () => {
  const evil = ["Host: site.example", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: evil", "X-Host: evil.example", "Forwarded: host=evil.example"];
  const first = await by("GET /links", evil);
  assert.ok(!first.includes("evil"), first);
  const next = await by("GET /links", ["Host: site.example"]);
  assert.ok(next.endsWith("site.example http undefined"), next);
  // X-Original-URL and X-Rewrite-URL make other pages of it where an origin believes them.
  await by("GET /rewritten", ["Host: site.example", "X-Original-URL: /admin", "X-Rewrite-URL: /admin"]);
  const { headers } = origin.of("/rewritten").at(-1) ?? assert.fail();
  assert.deepEqual([headers["x-original-url"], headers["x-rewrite-url"]], [undefined, undefined]);
});

test("a host that nobody uses poisons no page of another", async () => {
  await by("GET /links?host", ["Host: evil.example"]);
  await pause(300);
  const theirs = await by("GET /links?host", ["Host: site.example"]);
  assert.ok(theirs.endsWith("site.example http undefined"), theirs);
  await by("GET /links?path", ["Host: site.example/evil"]);
  await by("GET /links?path", ["Host: evil.example@site.example"]);
  await pause(300);
  const page = await by("GET /links?path", ["Host: site.example"]);
  assert.ok(page.endsWith("site.example http undefined"), page);
  const absolute = await by("GET http://evil.example/links?absolute", ["Host: site.example"]);
  await pause(300);
  const own = await by("GET /links?absolute", ["Host: site.example"]);
  assert.ok(own.endsWith("site.example http undefined"), `${absolute} ${own}`);
});

test("neither a HEAD nor an odd method nor a body leaves a page for a GET", async () => {
  await by("HEAD /head", ["Host: site.example"]);
  await by("GET /head", ["Host: site.example", "Content-Length: 4"], "evil");
  await by("POST /head", ["Host: site.example", "Content-Length: 4", "X-HTTP-Method-Override: GET"], "evil");
  await by("PROPFIND /head", ["Host: site.example"]);
  await by("GET /head", ["Host: site.example", "X-HTTP-Method-Override: POST"]);
  await pause(300);
  assert.deepEqual(origin.of("/head").map(({ method }) => method), ["HEAD", "POST", "PROPFIND", "GET"]);
  const page = await by("GET /head", ["Host: site.example"]);
  assert.match(page, /answer \d+$/);
});

test("a page is not another's for being spelt like it", async () => {
  // Web cache deception: a private page under the name of an asset.
  for (const path of ["/members/page%2f..%2f..%2fassets/app.js", "/assets/..%2fmembers/page", "/assets/..%5cmembers/page"]) {
    assert.equal((await by(`GET ${path}`, ["Host: a"])).slice(9, 12), "400", path);
  }
  await stored("/public");
  for (const path of ["/%70ublic", "//public"]) {
    await get(path);
    assert.equal(origin.of(path).length, 1, path);
  }
});

test("without Redis every page comes from the origin", async () => {
  await front.redis.stop();
  const [first] = await told("/page");
  assert.match(first, /^answer \d+$/);
  assert.notEqual((await told("/page"))[0], first);
});
