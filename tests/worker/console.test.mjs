// What the console asks of the Worker: who may, and what it is told.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ADMIN, plant, redis, startConsole } from "../page/console.mjs";
import { ask, cookieOf, stats } from "./stack.mjs";

const { gateway, worker } = await startConsole();
const json = { "content-type": "application/json" };

/** Signed in; what it answers. @param {Record<string, string>} [headers] */
const signIn = (headers, token = ADMIN) => ask(worker.url, "/api/admin/session", { method: "POST", headers: { ...json, ...headers }, body: JSON.stringify({ token }) });
const cookie = cookieOf((await signIn()).headers);
/** As the administrator. @param {string} path @param {object} [body] */
const admin = (path, body) => ask(worker.url, `/api/admin/${path}`, { ...(body && { method: "POST", body: JSON.stringify(body) }), headers: { ...json, cookie } });

const ROUTES = [
  ["GET", "session"],
  ["DELETE", "session"],
  ["GET", "metrics"],
  ["GET", "cache?name=demo"],
  ["POST", "cache/value", '{"name":"demo","id":"e2RlbW86MH06ZTph"}'],
  ["POST", "cache/delete", '{"name":"demo","id":"e2RlbW86MH06ZTph"}'],
  ["POST", "cache/invalidate", '{"name":"demo","tags":["a"]}'],
  ["POST", "limit", '{"id":"ada","limit":3,"window":"10s"}'],
  ["POST", "sessions", '{"user":"ada"}'],
  ["POST", "sessions/revoke", '{"user":"ada","all":true}'],
];

