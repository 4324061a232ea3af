// How long a check's script runs inside Redis, and how many bytes its keys have: the same traffic for both, in turns.

import { startRedis } from "../../scripts/stack.mjs";
import { client } from "../lib/redis.mjs";
import { ascending, inTurns, median, quantile, sized } from "../lib/rounds.mjs";
import { ours, peers, WINDOW_MS } from "./calls.mjs";

/** @typedef {import("./calls.mjs").Call} Call */

const CHECKS = sized(2_000, 500);
const START = 1_700_000_000_000;

/** @param {import("../lib/report.mjs").Report} report */
export async function scripts(report) {
  const redis = await startRedis();
  const { send, end } = client(redis.port);
  await send("CONFIG", "SET", "slowlog-log-slower-than", "0", "slowlog-max-len", `${2 * CHECKS}`);

  /** Microseconds of each call, sorted. @param {Call[]} calls */
  async function timed(calls) {
    const known = new Map();
    for (const { script } of calls) if (!known.has(script)) known.set(script, await send("SCRIPT", "LOAD", script));
    await send("SLOWLOG", "RESET");
    for (let at = 0; at < calls.length; at += 100) {
      const some = calls.slice(at, at + 100);
      await Promise.all(some.map(({ script, keys, args }) => send("EVALSHA", known.get(script), keys.length, ...keys, ...args)));
    }
    const log = await send("SLOWLOG", "GET", 2 * CHECKS);
    return ascending(log.filter((/** @type {any} */ entry) => entry[3][0] === "EVALSHA").map((/** @type {any} */ entry) => entry[2]));
  }
  const told = (/** @type {number[]} */ sorted) => ({ p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), mean: sorted.reduce((sum, one) => sum + one, 0) / sorted.length });
  const bytesOf = async () => (await Promise.all((await send("KEYS", "*")).map((/** @type {string} */ key) => send("MEMORY", "USAGE", key)))).reduce((sum, one) => sum + one, 0);

  const rows = [];
  const points = [];
  for (const algorithm of /** @type {const} */ (["sliding window", "fixed window", "token bucket"])) {
    for (const limit of [10, 100, 1_000, 100_000]) {
      // The window is full when it begins, and traffic goes on at 1.4 times what may pass.
      const filling = Array.from({ length: sized(1_000, 200) }, (_, i) => ours(algorithm, limit, START + i * sized(60, 300), Math.ceil(limit / sized(1_000, 200))));
      const moments = Array.from({ length: CHECKS }, (_, i) => START + 60_000 + Math.floor((i * WINDOW_MS * 0.7) / limit));
      const theirs = await peers(algorithm, limit, moments);
      const bytes = { ours: 0, peer: 0 };
      const found = await inTurns(
        {
          ours: async () => {
            await send("FLUSHDB");
            await timed(filling);
            const times = told(await timed(moments.map((now) => ours(algorithm, limit, now))));
            bytes.ours = await bytesOf();
            return times;
          },
          peer: async () => {
            await send("FLUSHDB");
            const times = told(await timed(theirs));
            bytes.peer = await bytesOf();
            return times;
          },
        },
        sized(9, 5),
        1,
      );
      const of = (/** @type {"ours" | "peer"} */ side, /** @type {"p50" | "p99" | "mean"} */ what) => found[side].map((round) => round[what]);
      rows.push([`${algorithm}, ${limit.toLocaleString("en")}`, ...["ours", "peer"].flatMap((side) => ["p50", "p99", "mean"].map((what) => median(of(/** @type {"ours"} */ (side), /** @type {"p50"} */ (what))))), bytes.ours, bytes.peer]);
      report.compare(`script us of a check, ${algorithm} of ${limit}`, of("ours", "mean"), of("peer", "mean"), { less: true });
      if (algorithm === "sliding window") for (const side of /** @type {const} */ (["ours", "peer"])) points.push({ limit, "us in Redis": median(of(side, "mean")), who: side });
    }
  }
  report.table("Microseconds a check's script runs inside Redis; bytes of memory its keys take", ["", "ours p50", "p99", "mean", "peer p50", "p99", "mean", "ours bytes", "peer bytes"], rows);
  report.plot({ title: "A check's script, sliding window", mark: "line", x: "limit", y: "us in Redis", by: "who", log: "x", points });
  end();
  await redis.stop();
}
