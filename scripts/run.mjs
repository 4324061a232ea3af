// `make run`: Redis, the gateway and the Worker, until Ctrl-C, SIGTERM, or until gateway or Worker ends.

import { randomBytes } from "node:crypto";
import { isStopping, run, stopAll } from "./processes.mjs";
import { freePort, startGateway, startRedis, startWorker } from "./stack.mjs";

/** @param {string} name @param {number} usual */
async function portFor(name, usual) {
  const port = Number(process.env[name] || usual);
  try {
    return await freePort(port);
  } catch (error) {
    throw new Error(`${/** @type {Error} */ (error).message}; choose another: make run ${name}=${port + 100}`);
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

async function main() {
  // First of all: nobody should wait for a build to hear it.
  const port = await portFor("PORT", 8787);
  const gatewayPort = await portFor("GATEWAY_PORT", 8079);

  await build("cargo", ["build", "--release", "-p", "upstash-gateway"]);
  await build("scripts/build-worker.sh", []);

  const token = randomBytes(24).toString("hex");
  const redis = await startRedis();
  const gateway = await startGateway({
    redisUrl: redis.url,
    token,
    readOnlyToken: randomBytes(24).toString("hex"),
    port: gatewayPort,
    onOutput: show("gateway"),
  });
  const worker = await startWorker({
    vars: {
      UPSTASH_REDIS_REST_URL: gateway.url,
      UPSTASH_REDIS_REST_TOKEN: token,
      SESSION_SECRETS: randomBytes(32).toString("hex"),
      DEMO: "1",
    },
    port,
    onOutput: show("worker"),
  });
  console.log(`\nRedis ${redis.url} · gateway ${gateway.url} · Ctrl-C ends all of them`);
  console.log(`The Worker: ${worker.url}`);

  // Without Redis the rest goes on by its failure policies, which is worth seeing.
  redis.exited.then((code) => {
    if (isStopping()) return;
    console.log(`Redis has ended (code ${code}); the Worker goes on without it. To bring it back:`);
    console.log(`  redis-server --bind 127.0.0.1 --port ${redis.port} --save '' --appendonly no`);
  });
  const parts = Object.entries({ "The gateway": gateway, "The Worker": worker });
  const first = await Promise.race(parts.map(([name, { exited }]) => exited.then((code) => ({ name, code }))));
  throw new Error(`${first.name} has ended (code ${first.code}), so everything ends.`);
}

main().catch(async (error) => {
  if (isStopping()) return;
  await stopAll();
  console.error(`make run: ${error.message}`);
  process.exit(1);
});
