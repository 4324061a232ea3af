// `make run`: Redis, the gateway and the Worker, until Ctrl-C, SIGTERM, or until gateway or Worker ends.
// `make edge`: the Worker as the front of ORIGIN_URL, before the REST server that is named, else before a Redis and a
// gateway of its own.

import { randomBytes } from "node:crypto";
import { isStopping, run, stopAll } from "./processes.mjs";
import { freePort, startGateway, startRedis, startWorker } from "./stack.mjs";

const TARGET = process.argv[2] ?? "run";

/** @param {string} name @param {number} usual */
async function portFor(name, usual) {
  const port = Number(process.env[name] || usual);
  try {
    return await freePort(port);
  } catch (error) {
    throw new Error(`${/** @type {Error} */ (error).message}; choose another: make ${TARGET} ${name}=${port + 100}`);
  }
}

/** @param {string} command @param {string[]} args */
async function build(command, args) {
  if ((await run(command, args)).code !== 0) throw new Error(`failed: ${command} ${args.join(" ")}`);
}

/** Whole lines, each with the part's name before it. @param {string} name */
function show(name) {
  let rest = "";
  /** @param {string} text */
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim()) console.log(`${name.padEnd(7)} | ${line}`);
  };
}

/** What the front of an origin reads. */
const FRONT = [
  "ORIGIN_URL", "ORIGIN_TIMEOUT", "RATE_LIMIT", "RATE_LIMIT_BY", "RATE_LIMIT_ON_FAILURE", "ADDRESS_HEADER", "CACHE_TTL", "RULES",
  "SESSION_SECRETS", "SESSION_ON_FAILURE", "LOG", "DEMO", "ADMIN_TOKEN",
];
const SERVER = ["UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"];

/** Those of the environment's variables that are set. @param {string[]} names */
function variables(names) {
  const set = names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []));
  return /** @type {Record<string, string>} */ (Object.fromEntries(set));
}

/** @typedef {Record<string, import("./stack.mjs").Part>} Parts by what they are called */

/** A Redis and a gateway of its own; what the Worker is told of them. @param {number} port */
async function servers(port) {
  const token = randomBytes(24).toString("hex");
  const redis = await startRedis();
  const readOnlyToken = randomBytes(24).toString("hex");
  const gateway = await startGateway({ redisUrl: redis.url, token, readOnlyToken, port, onOutput: show("gateway") });
  // Without Redis the rest goes on by its failure policies, which is worth seeing.
  redis.exited.then((code) => {
    if (isStopping()) return;
    console.log(`Redis has ended (code ${code}); the Worker goes on without it. To bring it back:`);
    console.log(`  redis-server --bind 127.0.0.1 --port ${redis.port} --save '' --appendonly no`);
  });
  const vars = { UPSTASH_REDIS_REST_URL: gateway.url, UPSTASH_REDIS_REST_TOKEN: token };
  return { vars, parts: /** @type {Parts} */ ({ "The gateway": gateway }), told: `Redis ${redis.url} · gateway ${gateway.url} · ` };
}

/** The front tells what is wrong with its variables. @param {import("./stack.mjs").Part} worker */
async function configured({ url }) {
  const answer = await fetch(`${url}/api/health`);
  const { error } = await answer.json();
  if (error?.code === "invalid_config") throw new Error(error.message);
}

async function main() {
  // First of all: nobody should wait for a build to hear it.
  const port = await portFor("PORT", 8787);
  const named = variables(SERVER);
  const adminToken = process.env.ADMIN_TOKEN || randomBytes(12).toString("hex");
  const front = TARGET === "edge" ? variables(FRONT) : { SESSION_SECRETS: randomBytes(32).toString("hex"), DEMO: "1", ADMIN_TOKEN: adminToken };
  if (TARGET === "edge" && !front.ORIGIN_URL) throw new Error("ORIGIN_URL is not set: make edge ORIGIN_URL=http://127.0.0.1:3000");
  const given = TARGET === "edge" ? Object.keys(named).length : 0;
  if (given === 1) throw new Error(`${SERVER.join(" and ")} are set together or not at all`);
  const gatewayPort = given ? 0 : await portFor("GATEWAY_PORT", 8079);

  if (!given) await build("cargo", ["build", "--release", "-p", "upstash-gateway"]);
  await build("scripts/build-worker.sh", []);

  const { vars, parts, told } = given ? { vars: named, parts: /** @type {Parts} */ ({}), told: "" } : await servers(gatewayPort);
  const worker = await startWorker({ vars: { ...vars, ...front }, port, onOutput: show("worker") });
  if (TARGET === "edge") await configured(worker);
  console.log(`\n${told}Ctrl-C ends all of it`);
  console.log(`The Worker: ${worker.url}`);
  // Made up for this run alone: its owner has to read it somewhere.
  if (TARGET === "run") console.log(`The console: ${worker.url}/api/console/ · ADMIN_TOKEN ${process.env.ADMIN_TOKEN ? "as you set it" : adminToken}`);

  const all = Object.entries({ ...parts, "The Worker": worker });
  const first = await Promise.race(all.map(([name, { exited }]) => exited.then((code) => ({ name, code }))));
  throw new Error(`${first.name} has ended (code ${first.code}), so everything ends.`);
}

main().catch(async (error) => {
  if (isStopping()) return;
  await stopAll();
  console.error(`make ${TARGET}: ${error.message}`);
  process.exit(1);
});
