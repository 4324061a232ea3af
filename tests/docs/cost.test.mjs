// The calculator's commands are those that a Redis counts, ours and the peers'; its formulas are the page's.

import { cachified, totalTtl } from "@epic-web/cachified";
import { Ratelimit } from "@upstash/ratelimit";
import { Redis as Peer } from "@upstash/redis";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { Cache, RateLimiter, Redis, Sessions, slidingWindow } from "upstash-edge";
import { COMMANDS, PRICES, TRAFFIC, cost } from "../../docs/.vitepress/theme/cost.mjs";
import { startGateway, startRedis } from "../../scripts/stack.mjs";

const token = "token-of-the-tests";
const server = await startRedis();
const gateway = await startGateway({ redisUrl: server.url, token });
after(async () => {
  await gateway.stop();
  await server.stop();
});
const redis = new Redis({ url: gateway.url, token });
const peer = new Peer({ url: gateway.url, token, enableTelemetry: false });

/** Straight to Redis, for the gateway's commands are counted. @param {string} command @returns {Promise<string>} */
const direct = (command) =>
  new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(server.port, "127.0.0.1", () => socket.end(`${command}\r\n`));
    socket.on("data", (data) => (text += data));
    socket.once("end", () => resolve(text));
    socket.once("error", reject);
  });

/** What Redis has done for a call, the commands inside scripts too. @param {() => Promise<unknown>} call */
async function counted(call) {
  await direct("CONFIG RESETSTAT");
  await call();
  const stats = await direct("INFO commandstats");
  const own = ["config|resetstat", "info"];
  return [...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].reduce((sum, [, name = "", calls]) => sum + (own.includes(name) ? 0 : Number(calls)), 0);
}

test("ours", async () => {
  const limits = slidingWindow(2, "60s");
  const limiter = new RateLimiter(redis, { limits });
  const forgetful = new RateLimiter(redis, { name: "forgetful", limits, memory: false });
  const cache = new Cache(redis, { metrics: false });
  const sessions = new Sessions(redis, { secrets: "a secret of the tests that is 32 bytes long or more" });
  // The server learns a script by its first call, and a session's visit is noted by its first load.
  for (const one of [limiter, forgetful]) for (const id of ["ada", "ada", "ada", "grace"]) await one.check(id);
  await cache.getOrFetch("warm", async () => 1);
  const begun = await sessions.load("");
  begun.login("ada");
  const [cookie = ""] = await begun.save();
  const load = () => sessions.load(cookie.split(";")[0] ?? "");
  for (const value of [1, 2]) {
    const session = await load();
    session.set("a", value);
    await session.save();
  }
  const session = await load();
  session.set("a", 3);
  const ours = {
    allowed: await counted(() => limiter.check("grace")),
    refused: await counted(() => forgetful.check("ada")),
    remembered: await counted(() => limiter.check("ada")),
    hit: await counted(() => cache.getOrFetch("warm", async () => 1)),
    miss: await counted(() => cache.getOrFetch("cold", async () => 1)),
    load: await counted(load),
    save: await counted(() => session.save()),
  };
  assert.deepEqual(ours, COMMANDS.ours);
});

test("the peers'", async () => {
  const limiter = (/** @type {Map<string, number> | false} */ ephemeralCache) =>
    new Ratelimit({ redis: peer, limiter: Ratelimit.slidingWindow(2, "60 s"), prefix: `peer-${!!ephemeralCache}`, analytics: false, ephemeralCache });
  const [remembering, forgetful] = [limiter(new Map()), limiter(false)];
  for (const one of [remembering, forgetful]) for (const id of ["ada", "ada", "ada", "grace"]) await one.limit(id);
  // As cachified's own adapter for a Redis does it.
  const cache = {
    get: (/** @type {string} */ key) => peer.get(key),
    set: (/** @type {string} */ key, /** @type {any} */ entry) => peer.set(key, entry, { px: totalTtl(entry.metadata) }),
    delete: (/** @type {string} */ key) => peer.del(key),
  };
  const get = (/** @type {string} */ key) => cachified({ key, cache: /** @type {any} */ (cache), ttl: 60_000, getFreshValue: () => 1 });
  await get("peer-warm");
  const peers = {
    allowed: await counted(() => remembering.limit("grace")),
    refused: await counted(() => forgetful.limit("ada")),
    remembered: await counted(() => remembering.limit("ada")),
    hit: await counted(() => get("peer-warm")),
    miss: await counted(() => get("peer-cold")),
    load: await counted(() => peer.get("session")),
    save: await counted(() => peer.set("session", { a: 3 }, { ex: 60 })),
  };
  assert.deepEqual(peers, COMMANDS.peers);
});

test("a month's cost is what the page's formulas say", () => {
  const month = { ...TRAFFIC, requests: 1_000_000, refused: 10, remembered: 50, cached: 50, hits: 80, sessions: 20, saves: 10, storedGb: 3, kilobytes: 1_000 };
  // 900,000 are served, 50,000 refused anew; 450,000 ask the cache, 360,000 hit; 180,000 load and 90,000 save.
  const ours = cost(COMMANDS.ours, month, PRICES);
  assert.deepEqual([ours.limits, ours.cache, ours.sessions], [2_700_000 + 100_000, 720_000 + 720_000, 720_000 + 360_000]);
  assert.equal(ours.commands, 5_320_000);
  // 10.64 for the commands, 0.50 for two GB, 7.50 for 250 GB of 450.
  assert.ok(Math.abs(ours.dollars - 18.64) < 1e-9, `${ours.dollars}`);
});

test("the page's table is the calculator's", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/operations.md"), "utf8");
  const [, table = ""] = /## What a month costs[^]*?\n((?:\|.*\n)+)/.exec(page) ?? [];
  const rows = table.trim().split("\n").slice(2).map((row) => row.split("|").slice(2, 4).map(Number));
  const { ours, peers } = COMMANDS;
  const names = /** @type {(keyof typeof ours)[]} */ (Object.keys(ours));
  assert.deepEqual(rows, names.map((name) => [ours[name], peers[name]]));
});
