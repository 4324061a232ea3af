// `make bench-limiter`: how long a check's script runs inside Redis, beside the peer's for the same traffic.
// Both run in turns on one Redis, so that what else the machine does strikes both alike: read the ratios.

import { Ratelimit } from "@upstash/ratelimit";
import { readFileSync } from "node:fs";
import { stopAll } from "../scripts/processes.mjs";
import { startRedis } from "../scripts/stack.mjs";
import { client } from "./lib/redis.mjs";
import { quantile } from "./lib/rounds.mjs";

const WINDOW_MS = 60_000;
const CHECKS = 3_000;
const ROUNDS = 5;
const SOURCE = readFileSync(new URL("../src/lua/limit.lua", import.meta.url), "utf8");

/** @typedef {{script: string, keys: string[], args: (string | number)[]}} Call */
/** @typedef {"sliding window" | "fixed window" | "token bucket"} Algorithm */

const KINDS = /** @type {const} */ ({ "sliding window": "s", "fixed window": "f" });

/**
 * What the crate sends for a check.
 * @param {Algorithm} algorithm @param {number} limit @param {number} now @returns {Call}
 */
function ours(algorithm, limit, now, cost = 1) {
  const kind = algorithm === "token bucket" ? limit : KINDS[algorithm];
  return { script: SOURCE, keys: ["{ratelimit:user-1}:default"], args: [now, cost, limit, WINDOW_MS, kind, WINDOW_MS + 5_000] };
}

/** The peer's calls, as its own code makes them. @param {Algorithm} algorithm @param {number} limit @param {number[]} moments */
async function peers(algorithm, limit, moments) {
  /** @type {Call[]} */
  const calls = [];
  const redis = {
    evalsha: () => Promise.reject(new Error("NOSCRIPT")),
    eval: (/** @type {string} */ script, /** @type {string[]} */ keys, /** @type {number[]} */ args) => {
      calls.push({ script: script.replace(/^#!.*\n/, ""), keys, args });
      return Promise.resolve([1, limit, limit]);
    },
  };
  const limiters = {
    "sliding window": () => Ratelimit.slidingWindow(limit, "60 s"),
    "fixed window": () => Ratelimit.fixedWindow(limit, "60 s"),
    "token bucket": () => Ratelimit.tokenBucket(limit, "60 s", limit),
  };
  const options = { redis, limiter: limiters[algorithm](), ephemeralCache: false, prefix: "ratelimit" };
  const limiter = new Ratelimit(/** @type {any} */ (options));
  const clock = Date.now;
  for (const now of moments) {
    Date.now = () => now;
    await limiter.limit("user-1").finally(() => (Date.now = clock));
  }
  return calls;
}

async function main() {
  const redis = await startRedis();
  const { send, end } = client(redis.port);
  await send("CONFIG", "SET", "slowlog-log-slower-than", "0", "slowlog-max-len", `${2 * CHECKS}`);

  /** Microseconds of each call. @param {Call[]} calls */
  async function timed(calls) {
    const known = new Map();
    for (const { script } of calls) if (!known.has(script)) known.set(script, await send("SCRIPT", "LOAD", script));
    await send("SLOWLOG", "RESET");
    for (let at = 0; at < calls.length; at += 100) {
      const some = calls.slice(at, at + 100);
      await Promise.all(some.map(({ script, keys, args }) => send("EVALSHA", known.get(script), keys.length, ...keys, ...args)));
    }
    const log = await send("SLOWLOG", "GET", 2 * CHECKS);
    return log.filter((/** @type {any} */ entry) => entry[3][0] === "EVALSHA").map((/** @type {any} */ entry) => entry[2]);
  }

  console.log("script time in Redis, microseconds\n");
  console.log(["algorithm", "limit", "ours p50", "p99", "mean", "peer p50", "p99", "mean", "ratio p50", "mean", "bytes a key"].join("\t"));
  for (const algorithm of /** @type {Algorithm[]} */ (["sliding window", "fixed window", "token bucket"])) {
    for (const limit of [10, 100, 1_000, 100_000]) {
      /** @type {Record<"ours" | "peer", number[]>} */
      const times = { ours: [], peer: [] };
      let bytes = 0;
      for (let round = 0; round < ROUNDS; round++) {
        await send("FLUSHDB");
        const start = 1_700_000_000_000;
        // The window is full when it begins, and traffic goes on at 1.4 times what may pass.
        const filling = Array.from({ length: 1_000 }, (_, i) => ours(algorithm, limit, start + i * 60, Math.ceil(limit / 1_000)));
        await timed(filling);
        const moments = Array.from({ length: CHECKS }, (_, i) => start + 60_000 + Math.floor((i * WINDOW_MS * 0.7) / limit));
        times.ours.push(...(await timed(moments.map((now) => ours(algorithm, limit, now)))));
        bytes = await send("STRLEN", "{ratelimit:user-1}:default");
        await send("FLUSHDB");
        times.peer.push(...(await timed(await peers(algorithm, limit, moments))));
      }
      const row = [];
      for (const all of [times.ours, times.peer]) {
        all.sort((a, b) => a - b);
        row.push(quantile(all, 0.5), quantile(all, 0.99), all.reduce((sum, one) => sum + one, 0) / all.length);
      }
      const [p50, , mean, peer50, , peerMean] = /** @type {number[]} */ (row);
      const shown = row.map((one) => `${Math.round(one * 10) / 10}`);
      console.log([algorithm, limit, ...shown, (p50 / peer50).toFixed(2), (mean / peerMean).toFixed(2), bytes].join("\t"));
    }
  }
  end();
}

await main().finally(stopAll);
