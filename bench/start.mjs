// `make bench-start`: from nothing to the first answer, compiling and instantiating included, beside importing the peers'
// two packages. Each time a new process; in turns, so that what else the machine does strikes all alike: read the ratios.

import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stopAll } from "../scripts/processes.mjs";
import { startWorkerd } from "../scripts/workerd.mjs";

const ROUNDS = process.env.QUICK ? 5 : 25;

/** Answered on the spot: no network is measured. */
const ANSWERS = {
  ours: 'const fetch = async () => new Response("$1\\r\\nv\\r\\n", { headers: { "content-type": "application/octet-stream" } });',
  peer: 'globalThis.fetch = async () => Response.json([{ result: "dg==" }]);',
};

/** What asks for the first time. @type {Record<"bare" | "ours" | "peer", (at: string, runtime: "inline" | "workerd") => string>} */
const PROGRAMS = {
  bare: () => "const first = async () => {};",
  ours: (at, runtime) => `import { RateLimiter, Redis, slidingWindow } from "${at}/pkg/dist/limiter/${runtime}.js";
${ANSWERS.ours}
const first = async () => {
  const redis = new Redis({ url: "https://example.com", token: "t", fetch });
  new RateLimiter(redis, { limits: slidingWindow(10, "10s") });
  if ((await redis.get("k")) !== "v") throw new Error("no answer");
};`,
  peer: (_, runtime) => `import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis${runtime === "workerd" ? "/cloudflare" : ""}";
${ANSWERS.peer}
const first = async () => {
  const redis = new Redis({ url: "https://example.com", token: "t", enableTelemetry: false, automaticDeserialization: false });
  new Ratelimit({ redis, limiter: Ratelimit.slidingWindow(10, "10s") });
  if ((await redis.get("k")) !== "v") throw new Error("no answer");
};`,
};
const WAYS = /** @type {(keyof typeof PROGRAMS)[]} */ (Object.keys(PROGRAMS));
const ROOT = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "upstash-edge-start-"));

/** @param {number[]} numbers */
const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? NaN;

/** Milliseconds of a new Node, within the process. @param {keyof typeof PROGRAMS} way */
async function inNode(way) {
  const file = join(folder, `${way}.mjs`);
  await build({
    stdin: { contents: `${PROGRAMS[way](ROOT, "inline")}\nawait first();\n`, resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "node",
    outfile: file,
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    logLevel: "error",
  });
  const timed = `const began = performance.now(); await import(${JSON.stringify(file)}); console.log(performance.now() - began);`;
  return Number(execFileSync("node", ["--input-type=module", "-e", timed], { encoding: "utf8" }));
}

/** Milliseconds from the start of a new workerd to its first answer. @param {keyof typeof PROGRAMS} way */
async function inWorkerd(way) {
  const program = `${PROGRAMS[way]("..", "workerd")}\nexport default { async fetch() { await first(); return new Response(); } };\n`;
  const { readyMs, stop } = await startWorkerd(program, import.meta.dirname, join(ROOT, "pkg/dist/limiter/core.wasm"));
  await stop();
  return readyMs;
}

async function main() {
  console.log(`Medians of ${ROUNDS} rounds, milliseconds; the client and the rate limiter, built and asked once.`);
  for (const [name, measure] of Object.entries({ Node: inNode, workerd: inWorkerd })) {
    /** @type {Record<string, number[]>} */
    const times = { bare: [], ours: [], peer: [] };
    for (let round = 0; round < ROUNDS; round++) for (let turn = 0; turn < WAYS.length; turn++) {
      const way = /** @type {keyof typeof PROGRAMS} */ (WAYS[(turn + round) % WAYS.length]);
      times[way]?.push(await measure(way));
    }
    const [bare, ours, peer] = WAYS.map((way) => median(times[way] ?? []));
    const own = (/** @type {number | undefined} */ ms) => (ms ?? NaN) - (bare ?? NaN);
    console.log(`${name.padEnd(8)} nothing ${bare?.toFixed(1)}   ours ${ours?.toFixed(1)}   the peers ${peer?.toFixed(1)}   ours of the peers', beyond nothing: ${(own(ours) / own(peer)).toFixed(2)}`);
  }
}

main()
  .catch((error) => {
    console.error(`make bench-start: ${error.message}`);
    process.exitCode = 1;
  })
  .finally(stopAll)
  .finally(() => rmSync(folder, { recursive: true, force: true }));
