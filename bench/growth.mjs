// `make bench-growth`: the memory of an isolate and the cost of a check as identifiers grow to a million; how many HTTP
// requests it takes as callers grow to a thousand; how large a key is as limits grow to a million.

import { Redis as PeerRedis } from "@upstash/redis";
import { join } from "node:path";
import { startGateway, startRedis } from "../scripts/stack.mjs";
import { startWorkerd } from "../scripts/workerd.mjs";
import { browser } from "./lib/http.mjs";
import { client } from "./lib/redis.mjs";
import { bench } from "./lib/report.mjs";
import { memoryOf, sized } from "./lib/rounds.mjs";
import { ours as check, peers } from "./limiter/calls.mjs";

// Built before the bench runs.
const path = "../pkg/dist/inline.js";
/** @type {typeof import("../pkg/index.js")} */
const { Redis } = await import(path);

const TOKEN = "token-of-the-bench";
const SIDES = /** @type {const} */ (["ours", "peer"]);
const STEPS = sized([1_000, 10_000, 100_000, 1_000_000], [1_000, 10_000, 50_000]);
const MB = 2 ** 20;

/** @param {import("./lib/report.mjs").Report} report */
async function identifiers(report) {
  const rows = [];
  const points = [];
  /** @type {Record<string, {isolate: number, redis: number, us: number}>} */
  const last = {};
  for (const side of SIDES) {
    const redis = await startRedis();
    const gateway = await startGateway({ redisUrl: redis.url, token: TOKEN });
    const workerd = await startWorkerd('export { default } from "./worker.mjs";', join(import.meta.dirname, "growth"));
    const [ask, { send, end }] = [browser(1), client(redis.port)];
    const server = { url: gateway.url, token: TOKEN };
    const post = (/** @type {number} */ from, /** @type {number} */ to) => ask(workerd.url, {}, JSON.stringify({ side, server, from, to }));
    const used = async () => Number(/used_memory:(\d+)/.exec(await send("INFO", "memory"))?.[1]);
    // Compilers and connections are there; these identifiers are not counted.
    await post(-5_000, 0);
    const before = { isolate: memoryOf(workerd.pid), redis: await used() };
    let from = 0;
    for (const to of STEPS) {
      const began = performance.now();
      // In parts, for a request that lasts long is one that a runtime ends.
      for (let part = from; part < to; part += 10_000) await post(part, Math.min(to, part + 10_000));
      const us = ((performance.now() - began) * 1000) / (2 * (to - from));
      from = to;
      const held = { isolate: memoryOf(workerd.pid) - before.isolate, redis: (await used()) - before.redis, us };
      last[side] = held;
      rows.push([`${side}: ${to.toLocaleString("en")}`, (held.isolate / MB).toFixed(1), (held.redis / MB).toFixed(1), (held.redis / to).toFixed(0), held.us]);
      points.push({ identifiers: to, "MB of workerd": held.isolate / MB, who: side });
    }
    end();
    await Promise.all([workerd.stop(), gateway.stop()]);
    await redis.stop();
  }
  report.table("Identifiers, each checked twice and refused the second time; memory since the start", ["", "MB of workerd", "MB of Redis", "bytes of Redis each", "us a check"], rows);
  report.plot({ title: "Memory of an isolate that refused so many identifiers", mark: "line", x: "identifiers", y: "MB of workerd", by: "who", log: "x", points });
  const most = STEPS.at(-1);
  report.count(`MB an isolate grew by, ${most} identifiers`, (last.ours?.isolate ?? NaN) / MB, (last.peer?.isolate ?? NaN) / MB, { less: true });
  report.count(`bytes of Redis an identifier, ${most} identifiers`, (last.ours?.redis ?? NaN) / (most ?? NaN), (last.peer?.redis ?? NaN) / (most ?? NaN), { less: true });
  report.count(`us of a check, the last of ${most} identifiers`, last.ours?.us ?? NaN, last.peer?.us ?? NaN, { less: true });
}

/** Callers that each ask for one thing after another, as those of a server do. @param {import("./lib/report.mjs").Report} report */
async function callers(report) {
  const redis = await startRedis();
  const gateway = await startGateway({ redisUrl: redis.url, token: TOKEN });
  const requests = async () => (await (await fetch(`${gateway.url}/stats`)).json()).requests;
  /** @type {Record<typeof SIDES[number], {get(key: string): Promise<unknown>}>} */
  const clients = {
    ours: new Redis({ url: gateway.url, token: TOKEN, timeout: "60s" }),
    peer: new PeerRedis({ url: gateway.url, token: TOKEN, enableTelemetry: false }),
  };
  const rows = [];
  const points = [];
  for (const count of [1, 10, 100, 1_000]) {
    /** @type {Record<string, number>} */
    const posts = {};
    for (const side of SIDES) {
      await clients[side].get("k");
      const before = await requests();
      const caller = async (/** @type {number} */ n) => {
        for (let turn = 0; turn < 10; turn++) await clients[side].get(`k${n}`);
      };
      await Promise.all(Array.from({ length: count }, (_, n) => caller(n)));
      posts[side] = (await requests()) - before;
      points.push({ callers: count, "commands a request": (10 * count) / (posts[side] ?? NaN), who: side });
    }
    rows.push([count.toLocaleString("en"), `${10 * count}`, `${posts.ours}`, `${posts.peer}`]);
    report.count(`HTTP requests of ${10 * count} gets, ${count} callers`, posts.ours ?? NaN, posts.peer ?? NaN, { less: true });
  }
  report.table("Callers, 10 gets each, one after the other, in one Node", ["", "commands", "HTTP requests, ours", "peer"], rows);
  report.plot({ title: "Commands that travel together, by callers", mark: "line", x: "callers", y: "commands a request", by: "who", log: "xy", points });
  await gateway.stop();
  await redis.stop();
}

/** @param {import("./lib/report.mjs").Report} report */
async function limits(report) {
  const redis = await startRedis();
  const { send, end } = client(redis.port);
  const START = 1_700_000_000_000;
  /** @param {import("./limiter/calls.mjs").Call[]} calls */
  async function bytes(calls) {
    await send("FLUSHALL");
    for (const { script, keys, args } of calls) await send("EVAL", script, keys.length, ...keys, ...args);
    const all = await send("KEYS", "*");
    let sum = 0;
    for (const key of all) sum += await send("MEMORY", "USAGE", key);
    return sum;
  }
  const rows = [];
  for (const limit of [10, 100, 1_000, 10_000, 100_000, 1_000_000]) {
    // So many checks fill the limit evenly in the window; nothing is held for one that nobody asked.
    const checks = Math.min(limit, 1_000);
    const moments = Array.from({ length: checks }, (_, n) => START + Math.floor((n * 59_000) / checks));
    const [one, other] = [await bytes(moments.map((now) => check("sliding window", limit, now, limit / checks))), await bytes(await peers("sliding window", limit, moments, limit / checks))];
    rows.push([limit.toLocaleString("en"), `${one}`, `${other}`]);
    report.count(`bytes of a full sliding window of ${limit}`, one, other, { less: true });
  }
  report.table("Bytes of memory of one identifier's keys, its sliding window full", ["limit", "ours", "peer"], rows);
  end();
  await redis.stop();
}

await bench("identifiers, callers and limits that grow", async (report) => {
  await limits(report);
  await callers(report);
  await identifiers(report);
});
