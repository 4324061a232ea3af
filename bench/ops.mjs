// `make bench-ops`: what a call costs beside bare fetch of the same bytes, and beside the peer, in workerd and in Node.
// All of one run, in turns, so that what else the machine does strikes all alike: read the ratios.

import { Redis as Peer } from "@upstash/redis";
import { randomBytes } from "node:crypto";
import { stopAll } from "../scripts/processes.mjs";
import { startGateway, startRedis } from "../scripts/stack.mjs";
import { captured, fill, GETS, run } from "./ops/ways.mjs";
import { cpuOf, startMeasured } from "./ops/workerd.mjs";

// Built before this is run.
const path = "../pkg/dist/inline.js";
/** @type {{Redis: import("./ops/ways.mjs").Client}} */
const { Redis } = await import(path);

/** @typedef {import("./ops/ways.mjs").Way} Way */
/** @typedef {import("./ops/ways.mjs").Shape} Shape */
/** @typedef {import("./ops/ways.mjs").Work} Work */
/** @typedef {{time: number, cpu: number}} Cost microseconds a get */

const ROUNDS = 25;
/** @type {Way[]} */
const WAYS = ["bare", "ours", "peer"];

/** @type {{name: string, shape: Shape, lanes: number, times: number}[]} */
const CASES = [
  { name: "one get after another", shape: "one", lanes: 1, times: 300 },
  { name: "32 callers, one get each at a time", shape: "one", lanes: 32, times: 20 },
  { name: "100 gets of one tick", shape: "many", lanes: 1, times: 30 },
];

/** @param {number[]} numbers */
function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

/**
 * @typedef {object} Runtime
 * @property {string} name
 * @property {(work: Work) => Promise<unknown>} work
 * @property {() => number} cpu microseconds so far
 */

/**
 * @param {Runtime} runtime @param {import("./ops/ways.mjs").Server} server @param {typeof CASES[number]} one
 * @returns {Promise<Record<Way, Cost[]>>} a cost a round
 */
async function measured(runtime, server, { shape, lanes, times }) {
  /** @type {Record<Way, Cost[]>} */
  const costs = { bare: [], ours: [], peer: [] };
  // The first rounds are for the compilers.
  for (let round = -5; round < ROUNDS; round++) {
    for (let turn = 0; turn < WAYS.length; turn++) {
      const way = /** @type {Way} */ (WAYS[(turn + round + 6) % WAYS.length]);
      const [time, cpu] = [performance.now(), runtime.cpu()];
      await Promise.all(Array.from({ length: lanes }, () => runtime.work({ server, way, shape, times })));
      const gets = lanes * times * GETS[shape];
      if (round >= 0) costs[way].push({ time: ((performance.now() - time) * 1000) / gets, cpu: (runtime.cpu() - cpu) / gets });
    }
  }
  return costs;
}

/** The first row is the heading. @param {string[][]} rows */
function aligned(rows) {
  return rows.map((row) => row.map((cell, at) => (at ? cell.padStart(12) : `  ${cell.padEnd(12)}`)).join("")).join("\n");
}

/** @param {Record<Way, Cost[]>} costs */
function costTable(costs) {
  const rows = [["", "gets/s", "of bare", "CPU us", "of bare"]];
  for (const way of WAYS) {
    const ratio = (/** @type {keyof Cost} */ what) =>
      median(costs[way].map((cost, round) => (costs.bare[round]?.[what] ?? NaN) / cost[what])).toFixed(2);
    const middle = (/** @type {keyof Cost} */ what) => median(costs[way].map((cost) => cost[what]));
    rows.push([way, (1e6 / middle("time")).toFixed(0), ratio("time"), middle("cpu").toFixed(1), ratio("cpu")]);
  }
  return aligned(rows);
}

/** @param {Awaited<ReturnType<typeof import("./ops/count.mjs").counts>>} counts */
function countTable({ fetched, whole, own }) {
  const names = /** @type {(keyof typeof own)[]} */ (Object.keys(own));
  const row = (/** @type {string} */ title, /** @type {typeof own} */ one) => [title, ...names.map((name) => one[name].toFixed(0))];
  return aligned([["", ...names], row("bare", fetched), row("ours", whole), row("the client", own)]);
}

async function main() {
  const token = randomBytes(24).toString("hex");
  const redis = await startRedis();
  const gateway = await startGateway({ redisUrl: redis.url, token });
  const { url } = gateway;
  await fill({ url, token });
  const server = { url, token, asked: await captured(Redis, { url, token }) };

  const workerd = await startMeasured();
  /** @type {Runtime[]} */
  const runtimes = [
    {
      name: "workerd",
      cpu: () => cpuOf(workerd.pid),
      work: async (work) => {
        const answer = await fetch(workerd.url, { method: "POST", body: JSON.stringify(work) });
        if (!answer.ok) throw new Error(`the Worker failed: ${await answer.text()}\n${workerd.output()}`);
      },
    },
    {
      name: `Node ${process.versions.node}`,
      cpu: () => {
        const { user, system } = process.cpuUsage();
        return user + system;
      },
      work: (work) => run(work, { ours: Redis, peer: Peer }),
    },
  ];
  console.log(`Medians of ${ROUNDS} rounds in turns, a get; "of bare" is 1 when it costs no more than bare fetch.`);
  for (const runtime of runtimes) {
    for (const one of CASES) console.log(`\n${runtime.name}: ${one.name}\n${costTable(await measured(runtime, server, one))}`);
  }
  // Not sooner: it watches what the figures above are made of.
  const { counts } = await import("./ops/count.mjs");
  console.log("\nWhat one call takes, counted in Node");
  console.log(`\none get\n${countTable(await counts(server, "one"))}`);
  console.log(`\n${GETS.many} gets of one tick\n${countTable(await counts(server, "many"))}`);
}

main()
  .catch((error) => {
    console.error(`make bench-ops: ${error.message}`);
    process.exitCode = 1;
  })
  .finally(stopAll);
