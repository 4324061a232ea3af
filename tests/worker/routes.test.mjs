// Every route of the Worker, in workerd, over a real gateway and a real Redis.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, cookieOf, startStack, stats } from "./stack.mjs";

const { gateway, worker } = await startStack();
/** @param {string} path @param {RequestInit} [init] */
const get = (path, init) => ask(worker.url, path, init);

test("health tells status, latency and when", async () => {
  const { status, json } = await get("/api/health");
  assert.equal(status, 200);
  assert.equal(json.status, "healthy");
  assert.equal(typeof json.latencyMs, "number");
  assert.ok(Math.abs(Date.parse(json.checkedAt) - Date.now()) < 60_000);
  assert.equal(new Date(json.checkedAt).toISOString(), json.checkedAt);
});

test("a limit admits exactly what it says, then tells when to come back", async () => {
  const path = "/api/limit/ada%2F%7B%7D?limit=3&window=10s";
  const answers = [];
  for (let n = 0; n < 5; n++) answers.push(await get(path, { method: "POST" }));
  assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200, 429, 429]);
  const [first, , , refused] = answers;
  assert.equal(first?.json.remaining, 2);
  assert.equal(first?.headers.get("ratelimit-policy"), '"default";q=3;w=10');
  assert.match(first?.headers.get("ratelimit") ?? "", /^"default";r=2;t=(9|10)$/);
  assert.equal(first?.headers.get("retry-after"), null);
  assert.equal(refused?.json.allowed, false);
  assert.equal(refused?.json.limitedBy, "default");
  assert.ok(refused?.json.retryAfterMs > 0 && refused?.json.retryAfterMs <= 10_000);
  assert.match(refused?.headers.get("retry-after") ?? "", /^([1-9]|10)$/);
});

test("250 checks at once never let one too many through", async () => {
  // Whoever waits too long for Redis passes, which is another test's.
  const path = "/api/limit/crowd?limit=100&window=60s&timeout=60s";
  const answers = await Promise.all(Array.from({ length: 250 }, () => get(path, { method: "POST" })));
  assert.equal(answers.filter(({ status }) => status === 200).length, 100);
  assert.equal(answers.filter(({ status }) => status === 429).length, 150);
});

test("a cost takes as many places, and 0 takes none", async () => {
  const path = "/api/limit/dear?limit=5&window=60s";
  assert.equal((await get(`${path}&cost=4`, { method: "POST" })).json.remaining, 1);
  assert.equal((await get(`${path}&cost=2`, { method: "POST" })).status, 429);
  assert.equal((await get(`${path}&cost=0`, { method: "POST" })).json.remaining, 1);
});

test("the cache keeps any JSON, null and false included, until it is deleted or its time is over", async () => {
  for (const [at, value] of [null, false, 0, "", [], { a: "é😀" }].entries()) {
    const path = `/api/cache/value-${at}`;
    assert.equal((await get(path)).status, 404);
    const put = await get(`${path}?ttl=60s`, { method: "PUT", body: JSON.stringify(value) });
    assert.equal(put.status, 200);
    assert.deepEqual((await get(path)).json, value);
    assert.equal((await get(path, { method: "DELETE" })).json.deleted, true);
    assert.equal((await get(path)).json.error.code, "not_found");
  }
  await get("/api/cache/short?ttl=100ms", { method: "PUT", body: "1" });
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal((await get("/api/cache/short")).status, 404);
});

test("100 callers that miss at once call the origin once", async () => {
  const path = "/api/fetch/report?ttl=60s&ms=300&timeout=60s";
  const answers = await Promise.all(Array.from({ length: 100 }, () => get(path)));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.equal(new Set(answers.map(({ json }) => json.madeAt)).size, 1);
  assert.equal(answers.filter(({ headers }) => headers.get("cache-status")?.endsWith("miss")).length, 1);
  const hit = await get(path);
  assert.equal(hit.headers.get("cache-status"), "upstash-edge; hit");
});

