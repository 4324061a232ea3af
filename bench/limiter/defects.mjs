// What was measured of the limiter most people use, run on it and on ours: the same calls by the same clock.

import { burst, clock } from "./sides.mjs";

/** @typedef {import("./sides.mjs").Side} Side */

const START = 1_800_000_000_000;

/** One command's calls, inside scripts too. @param {Side} side */
const commands = async ({ send }) => [.../** @type {string} */ (await send("INFO", "commandstats")).matchAll(/^cmdstat_(?!config|info|script)\S+:calls=(\d+)/gm)].reduce((sum, [, calls]) => sum + Number(calls), 0);

/** What ought to be is in brackets. @type {Record<string, (side: Side) => Promise<number>>} */
const SCENARIOS = {
  "admitted within 9.02 s (10)": async (side) => {
    clock.now = START + 9_990;
    const before = await burst(side, "window", 10);
    clock.now += 9_020;
    return before + (await burst(side, "window", 10));
  },
  "admitted of 20, 15 s after a burst of 10 (10)": async (side) => {
    clock.now = START + 100_000;
    await burst(side, "burst", 10);
    clock.now += 15_000;
    return burst(side, "burst", 20);
  },
  "admitted in 100 s to a client that asks every 0.2 s (100)": async (side) => {
    let allowed = 0;
    for (clock.now = START + 200_000; clock.now < START + 300_000; clock.now += 200) allowed += Number((await side.check("poll")).allowed);
    return allowed;
  },
  "admitted at the moment named at a refusal (1)": async (side) => {
    clock.now = START + 400_000;
    await burst(side, "reset", 10);
    clock.now += (await side.check("reset")).wait;
    return burst(side, "reset", 1);
  },
  "places that a refused check of cost 8 takes, of 3 left (0)": async (side) => {
    clock.now = START + 500_000;
    await burst(side, "cost", 7);
    await side.check("cost", 8);
    return 3 - (await burst(side, "cost", 3));
  },
  "commands of 1,000 allowed checks, billed": async (side) => {
    clock.now = START + 600_000;
    await side.send("CONFIG", "RESETSTAT");
    for (let n = 0; n < 1_000; n++) await side.check(`allowed-${n % 100}`);
    return commands(side);
  },
  "commands of 1,000 refused checks, billed": async (side) => {
    clock.now = START + 700_000;
    await burst(side, "refused", 10);
    await side.send("CONFIG", "RESETSTAT");
    await burst(side, "refused", 1_000);
    return commands(side);
  },
  "keys that never expire (0)": async (side) => {
    const keys = await side.send("KEYS", "*");
    const left = await Promise.all(keys.map((/** @type {string} */ key) => side.send("TTL", key)));
    return left.filter((ttl) => ttl === -1).length;
  },
};

/** @param {import("../lib/report.mjs").Report} report @param {Record<"ours" | "peer", Side>} both */
export async function defects(report, both) {
  const rows = [];
  for (const [name, run] of Object.entries(SCENARIOS)) {
    const [ours, peer] = [await run(both.ours), await run(both.peer)];
    rows.push([name, `${ours}`, `${peer}`]);
    report.count(name, ours, peer);
  }
  report.table("Limit 10 in 10 s, everything else as it comes; in brackets what ought to be", ["", "ours", "peer"], rows);
}