test("who is not signed in gets nothing but health and the page, and Redis is not asked", async () => {
  const before = await stats(gateway.url);
  for (const headers of [json, { ...json, cookie: `__Host-console=${"A".repeat(130)}` }, { ...json, cookie: `__Host-session=${cookie.split("=")[1]}` }, { ...json, authorization: `Bearer ${ADMIN}` }]) {
    for (const [method = "", path = "", body] of ROUTES) {
      const answer = await ask(worker.url, `/api/admin/${path}`, { method, headers, body });
      assert.deepEqual([answer.status, answer.json.error.code], [401, "unauthorized"], `${method} ${path}`);
    }
    const asked = await ask(worker.url, `/api/admin/metrics?token=${ADMIN}`, { headers });
    assert.equal(asked.status, 401);
  }
  assert.deepEqual(await stats(gateway.url), before);
  const page = await ask(worker.url, "/api/console/");
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'; script-src 'self'; style-src 'self';.*frame-ancestors 'none'/);
  assert.equal(page.headers.get("x-content-type-options"), "nosniff");
  assert.doesNotMatch(page.text, /<script>|<style|style="|\son\w+=|https?:\/\//);
});

test("the session is a __Host- cookie that no script sees, and ends at sign-out", async () => {
  const answer = await signIn();
  assert.match(answer.headers.get("set-cookie") ?? "", /^__Host-console=[\w-]{100,}; Path=\/; Secure; HttpOnly; SameSite=Strict$/);
  const headers = { ...json, cookie: cookieOf(answer.headers) };
  const at = (/** @type {string} */ method) => ask(worker.url, "/api/admin/session", { method, headers });
  assert.ok((await at("GET")).json.expiresAt > Date.now());
  const out = await at("DELETE");
  assert.match(out.headers.get("set-cookie") ?? "", /^__Host-console=; .*Max-Age=0$/);
  assert.equal((await at("GET")).status, 401);
  assert.equal((await admin("session")).status, 200);
});

test("a page of another site, and a form, can ask nothing", async () => {
  const body = '{"id":"ada","limit":3,"window":"10s"}';
  const here = { ...json, cookie };
  for (const [headers, status] of [
    [{ ...here, origin: worker.url, "sec-fetch-site": "same-origin" }, 200],
    [{ ...here, origin: "https://evil.example" }, 403],
    [{ ...here, origin: "null" }, 403],
    [{ ...here, "sec-fetch-site": "cross-site" }, 403],
    [{ ...here, "sec-fetch-site": "same-site" }, 403],
    [{ ...here, "sec-fetch-site": "none" }, 403],
    [{ cookie, "content-type": "text/plain" }, 415],
    [{ cookie, "content-type": "application/x-www-form-urlencoded" }, 415],
  ]) {
    const answer = await ask(worker.url, "/api/admin/limit", { method: "POST", headers: /** @type {any} */ (headers), body });
    assert.equal(answer.status, status, JSON.stringify(headers));
  }
});

test("tokens cannot be guessed: ten wrong ones, and the address waits", async () => {
  const headers = { "cf-connecting-ip": "198.51.100.7" };
  for (const token of ["", "x", `${ADMIN}x`, ADMIN.slice(1), ADMIN.toUpperCase(), "é".repeat(30), "x".repeat(10_000), "a", "b", "c"]) {
    const wrong = await signIn(headers, token);
    assert.deepEqual([wrong.status, wrong.json.error.code, wrong.headers.get("set-cookie")], [401, "unauthorized", null]);
  }
  const late = await signIn(headers);
  assert.equal(late.status, 429);
  assert.ok(late.json.retryAfterMs > 0 && Number(late.headers.get("retry-after")) > 0);
  assert.equal((await signIn({ "cf-connecting-ip": "198.51.100.8" })).status, 200);
});

test("the metrics are of what was asked, in one round trip", async () => {
  const before = (await admin("metrics")).json.recent;
  for (let n = 0; n < 6; n++) await ask(worker.url, "/api/limit/metered?limit=4&window=60s", { method: "POST" });
  await ask(worker.url, "/api/fetch/metered?ms=1");
  await ask(worker.url, "/api/fetch/metered?ms=1");
  const asked = await stats(gateway.url);
  const { status, json, headers } = await admin("metrics");
  assert.equal((await stats(gateway.url)).requests - asked.requests, 1);
  assert.match(headers.get("server-timing") ?? "", /"1 round trip, /);
  assert.equal(status, 200);
  const grown = (/** @type {string} */ what) => json.recent[what] - before[what];
  assert.deepEqual(["requests", "allowed", "refused", "hits", "misses", "stale"].map(grown), [8, 4, 2, 1, 1, 0]);
  // A miss is a second one, for the store.
  assert.ok(grown("trips") >= 8 && grown("trips") <= 10, `${grown("trips")}`);
  assert.ok(json.recent.p50Ms <= json.recent.p99Ms);
  assert.equal(json.minutes.length, 60);
  assert.deepEqual(json.caches.map((/** @type {any} */ { name }) => name), ["demo", "demo-origin", "demo-page"]);
  const limiter = json.limiters.find((/** @type {any} */ { name }) => name === "demo");
  assert.deepEqual([limiter.allowed, limiter.refused, limiter.mostRefused], [4, 2, [{ id: "metered", count: 2 }]]);
});

test("what was counted goes along with later requests, and is another look's too", async () => {
  const hour = Math.floor(Date.now() / 3_600_000);
  await new Promise((resolve) => setTimeout(resolve, 10_100));
  const before = await stats(gateway.url);
  await ask(worker.url, "/api/cache/nothing");
  assert.equal((await stats(gateway.url)).requests - before.requests, 1);
  const [kept, left] = await redis(gateway.url, [["HGETALL", `{upstash-edge}:traffic:${hour}`], ["PTTL", `{upstash-edge}:traffic:${hour}`]]);
  const fields = kept?.result ?? [];
  const requests = fields.flatMap((/** @type {string} */ name, /** @type {number} */ at) => (name.endsWith(":n") ? [Number(fields[at + 1])] : []));
  assert.ok(requests.reduce((/** @type {number} */ sum, /** @type {number} */ n) => sum + n, 0) >= 8, JSON.stringify(fields));
  assert.ok(left?.result > 0 && left?.result <= 3 * 3_600_000);
});

test("the playground tells the window as Redis holds it", async () => {
  const play = (/** @type {object} */ more) => admin("limit", { id: "<b>{play}", limit: 128, window: "1h", ...more });
  let last;
  for (const cost of [1, 100, 20]) last = await play({ cost });
  assert.deepEqual(last?.json.window.map((/** @type {any} */ { cost }) => cost), [1, 100, 20]);
  assert.ok(last?.json.window.every((/** @type {any} */ { at }) => Math.abs(at - Date.now()) < 60_000));
  const refused = await play({ cost: 10 });
  assert.equal(refused.status, 200);
  assert.deepEqual([refused.json.decision.allowed, refused.json.decision.remaining, refused.json.window.length], [false, 7, 3]);
  assert.ok(refused.json.decision.retryAfterMs > 3_500_000);
  const peek = await play({ act: "peek" });
  assert.deepEqual(peek.json.window, refused.json.window);
  assert.deepEqual((await play({ act: "reset" })).json.window, []);
  for (const wrong of [{ limit: 0 }, { limit: 129 }, { window: "2h" }, { window: "10" }, { act: "drop" }, { cost: 129 }, { more: 1 }]) {
    assert.equal((await play(wrong)).status, 400, JSON.stringify(wrong));
  }
});

test("entries are found page by page, each once, whatever they are called", async () => {
  const names = Array.from({ length: 1_200 }, (_, n) => `{many:${n % 3}}:e:item-${n}`);
  for (let at = 0; at < names.length; at += 300) await redis(gateway.url, names.slice(at, at + 300).map((key) => ["SET", key, "1", "EX", 600]));
  const found = new Set();
  let cursor = "0";
  let pages = 0;
  do {
    const { json } = await admin(`cache?name=many&cursor=${cursor}&count=100`);
    for (const { name, shard } of json.entries) found.add(`{many:${shard}}:e:${name}`);
    cursor = json.cursor;
    assert.ok(++pages < 100);
  } while (cursor !== "0");
  assert.ok(pages > 1);
  assert.deepEqual([...found].sort(), names.sort());
  const some = await admin("cache?name=many&match=item-119&count=500");
  assert.deepEqual(some.json.entries.map((/** @type {any} */ { name }) => name).sort(), ["item-119", ...Array.from({ length: 10 }, (_, n) => `item-119${n}`)].sort());
  assert.equal((await admin("cache?name=man&cursor=0")).json.entries.length, 0);
  // The last is more than Redis counts to.
  for (const wrong of ["x", "", "99999999999999999999"]) assert.equal((await admin(`cache?name=many&cursor=${wrong}`)).status, 400);
});

test("hostile names are told, shown and deleted, and nothing else is", async () => {
  const hostile = ["<img src=x onerror=alert(1)>", "‮gnp.exe", "x".repeat(10_240)].map((name) => Buffer.from(name));
  const names = [...hostile, Buffer.from([0xff, 0xfe, 0x3c, 0x62, 0x3e])];
  for (const name of names) await plant(gateway.url, Buffer.concat([Buffer.from("{hostile:0}:e:"), name]), "planted");
  const { json } = await admin("cache?name=hostile");
  assert.equal(json.entries.length, 4);
  const lengths = json.entries.map((/** @type {any} */ { nameBytes }) => nameBytes).sort((/** @type {number} */ a, /** @type {number} */ b) => a - b);
  assert.deepEqual(lengths, names.map((name) => name.length).sort((a, b) => a - b));
  assert.equal(json.entries.filter((/** @type {any} */ { id }) => id === undefined).length, 1);
  for (const { id, name } of json.entries) {
    assert.ok(name.length <= 200);
    // Commands name keys by text.
    if (id === undefined) continue;
    const value = await admin("cache/value", { name: "hostile", id });
    assert.equal(value.json.values?.[0].text, "planted", JSON.stringify(value.json));
    assert.equal((await admin("cache/delete", { name: "hostile", id })).json.deleted, true);
    assert.equal((await admin("cache/value", { name: "hostile", id })).status, 404);
  }
  await redis(gateway.url, [["SET", "someone's", "1"], ["SET", "{hostile:0}:t", "1"]]);
  for (const key of ["someone's", "{hostile:0}:t", "{other:0}:e:x"]) {
    const answer = await admin("cache/delete", { name: "hostile", id: Buffer.from(key).toString("base64url") });
    assert.equal(answer.status, 400);
  }
  const [kept] = await redis(gateway.url, [["EXISTS", "someone's", "{hostile:0}:t"]]);
  assert.equal(kept?.result, 2);
});

test("tags make entries gone or stale in every shard", async () => {
  const now = Date.now();
  const entry = `ue1;j;${now};${now + 600_000};${now + 700_000};${now + 700_000};7;news;E;0;1`;
  for (const shard of [0, 1]) await redis(gateway.url, [["HSET", `{tagged:${shard}}:t`, "e", "E", "c", "0"], ["SET", `{tagged:${shard}}:e:a`, entry, "EX", 600]]);
  const states = async () => (await admin("cache?name=tagged")).json.entries.map((/** @type {any} */ { values }) => values[0].state);
  assert.deepEqual(await states(), ["fresh", "fresh"]);
  await admin("cache/invalidate", { name: "tagged", tags: ["news"], shards: 2, expire: true });
  assert.deepEqual(await states(), ["stale", "stale"]);
  await admin("cache/invalidate", { name: "tagged", tags: ["news"], shards: 2 });
  assert.deepEqual(await states(), ["gone", "gone"]);
  assert.equal((await admin("cache/invalidate", { name: "tagged", tags: [] })).status, 400);
});

test("a user's sessions are listed and ended, and an ended one opens nothing", async () => {
  const user = "ada <b>";
  const login = async () => cookieOf((await ask(worker.url, "/api/session/login", { method: "POST", body: JSON.stringify({ userId: user }) })).headers);
  const status = async (/** @type {string} */ cookie) => (await ask(worker.url, "/api/session", { headers: { cookie } })).json.status;
  const [first, second, third] = [await login(), await login(), await login()];
  const { sessions } = (await admin("sessions", { user })).json;
  assert.equal(sessions.length, 3);
  const text = JSON.stringify(sessions);
  for (const cookie of [first, second, third]) assert.ok(!text.includes(cookie.split("=")[1] ?? ""));
  assert.equal((await admin("sessions/revoke", { user, handle: sessions[0].handle })).json.revoked, 1);
  const left = (await Promise.all([first, second, third].map(status))).filter((status) => status === "valid");
  assert.equal(left.length, 2);
  assert.equal((await admin("sessions/revoke", { user, handle: sessions[0].handle })).json.revoked, 0);
  await admin("sessions/revoke", { user, all: true });
  assert.deepEqual(await Promise.all([first, second, third].map(status)), ["expired", "expired", "expired"]);
  assert.deepEqual((await admin("sessions", { user })).json.sessions, []);
  assert.equal((await admin("sessions/revoke", { user })).status, 400);
});