test("a header full of cookies that look like ours hides nobody and asks Redis once, and one past the runtime's limit asks nothing", async () => {
  const cookie = cookieOf((await get("/api/session", { method: "PUT", body: '{"n":1}' })).headers);
  const bomb = (/** @type {number} */ cookies) => [...Array(cookies).fill(`__Host-session=${"A".repeat(108)}`), cookie].join("; ");
  const asked = async () => (await stats(gateway.url)).requests;
  let before = await asked();
  const many = await get("/api/session", { headers: { cookie: bomb(1000) } });
  assert.deepEqual([many.status, many.json.data], [200, { n: 1 }]);
  assert.equal((await asked()) - before, 1);
  before = await asked();
  const { status } = await get("/api/session", { headers: { cookie: bomb(10_000) } });
  assert.ok(status >= 400 && status < 500, `${status}`);
  assert.equal((await asked()) - before, 0);
  assert.deepEqual((await get("/api/session", { headers: { cookie } })).json.data, { n: 1 });
});

test("a session lives from its first value to logout, and login changes its id", async () => {
  const none = await get("/api/session");
  assert.deepEqual(none.json, { data: {}, status: "new" });
  assert.equal(none.headers.get("set-cookie"), null);

  const put = await get("/api/session", { method: "PUT", body: '{"cart":[1,{},[]]}' });
  const [set] = put.headers.getSetCookie();
  assert.match(set ?? "", /^__Host-session=[\w-]{108}; Path=\/; Secure; HttpOnly; SameSite=Lax$/);
  assert.equal(put.headers.get("cache-control"), "no-store");
  assert.ok(put.json.expiresAt - put.json.createdAt === 30 * 60_000);
  const planted = cookieOf(put.headers);
  const read = await get("/api/session", { headers: { cookie: planted } });
  assert.deepEqual(read.json.data, { cart: [1, {}, []] });
  assert.equal(read.json.status, "valid");

  const login = await get("/api/session/login", { method: "POST", body: '{"userId":"ada"}', headers: { cookie: planted } });
  const cookie = cookieOf(login.headers);
  assert.notEqual(cookie, planted);
  assert.equal((await get("/api/session", { headers: { cookie: planted } })).json.status, "expired");
  const user = await get("/api/session", { headers: { cookie } });
  assert.equal(user.json.userId, "ada");
  assert.deepEqual(user.json.data, { cart: [1, {}, []] });

  const logout = await get("/api/session/logout", { method: "POST", headers: { cookie } });
  assert.match(logout.headers.get("set-cookie") ?? "", /^__Host-session=; .*Max-Age=0$/);
  const after = await get("/api/session", { headers: { cookie } });
  assert.deepEqual([after.json.status, after.json.userId], ["expired", undefined]);
});

test("a forged cookie costs no round trip and opens nothing", async () => {
  const before = await stats(gateway.url);
  const forged = await get("/api/session", { headers: { cookie: `__Host-session=${"A".repeat(108)}` } });
  assert.equal(forged.json.status, "invalid");
  assert.deepEqual(await stats(gateway.url), before);
});

test("a page is one round trip: limit, session and cached page in one HTTP request", async () => {
  const login = await get("/api/session/login", { method: "POST", body: '{"userId":"grace"}' });
  const headers = { cookie: cookieOf(login.headers) };
  // The first one makes the page, and teaches a new client which form of scripts this server takes.
  await get("/api/page", { headers });
  await new Promise((resolve) => setTimeout(resolve, 300));

  // Every 10 s at most hits and misses travel along: of three in a row two take nothing.
  let [page, commands] = [await get("/api/page", { headers }), Infinity];
  for (let pages = 0; pages < 3; pages++) {
    const before = await stats(gateway.url);
    page = await get("/api/page", { headers });
    const after = await stats(gateway.url);
    assert.equal(after.requests - before.requests, 1);
    commands = Math.min(commands, after.commands - before.commands);
  }
  assert.equal(commands, 4);
  assert.equal(page.status, 200);
  assert.equal(page.json.userId, "grace");
  assert.equal(page.json.page.title, "One round trip");
  assert.equal(page.headers.get("cache-status"), "upstash-edge; hit");
  assert.match(page.headers.get("server-timing") ?? "", /^redis;dur=\d+;desc="1 round trip, \d+ commands"$/);
  assert.match(page.headers.get("ratelimit") ?? "", /^"default";r=\d+;t=\d+$/);
});

