// A thousand callers of four isolates at one cold key, over an origin of HTTP that counts who asks it.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startGateway, startRedis } from "../../scripts/stack.mjs";
import { startWorkerd } from "../../scripts/workerd.mjs";

const ISOLATES = 4;
const CALLERS = 250;
const TOKEN = "token-of-the-tests";

const redis = await startRedis();
const gateway = await startGateway({ redisUrl: redis.url, token: TOKEN });

/** Each caller's value, and how long it waited. */
const PROGRAM = `
import { Cache, Redis } from "../../pkg/dist/workerd.js";
export default {
  async fetch(request) {
    if (request.method !== "POST") return new Response();
    const { at, key, lock, origin, callers } = await request.json();
    // Whoever waits too long for Redis is another test's.
    const cache = new Cache(new Redis({ ...at, timeout: "60s" }), { name: "stampede", lock, timeout: "60s" });
    const fetcher = async () => (await fetch(origin)).json();
    const ask = async () => {
      const started = Date.now();
      const value = await cache.getOrFetch(key, fetcher);
      return [value.n, Date.now() - started];
    };
    return Response.json(await Promise.all(Array.from({ length: callers }, ask)));
  },
};
`;

/** @typedef {Awaited<ReturnType<typeof startWorkerd>>} Isolate */

/** What asked the origin, in order. @type {string[]} */
let asked = [];
let takesMs = 0;
/** Told of the first question. */
let first = (/** @type {string} */ _) => {};
const origin = createServer(async ({ url = "" }, out) => {
  asked.push(url);
  const n = asked.length;
  if (n === 1) first(url);
  await sleep(takesMs);
  out.end(JSON.stringify({ n }));
}).listen(0, "127.0.0.1");
await new Promise((resolve) => origin.once("listening", resolve));
const { port } = /** @type {import("node:net").AddressInfo} */ (origin.address());

const isolates = await Promise.all(Array.from({ length: ISOLATES }, () => startWorkerd(PROGRAM, import.meta.dirname)));
after(async () => {
  origin.closeAllConnections();
  origin.close();
  await Promise.all(isolates.map((isolate) => isolate.stop()));
  await gateway.stop();
  await redis.stop();
});

/** @param {Isolate} isolate @param {string} key @param {number} lockMs @param {number} [callers] @returns {Promise<[number, number][]>} */
async function ask(isolate, key, lockMs, callers = CALLERS) {
  const at = { url: gateway.url, token: TOKEN };
  const told = { at, key, lock: `${lockMs}ms`, origin: `http://127.0.0.1:${port}/${isolates.indexOf(isolate)}`, callers };
  return (await fetch(isolate.url, { method: "POST", body: JSON.stringify(told) })).json();
}

/** @param {string} key @param {number} lockMs @param {number} originMs */
async function stampede(key, lockMs, originMs) {
  [asked, takesMs] = [[], originMs];
  const told = await Promise.allSettled(isolates.map((isolate) => ask(isolate, key, lockMs)));
  const answers = told.flatMap((isolate) => (isolate.status === "fulfilled" ? isolate.value : []));
  const longest = answers.reduce((longest, [, ms]) => Math.max(longest, ms), 0);
  const values = new Set(answers.map(([value]) => value));
  console.log(`${key}: origin called ${asked.length} times, ${answers.length} callers answered, the longest after ${longest} ms`);
  return { answers: answers.length, values, longest };
}

test(`${ISOLATES} isolates, ${CALLERS} callers each: the origin is called once`, async () => {
  const { answers, values } = await stampede("cold", 60_000, 300);
  assert.deepEqual([answers, asked.length, values], [ISOLATES * CALLERS, 1, new Set([1])]);
});

test("an origin slower than the lease is stored all the same", async () => {
  const { answers } = await stampede("slow", 4_000, 5_000);
  // Once more when the lease ended; what came first was stored, and is what stands there.
  assert.deepEqual([answers, asked.length], [ISOLATES * CALLERS, 2]);
  const [[value] = []] = await ask(/** @type {Isolate} */ (isolates[0]), "slow", 4_000, 1);
  assert.deepEqual([value, asked.length], [1, 2]);
});

test("with the holder of the lease killed mid-way it is called twice, and nobody waits past twice the lease", async () => {
  const lockMs = 4_000;
  first = (url) => process.kill(/** @type {Isolate} */ (isolates[Number(url.slice(1))]).pid, "SIGKILL");
  const { answers, values, longest } = await stampede("killed", lockMs, 300);
  assert.deepEqual([answers, asked.length, values], [(ISOLATES - 1) * CALLERS, 2, new Set([2])]);
  // And half of that again for a slow machine.
  assert.ok(longest < 3 * lockMs, `${longest} ms`);
});
