// Limits and sessions of the front: whom they count, what they cost, and what becomes of them without Redis.

import assert from "node:assert/strict";
import { test } from "node:test";
import { address, ask, requests, SECRET, startFront } from "./front.mjs";
import { startOrigin } from "./origin.mjs";

const origin = await startOrigin({
  "/login": (_, response) => response.setHeader("upstash-edge-login", "ada%20%C3%A9").end("welcome"),
  "/logout": (_, response) => response.setHeader("upstash-edge-logout", "1").end("bye"),
  "/public": (_, response) => response.setHeader("cache-control", "public, max-age=60").end("for all"),
  "/fresh": (_, response) => response.setHeader("cache-control", "max-age=60").end("for a while"),
});
const RULES = JSON.stringify([
  { path: "/once/*", limit: "1/1m" },
  { path: "/unlimited", limit: false, session: false },
  { path: "/twice", limit: "2/1m,3/1h" },
]);
const front = await startFront({
  ORIGIN_URL: origin.url,
  RATE_LIMIT: "4/1m",
  SESSION_SECRETS: `${SECRET}\n${SECRET} that is older`,
  RULES,
  DEMO: "1",
  LOG: "off",
});
/** @param {string} path @param {Parameters<typeof ask>[1]} [init] */
const get = (path, init) => ask(front.url + path, init);
/** The statuses of so many requests of one address. @param {string} path @param {number} count @param {string} [from] */
async function statuses(path, count, from = address()) {
  const all = [];
  for (let n = 0; n < count; n++) all.push((await get(path, { headers: { "cf-connecting-ip": from } })).status);
  return all;
}

test("each address has its own quota, and is told it", async () => {
  const from = address();
  const first = await get("/a", { headers: { "cf-connecting-ip": from } });
  assert.equal(first.headers.get("ratelimit-policy"), '"1m";q=4;w=60');
  assert.match(first.headers.get("ratelimit") ?? "", /^"1m";r=3;t=(60|59)$/);
  assert.deepEqual(await statuses("/a", 4, from), [200, 200, 200, 429]);
  assert.deepEqual(await statuses("/a", 1), [200]);
});

test("a refusal tells the problem, and the origin does not hear of it", async () => {
  const from = address();
  await statuses("/refused", 4, from);
  const reached = origin.seen.length;
  const answer = await get("/refused", { headers: { "cf-connecting-ip": from } });
  assert.equal(answer.status, 429);
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  assert.equal(answer.headers.get("cache-control"), "no-store");
  assert.match(answer.headers.get("retry-after") ?? "", /^\d+$/);
  assert.match(answer.headers.get("ratelimit") ?? "", /^"1m";r=0;t=\d+$/);
  assert.deepEqual(await answer.json(), {
    type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
    title: "Request cannot be satisfied as assigned quota has been exceeded",
    status: 429,
    "violated-policies": ["1m"],
  });
  assert.equal(origin.seen.length, reached);
});

test("a page costs one request to Redis, a remembered refusal none", async () => {
  const from = address();
  const once = () => statuses("/cost", 1, from);
  assert.equal(await requests(front.gateway.url, once), 1);
  await statuses("/cost", 4, from);
  assert.equal(await requests(front.gateway.url, () => statuses("/cost", 3, from)), 0);
});

test("a network of IPv6 is one visitor, two are two", async () => {
  assert.deepEqual(await statuses("/v6", 4, "2001:db8:1:1::1"), [200, 200, 200, 200]);
  assert.deepEqual(await statuses("/v6", 1, "2001:db8:1:1:ffff::2"), [429]);
  assert.deepEqual(await statuses("/v6", 1, "2001:db8:1:2::1"), [200]);
});

test("a rule's limit counts apart, however its path is written", async () => {
  const from = address();
  assert.deepEqual(await statuses("/once/a", 2, from), [200, 429]);
  for (const path of ["/%6fnce/b", "//once/c", "/once%2fd", "/./once/e"]) assert.deepEqual(await statuses(path, 1, from), [429], path);
  assert.deepEqual(await statuses("/twice", 3, from), [200, 200, 429]);
  assert.deepEqual(await statuses("/unlimited", 9, from), Array(9).fill(200));
  assert.deepEqual(await statuses("/elsewhere", 1, from), [200]);
  assert.equal(await requests(front.gateway.url, () => statuses("/unlimited", 1, from)), 0);
});

/** Logs in by the origin's word. */
async function login() {
  const answer = await get("/login");
  const [cookie = ""] = answer.headers.getSetCookie();
  return { answer, cookie: cookie.split(";")[0] ?? "", attributes: cookie };
}

test("the origin logs a visitor in by a header, and hears who it is from then on", async () => {
  const { answer, cookie, attributes } = await login();
  assert.equal(await answer.text(), "welcome");
  assert.equal(answer.headers.get("upstash-edge-login"), null);
  assert.equal(answer.headers.get("cache-control"), "private, no-store");
  assert.match(attributes, /^__Host-session=[\w-]+; Path=\/; Secure; HttpOnly; SameSite=Lax$/);
  const page = await get("/me", { headers: { cookie, "upstash-edge-user": "root" } });
  assert.equal(page.headers.get("cache-control"), "private, no-store");
  assert.deepEqual(page.headers.getSetCookie(), []);
  assert.equal(origin.of("/me").at(-1)?.headers["upstash-edge-user"], "ada%20%C3%A9");
});

test("a page costs one request with its session, and what changes that another", async () => {
  const { cookie } = await login();
  assert.equal(await requests(front.gateway.url, () => get("/me", { headers: { cookie } })), 1);
  assert.equal(await requests(front.gateway.url, () => get("/logout", { headers: { cookie } })), 2);
});

test("a logout by the origin's word ends the session", async () => {
  const { cookie } = await login();
  const answer = await get("/logout", { headers: { cookie } });
  assert.match(answer.headers.getSetCookie()[0] ?? "", /^__Host-session=; .*Max-Age=0$/);
  await get("/me", { headers: { cookie } });
  assert.equal(origin.of("/me").at(-1)?.headers["upstash-edge-user"], undefined);
});

test("a page that a session may have made says that it is private, unless it says that it is public", async () => {
  const told = async (/** @type {string} */ path) => (await get(path)).headers.get("cache-control");
  assert.equal(await told("/me"), "private, no-store");
  assert.equal(await told("/fresh"), "private, max-age=60");
  assert.equal(await told("/public"), "public, max-age=60");
  // Here there are no sessions.
  assert.equal(await told("/unlimited"), null);
});

test("a cookie that no secret signed is nobody's", async () => {
  await get("/me", { headers: { cookie: `__Host-session=${"A".repeat(130)}` } });
  assert.equal(origin.of("/me").at(-1)?.headers["upstash-edge-user"], undefined);
});

test("without Redis limits let pass, and visitors are anonymous", async () => {
  const { cookie } = await login();
  await front.redis.stop();
  const page = await get("/me", { headers: { cookie } });
  assert.deepEqual([page.status, await page.text()], [200, "origin /me"]);
  assert.equal(origin.of("/me").at(-1)?.headers["upstash-edge-user"], undefined);
  // The session is not known, so it is not replaced.
  const failed = await get("/login", { headers: { cookie } });
  assert.equal(failed.status, 503);
  assert.deepEqual(failed.headers.getSetCookie(), []);
  assert.deepEqual(Object.keys(await failed.json()), ["type", "title", "status"]);
});
