// `make bench-large`: a page of 109 KB from Redis to the client of a Worker, in workerd: by `respond`, by bare fetch of the same
// bytes, and by the peer at its best (a string, as it came) and as it comes (parsed). All of one run, in turns, so that what
// else the machine does strikes all alike: read the ratios. QUICK=1 for fewer rounds.

import { randomBytes } from "node:crypto";
import { Agent, request } from "node:http";
import { stopAll } from "../scripts/processes.mjs";
import { startGateway, startRedis } from "../scripts/stack.mjs";
import { startWorkerd } from "../scripts/workerd.mjs";
import { cpuOf } from "./lib/rounds.mjs";

const ROUNDS = process.env.QUICK ? 7 : 25;
const LANES = 16;
const TIMES = process.env.QUICK ? 12 : 25;
/** @typedef {"ours" | "bare" | "string" | "parsed"} Way */
/** @type {Way[]} */
const WAYS = ["ours", "bare", "string", "parsed"];
/** @type {Record<Way, string>} */
const NAMES = { ours: "respond, a hit", bare: "bare fetch of the same bytes", string: "peer: a string, to a Response", parsed: "peer: parsed, to Response.json" };

/** Its path says how it answers. */
const WORKER = `
import { Redis as Peer } from "@upstash/redis/cloudflare";
import { Cache, Redis } from "../pkg/dist/workerd.js";

const never = () => { throw new Error("the handler was asked"); };
let ways;
function made({ url, token, key }) {
  let [sent, filled] = [undefined, false];
  const page = () => new Response(JSON.stringify(value(key)), { headers: { "cache-control": "max-age=3600", "content-type": "application/json" } });
  const listening = (input, init) => {
    sent = { input, init: { method: "POST", headers: { ...init.headers }, body: init.body } };
    return fetch(input, init);
  };
  const cache = new Cache(new Redis({ url, token, fetch: (...call) => (sent ? fetch : listening)(...call) }), { timeout: "10s", metrics: false });
  const options = { url, token, enableTelemetry: false };
  const string = new Peer({ ...options, automaticDeserialization: false });
  const parsed = new Peer(options);
  return {
    ours: (request) => cache.respond(request, filled ? never : page),
    filled: () => ((filled = true), new Response()),
    // What is sent once the scripts are known: bare fetch sends the same.
    listen: () => ((sent = undefined), new Response()),
    bare: async () => {
      const body = await (await fetch(sent.input, sent.init)).arrayBuffer();
      return new Response(body, { headers: { "content-type": "application/json" } });
    },
    set: async () => new Response(await string.set(key, JSON.stringify(value(key)))),
    string: async () => new Response(await string.get(key), { headers: { "content-type": "application/json" } }),
    parsed: async () => Response.json(await parsed.get(key)),
  };
}
/** 109 KB of what an API gives. */
const value = (key) => Array.from({ length: 1000 }, (_, id) => ({ id, name: "name " + id, key, tags: ["one", "two"], at: 1700000000000 + id, text: "some words " + id }));
export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/") return new Response();
    if (pathname === "/begin") return (ways = made(await request.json())), new Response();
    return ways[pathname.slice(1)](request);
  },
};
`;

const agent = new Agent({ keepAlive: true, maxSockets: LANES });

/** The size of the body. @param {string} url @param {string} [body] @returns {Promise<number>} */
function ask(url, body) {
  return new Promise((resolve, reject) => {
    const asking = request(url, { agent, method: body ? "POST" : "GET" }, (answer) => {
      let size = 0;
      answer.on("data", (chunk) => (size += chunk.length));
      answer.on("end", () => (answer.statusCode === 200 ? resolve(size) : reject(new Error(`the Worker answered ${answer.statusCode} to ${new URL(url).pathname}`))));
    });
    asking.on("error", reject).end(body);
  });
}

/** @param {number[]} numbers */
function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

async function main() {
  const token = randomBytes(24).toString("hex");
  const redis = await startRedis();
  const gateway = await startGateway({ redisUrl: redis.url, token });
  const workerd = await startWorkerd(WORKER, import.meta.dirname);
  const to = (/** @type {string} */ way) => `${workerd.url}/${way}`;
  await ask(to("begin"), JSON.stringify({ url: gateway.url, token, key: "bench:large" }));
  for (const way of ["ours", "filled", "ours", "listen", "ours", "set"]) await ask(to(way));

  /** @type {Record<Way, {time: number, cpu: number}[]>} */
  const costs = { ours: [], bare: [], string: [], parsed: [] };
  const sizes = new Set();
  // The first rounds are for the compilers.
  for (let round = -2; round < ROUNDS; round++) {
    for (let turn = 0; turn < WAYS.length; turn++) {
      const way = /** @type {Way} */ (WAYS[(turn + round + 4) % WAYS.length]);
      const [time, cpu] = [performance.now(), cpuOf(workerd.pid)];
      const lane = async () => {
        for (let n = 0; n < TIMES; n++) {
          const size = await ask(to(way));
          if (way !== "bare") sizes.add(size);
        }
      };
      await Promise.all(Array.from({ length: LANES }, lane));
      const answers = LANES * TIMES;
      if (round >= 0) costs[way].push({ time: ((performance.now() - time) * 1000) / answers, cpu: (cpuOf(workerd.pid) - cpu) / answers });
    }
  }
  if (sizes.size !== 1) throw new Error(`the answers are not alike: ${[...sizes].join(" and ")} bytes`);
  console.log(`workerd, ${LANES} clients, ${[...sizes][0]} bytes an answer; medians of ${ROUNDS} rounds in turns`);
  console.log(`  ${"".padEnd(34)}${"answers/s".padStart(10)}${"ours is".padStart(10)}${"CPU us".padStart(10)}${"ours is".padStart(10)}`);
  for (const way of WAYS) {
    const middle = (/** @type {"time" | "cpu"} */ what) => median(costs[way].map((cost) => cost[what]));
    const ratio = (/** @type {"time" | "cpu"} */ what) => median(costs[way].map((cost, round) => cost[what] / (costs.ours[round]?.[what] ?? NaN)));
    const cells = [(1e6 / middle("time")).toFixed(0), `${ratio("time").toFixed(2)} x`, middle("cpu").toFixed(0), `${ratio("cpu").toFixed(2)} x`];
    console.log(`  ${NAMES[way].padEnd(34)}${cells.map((cell) => cell.padStart(10)).join("")}`);
  }
}

main()
  .catch((error) => {
    console.error(`make bench-large: ${error.message}`);
    process.exitCode = 1;
  })
  .finally(() => {
    agent.destroy();
    return stopAll();
  });
