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
