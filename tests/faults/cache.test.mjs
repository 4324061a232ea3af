// A cache under load while its Redis is killed, frozen or slow: every caller has a value, Redis is left alone, and hits
// resume when it is back.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startGateway, startRedis } from "../../scripts/stack.mjs";
import { startWorkerd } from "../../scripts/workerd.mjs";
import { load, TICK_MS } from "./load.mjs";
import { startProxy } from "./proxy.mjs";

// Built before the tests are run, and typed by hand.
const path = "../../pkg/dist/inline.js";
/** @type {typeof import("../../pkg/index.js")} */
const edge = await import(path);

const TIMEOUT_MS = 200;
/** When the fault comes, and when the load ends. */
const [BEFORE_MS, LOAD_MS] = [500, 4_500];
/** The breaker's: failures in a row, each of something asked after the one before was known; and its pause. */
const [FAILURES, PAUSE_MS] = [3, 2_000];
const token = "token-of-the-tests";

let redis = await startRedis();
const gateway = await startGateway({ redisUrl: redis.url, token });
const proxy = await startProxy(gateway.url);

const PROGRAM = `
import { Cache, Redis } from "../../pkg/dist/workerd.js";
import { load } from "./load.mjs";
export default {
  fetch: async (request) => (request.method === "POST" ? Response.json(await load({ Cache, Redis }, await request.json())) : new Response()),
};
`;
const workerd = await startWorkerd(PROGRAM, import.meta.dirname);

/** @type {(string | number)[][]} */
const rows = [];
after(async () => {
  proxy.close();
  await workerd.stop();
  await gateway.stop();
  await redis.stop();
  console.log(["runtime", "Redis", "callers", "without a value", "requests while it failed", "added p50 ms", "p99", "most", "hits again after ms"].join(" | "));
  for (const row of rows) console.log(row.join(" | "));
});

/** @type {Record<string, (how: {at: {url: string, token: string}, name: string, timeoutMs: number, ms: number}) => ReturnType<typeof load>>} */
const RUNTIMES = {
  Node: (how) => load(edge, how),
  workerd: async (how) => /** @type {any} */ (await (await fetch(workerd.url, { method: "POST", body: JSON.stringify(how) })).json()),
};

/** What befalls Redis, and how that ends. @type {Record<string, [() => unknown, () => unknown]>} */
const FAULTS = {
  killed: [
    async () => {
      process.kill(redis.pid, "SIGKILL");
      await redis.exited;
    },
    async () => {
      redis = await startRedis({ port: redis.port });
    },
  ],
  frozen: [() => process.kill(redis.pid, "SIGSTOP"), () => process.kill(redis.pid, "SIGCONT")],
  slow: [() => (proxy.delayMs = 500), () => (proxy.delayMs = 0)],
};

for (const [runtime, run] of Object.entries(RUNTIMES)) {
  for (const [fault, [begins, ends]] of Object.entries(FAULTS)) {
    test(`${fault}, in ${runtime}: every caller has a value, Redis is left alone, hits resume`, async () => {
      const how = { at: { url: proxy.url, token }, name: `${runtime} ${fault}`, timeoutMs: TIMEOUT_MS };
      // The scripts are learnt and the values stored.
      for (let hits = false; !hits; ) {
        const { callers, hits: served } = await run({ ...how, ms: 200 });
        hits = callers === served;
      }
      const loaded = run({ ...how, ms: LOAD_MS });
      await sleep(BEFORE_MS);
      const before = proxy.requests;
      await begins();
      const { callers, hits, withoutValue, added } = await loaded;
      const requests = proxy.requests - before;
      await ends();
      const [back, restored] = [Date.now(), await resumed(run, how)];
      added.sort((a, b) => a - b);
      const quantile = (/** @type {number} */ share) => added[Math.floor((added.length - 1) * share)] ?? NaN;
      const figures = [quantile(0.5), quantile(0.99), quantile(1)].map(Math.round);
      rows.push([runtime, fault, callers, withoutValue, requests, ...figures, restored - back]);
      assert.equal(withoutValue, 0);
      assert.ok(hits > 0 && hits < callers, "it was there, and was gone");
      // One request a tick until the third failure is known; then one a pause.
      const most = (FAILURES * TIMEOUT_MS) / TICK_MS + (LOAD_MS - BEFORE_MS) / PAUSE_MS + 2;
      assert.ok(requests <= most, `${requests} requests`);
      // A deadline, ten times what is promised; the figure is in the table.
      assert.ok(quantile(0.99) < 10 * TIMEOUT_MS, `${figures[1]} ms`);
    });
  }
}

/** When all callers are served from the cache again. @param {(how: any) => ReturnType<typeof load>} run @param {object} how */
async function resumed(run, how) {
  for (let tries = 0; tries < 100; tries++) {
    const { callers, hits } = await run({ ...how, ms: 100 });
    if (hits === callers) return Date.now();
  }
  throw new Error("hits did not resume");
}
