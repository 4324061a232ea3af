// What was measured of the limiter most people use, run on it and on ours: the same calls by the same clock, which is set
// by hand, over one gateway and one Redis each. Limit 10 in 10 s, everything else as it comes.

import { Ratelimit } from "@upstash/ratelimit";
import { Redis as PeerRedis } from "@upstash/redis";
import { execFileSync } from "node:child_process";
import { stopAll } from "../scripts/processes.mjs";
import { startGateway, startRedis } from "../scripts/stack.mjs";

// Built before the bench runs.
const path = "../pkg/dist/inline.js";
/** @type {typeof import("../pkg/index.js")} */
const { RateLimiter, Redis, slidingWindow } = await import(path);

const TOKEN = "token-of-the-bench";
const START = 1_800_000_000_000;
let now = START;
Date.now = () => now;

/** @typedef {{allowed: boolean, resetAt: number}} Answer */
/** @typedef {{check: (id: string, cost?: number) => Promise<Answer>, cli: (...args: string[]) => string}} Side */

/** @param {(url: string) => (id: string, cost?: number) => Promise<Answer>} make @returns {Promise<Side>} */
async function side(make) {
  const redis = await startRedis();
  const gateway = await startGateway({ redisUrl: redis.url, token: TOKEN });
  const port = new URL(redis.url).port;
  return { check: make(gateway.url), cli: (...args) => execFileSync("redis-cli", ["-p", port, ...args], { encoding: "utf8" }) };
}

const ours = await side((url) => {
  const limiter = new RateLimiter(new Redis({ url, token: TOKEN }), { limits: slidingWindow(10, "10s"), timeout: "60s", analytics: true });
  return (id, cost = 1) => limiter.check(id, { cost });
});
const peer = await side((url) => {
  const redis = new PeerRedis({ url, token: TOKEN, enableTelemetry: false });
  const limiter = new Ratelimit({ redis, limiter: Ratelimit.slidingWindow(10, "10 s"), analytics: true });
  return async (id, cost = 1) => {
    const { success, reset, pending } = await limiter.limit(id, { rate: cost });
    await pending;
    return { allowed: success, resetAt: reset };
  };
});

/** How many of so many checks pass at this moment. @param {Side} side @param {string} id @param {number} checks */
async function burst({ check }, id, checks) {
  let allowed = 0;
  for (let n = 0; n < checks; n++) allowed += Number((await check(id)).allowed);
  return allowed;
}

/** One command's calls, inside scripts too. @param {string} stats */
const commands = (stats) => [...stats.matchAll(/^cmdstat_(?!config|info|script)\S+:calls=(\d+)/gm)].reduce((sum, [, calls]) => sum + Number(calls), 0);

/** @type {Record<string, (side: Side) => Promise<string | number>>} */
const SCENARIOS = {
  "admitted within 9.02 s (10)": async (side) => {
    now = START + 9_990;
    const before = await burst(side, "window", 10);
    now += 9_020;
    return before + (await burst(side, "window", 10));
  },
  "admitted of 20, 15 s after a burst of 10 (10)": async (side) => {
    now = START + 100_000;
    await burst(side, "burst", 10);
    now += 15_000;
    return burst(side, "burst", 20);
  },
  "admitted in 100 s to a client that asks every 0.2 s (100)": async (side) => {
    let allowed = 0;
    for (now = START + 200_000; now < START + 300_000; now += 200) allowed += Number((await side.check("poll")).allowed);
    return allowed;
  },
  "admitted at the moment named as reset (1 or more)": async (side) => {
    now = START + 400_000;
    await burst(side, "reset", 10);
    now = (await side.check("reset")).resetAt;
    return burst(side, "reset", 1);
  },
  "places that a refused check of cost 8 takes, of 3 left (0)": async (side) => {
    now = START + 500_000;
    await burst(side, "cost", 7);
    await side.check("cost", 8);
    return 3 - (await burst(side, "cost", 3));
  },
  "commands of 1,000 allowed checks, billed": async (side) => {
    now = START + 600_000;
    side.cli("CONFIG", "RESETSTAT");
    for (let n = 0; n < 1_000; n++) await side.check(`allowed-${n % 100}`);
    return commands(side.cli("INFO", "commandstats"));
  },
  "commands of 1,000 refused checks, billed": async (side) => {
    now = START + 700_000;
    await burst(side, "refused", 10);
    side.cli("CONFIG", "RESETSTAT");
    await burst(side, "refused", 1_000);
    return commands(side.cli("INFO", "commandstats"));
  },
  "keys that never expire (0)": async (side) => {
    const keys = side.cli("KEYS", "*").split("\n").filter(Boolean);
    return keys.filter((key) => side.cli("TTL", key).trim() === "-1").length;
  },
};

try {
  console.log("scenario | ours | @upstash/ratelimit");
  for (const [name, run] of Object.entries(SCENARIOS)) console.log(`${name} | ${await run(ours)} | ${await run(peer)}`);
} finally {
  await stopAll();
}
