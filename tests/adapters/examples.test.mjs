// The examples of Workers, as a newcomer copies them, in wrangler.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { startWorker } from "../../scripts/stack.mjs";
import { address, ask, requests, until } from "../edge/front.mjs";
import { cookieOf, example, startStack } from "./stack.mjs";

const { gateway, vars } = await startStack();

/** @param {string} name */
async function worker(name) {
  const worker = await startWorker({ vars, config: join(example(name), "wrangler.toml") });
  after(() => worker.stop());
  return worker;
}

/** A stored page: until it is, each answer is made. @param {string} url */
async function stored(url) {
  let text = "";
  await until(async () => {
    const answer = await ask(url);
    text = await answer.text();
    return /hit/.test(answer.headers.get("cache-status") ?? "");
  });
  return text;
}

/** Limit and stored page in one request, and a refusal that is remembered in none. @param {string} url */
async function asPromised(url) {
  const page = await stored(url);
  assert.match(page, /made [0-9a-f-]{36}/);
  const headers = { "cf-connecting-ip": address() };
  let hit = new Response();
  assert.equal(await requests(gateway.url, async () => (hit = await ask(url, { headers }))), 1);
  assert.deepEqual([await hit.text(), hit.headers.get("ratelimit")], [page, '"default";r=19;t=10']);
  for (let n = 0; n < 20; n++) hit = await ask(url, { headers });
  assert.deepEqual([hit.status, hit.headers.get("content-type")], [429, "application/problem+json"]);
  assert.equal(await requests(gateway.url, async () => (hit = await ask(url, { headers }))), 0);
  assert.equal(hit.status, 429);
}

describe("workers", async () => {
  const { url } = await worker("workers");
  test("limit, session and page are one request", () => asPromised(url));
  test("a session lasts", async () => {
    const first = await ask(`${url}/visits`);
    const second = await ask(`${url}/visits`, { headers: { cookie: cookieOf(first) } });
    assert.deepEqual([await first.text(), await second.text()], ["visit 1\n", "visit 2\n"]);
  });
});

describe("queue-worker", async () => {
  const { url } = await worker("queue-worker");
  const mail = async (/** @type {string} */ to) => (await ask(url, { method: "POST", body: JSON.stringify({ to }) })).json();
  const counts = async () => (await ask(url)).json();
  test("a cron trigger does what is ready, and tries again what fails", async () => {
    const first = await mail("ada@example.com");
    assert.deepEqual(await mail("ada@example.com"), { id: first.id, added: false });
    assert.equal((await mail("nobody")).added, true);
    assert.equal((await counts()).ready, 2);
    assert.equal((await ask(`${url}/cdn-cgi/handler/scheduled`)).status, 200);
    assert.deepEqual({ ...(await counts()), oldestReadyMs: 0 }, { ready: 0, delayed: 1, leased: 0, dead: 0, oldestReadyMs: 0 });
    const sent = await fetch(`${gateway.url}/hgetall/sent`, { headers: { authorization: `Bearer ${vars.UPSTASH_REDIS_REST_TOKEN}` } });
    assert.deepEqual(await sent.json(), { result: [first.id, "ada@example.com"] });
  });
});

describe("hono-worker", async () => {
  const { url } = await worker("hono-worker");
  test("limit, session and page are one request", () => asPromised(url));
  test("a login lasts, and a logout ends it", async () => {
    const me = async (/** @type {string} */ cookie) => (await ask(`${url}/me`, { headers: { cookie } })).text();
    const entered = await ask(`${url}/login`, { method: "POST", body: new URLSearchParams({ user: "ada" }) });
    assert.deepEqual([entered.status, entered.headers.get("cache-control")], [303, "private, no-store"]);
    const cookie = cookieOf(entered);
    assert.equal(await me(cookie), "ada");
    const left = await ask(`${url}/logout`, { method: "POST", headers: { cookie } });
    assert.match(left.headers.getSetCookie().join(), /Max-Age=0/);
    assert.equal(await me(cookie), "a stranger");
  });
});