test("a request that makes no sense is told so, in JSON, before anything is sent", async () => {
  const before = await stats(gateway.url);
  const wrong = [
    ["GET", "/api/nothing", 404],
    ["GET", "/api/cache/", 404],
    ["GET", "/api/cache/a/b", 404],
    ["POST", "/api/limit/", 404],
    ["GET", "/api/limit/ada", 405],
    ["POST", "/api/page", 405],
    ["DELETE", "/api/session", 405],
    ["POST", "/api/health", 405],
    ["POST", "/", 405],
    ["PUT", "/api/console/", 405],
    ["PROPFIND", "/", 405],
    ["PURGE", "/api/cache/a", 405],
    ["QUERY", "/api/health", 405],
    ["OPTIONS", "/api/page", 405],
    ["GET", "/API/health", 404],
    ["GET", "/nothing.html", 404],
    ["POST", "/api/limit/ada?limit=0", 400],
    ["POST", "/api/limit/ada?limit=ten", 400],
    ["POST", "/api/limit/ada?limit=-1", 400],
    ["POST", "/api/limit/ada?limit=99999999999", 400],
    ["POST", "/api/limit/ada?window=10", 400],
    ["POST", "/api/limit/ada?window=0s", 400],
    ["POST", "/api/limit/ada?limit=3&cost=4", 400],
    ["POST", "/api/limit/ada?limit=3&limit=4", 400],
    ["POST", "/api/limit/%FF", 400],
    ["PUT", "/api/cache/a", 400, "{"],
    ["PUT", "/api/cache/a", 400, ""],
    ["PUT", "/api/cache/a?ttl=0s", 400, "1"],
    ["PUT", "/api/cache/a?ttl=soon", 400, "1"],
    ["PUT", "/api/cache/a", 413, JSON.stringify("x".repeat(1 << 20))],
    ["GET", "/api/fetch/a?ms=10001", 400],
    ["PUT", "/api/session", 400, "[1]"],
    ["POST", "/api/session/login", 400, "{}"],
    ["POST", "/api/session/login", 400, '{"userId":""}'],
  ];
  for (const [method, path, status, body] of wrong) {
    const answer = await get(String(path), { method: String(method), body: /** @type {string} */ (body) });
    const label = `${method} ${path}`;
    assert.equal(answer.status, status, label);
    assert.equal(typeof answer.json.error.code, "string", label);
    assert.equal(typeof answer.json.error.message, "string", label);
    assert.equal(status === 405, answer.headers.has("allow"), label);
  }
  assert.deepEqual(await stats(gateway.url), before);
});

test("an endless body is left, not gathered", async () => {
  let sent = 0;
  const endless = new ReadableStream({
    pull(controller) {
      sent += 65_536;
      if (sent > 400 << 20) controller.close();
      else controller.enqueue(new Uint8Array(65_536));
    },
  });
  const init = /** @type {RequestInit} */ ({ method: "PUT", body: endless, duplex: "half" });
  // The Worker answers and hangs up; whether the client still hears the answer is up to the network.
  const answer = await get("/api/cache/endless", init).catch(() => undefined);
  assert.ok(answer === undefined || answer.status === 413);
  assert.ok(sent < 400 << 20, `${sent} bytes were taken`);
});

test("a page of another site cannot log its visitor in", async () => {
  const headers = { "sec-fetch-site": "cross-site", "content-type": "text/plain" };
  const answer = await get("/api/session/login", { method: "POST", body: '{"userId":"mallory"}', headers });
  assert.deepEqual([answer.status, answer.json.error.code], [403, "forbidden"]);
});

test("what a client puts into its cache is not what the origin or the page answers", async () => {
  for (const key of ["origin:planted", "planted", "page"]) await get(`/api/cache/${key}`, { method: "PUT", body: '"planted"' });
  assert.notEqual((await get("/api/fetch/planted?ms=1")).json, "planted");
  assert.equal((await get("/api/page")).json.page.title, "One round trip");
});

test("HEAD is answered like GET, without the body", async () => {
  const head = await get("/api/health", { method: "HEAD" });
  assert.deepEqual([head.status, head.text], [200, ""]);
});

test("the console is served, and nothing beside it", async () => {
  const page = await get("/");
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
  assert.equal((await get("/app.js")).status, 200);
  assert.equal((await get("/nothing.html")).status, 404);
  assert.equal((await get("/../wrangler.toml")).status, 404);
});
