// The console of a Worker before an origin: what it tells of pages, and what telling costs them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { cookieOf, stats } from "../worker/stack.mjs";
import { address, ask, requests, startFront } from "./front.mjs";
import { startOrigin } from "./origin.mjs";

const ADMIN = "an-admin-token-of-the-tests";
const origin = await startOrigin({
  "/page": (request, response) => {
    response.writeHead(200, { "content-type": "text/plain", "cache-control": "max-age=60", vary: "accept-language" });
    response.end(`hello in ${request.headers["accept-language"]}`);
  },
});
const front = await startFront({ ORIGIN_URL: origin.url, RATE_LIMIT: "3/1m", RULES: '[{"path":"/free/*","limit":"50/1m"}]', ADMIN_TOKEN: ADMIN });
const json = { "content-type": "application/json" };
const signed = await fetch(`${front.url}/api/admin/session`, { method: "POST", headers: json, body: JSON.stringify({ token: ADMIN }) });
const cookie = cookieOf(signed.headers);
/** @param {string} path @param {object} [body] @returns {Promise<any>} */
const admin = async (path, body) => (await fetch(`${front.url}/api/admin/${path}`, { headers: { ...json, cookie }, ...(body && { method: "POST", body: JSON.stringify(body) }) })).json();

test("pages, their hits and refusals are counted, and a hit stays one request to Redis", async () => {
  const get = (/** @type {string} */ language, from = address()) => ask(`${front.url}/page`, { headers: { "accept-language": language, "cf-connecting-ip": from } });
  await requests(front.gateway.url, async () => void (await get("en")));
  await requests(front.gateway.url, async () => void (await get("de")));
  for (let n = 0; n < 3; n++) assert.equal(await requests(front.gateway.url, async () => void (await get("en"))), 1);
  const from = address();
  const statuses = [];
  for (let n = 0; n < 4; n++) statuses.push((await get("en", from)).status);
  assert.deepEqual(statuses, [200, 200, 200, 429]);
  const { recent, caches, limiters } = await admin("metrics");
  assert.deepEqual([recent.requests, recent.hits, recent.misses, recent.allowed, recent.refused], [9, 6, 2, 8, 1]);
  // Who was refused had been looked for in the same request.
  assert.deepEqual(caches.map((/** @type {any} */ { name, hits, misses }) => [name, hits, misses]), [["front", 7, 2]]);
  assert.deepEqual(limiters.map((/** @type {any} */ { name, allowed, refused }) => [name, allowed, refused]), [["front", 8, 1], ["front:/free/*", 0, 0]]);
  assert.deepEqual(limiters[0].mostRefused, [{ id: `address:${from}`, count: 1 }]);
});

test("what was counted travels with a page, as a command more in its request", async () => {
  await new Promise((resolve) => setTimeout(resolve, 10_100));
  const before = await stats(front.gateway.url);
  assert.equal(await requests(front.gateway.url, async () => void (await ask(`${front.url}/page`, { headers: { "accept-language": "en" } }))), 1);
  const after = await stats(front.gateway.url);
  // The check, its statistics, the look, and the counts; the look at the metrics took the cache's own along.
  assert.equal(after.commands - before.commands, 4);
});

test("an answer is listed with each of its variants, shown as it is stored, and deleted", async () => {
  const { entries } = await admin("cache?name=front&match=/page");
  assert.equal(entries.length, 1);
  const [{ id, name, values }] = entries;
  assert.equal(name, `${front.url}/page`);
  assert.deepEqual(values.map((/** @type {any} */ { kind, state }) => [kind, state]), [["answer", "fresh"], ["answer", "fresh"]]);
  assert.ok(values.every((/** @type {any} */ { freshUntil, writtenAt }) => freshUntil - writtenAt <= 60_000));
  const shown = await admin("cache/value", { name: "front", id });
  assert.match(shown.values[0].text, /^200\n[^]*vary: ?accept-language[^]*\n\nhello in en$/);
  assert.match(shown.values[1].text, /hello in de$/);
  assert.deepEqual(await admin("cache/delete", { name: "front", id }), { deleted: true });
  const again = await ask(`${front.url}/page`, { headers: { "accept-language": "en" } });
  assert.match(again.headers.get("cache-status") ?? "", /fwd=/);
});

test("the origin has the rest of the site, its / included", async () => {
  assert.match(await (await ask(`${front.url}/`)).text(), /^origin \/$/);
  assert.match(await (await ask(`${front.url}/api/console/`)).text(), /upstash-edge/);
});
