// `make bench-start`: from nothing to the first answer, compiling and instantiating included, beside importing the peers'
// two packages. Each time a new process; in turns, so that what else the machine does strikes all alike: read the ratios.

import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startWorkerd } from "../scripts/workerd.mjs";
import { bench } from "./lib/report.mjs";
import { inTurns, median, sized } from "./lib/rounds.mjs";

/** Answered on the spot: no network is measured. */
const ANSWERS = {
  ours: 'const fetch = async () => new Response("$1\\r\\nv\\r\\n", { headers: { "content-type": "application/octet-stream" } });',
  peers: 'globalThis.fetch = async () => Response.json([{ result: "dg==" }]);',
};

/** What asks for the first time. @type {Record<"nothing" | "ours" | "peers", (at: string, runtime: "inline" | "workerd") => string>} */
const PROGRAMS = {
  nothing: () => "const first = async () => {};",
  ours: (at, runtime) => `import { RateLimiter, Redis, slidingWindow } from "${at}/pkg/dist/limiter/${runtime}.js";
${ANSWERS.ours}
const first = async () => {
  const redis = new Redis({ url: "https://example.com", token: "t", fetch });
  new RateLimiter(redis, { limits: slidingWindow(10, "10s") });
  if ((await redis.get("k")) !== "v") throw new Error("no answer");
};`,
  peers: (_, runtime) => `import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis${runtime === "workerd" ? "/cloudflare" : ""}";
${ANSWERS.peers}
const first = async () => {
  const redis = new Redis({ url: "https://example.com", token: "t", enableTelemetry: false, automaticDeserialization: false });
  new Ratelimit({ redis, limiter: Ratelimit.slidingWindow(10, "10s") });
  if ((await redis.get("k")) !== "v") throw new Error("no answer");
};`,
};
const ROOT = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "upstash-edge-start-"));

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

await bench("from nothing to the first answer: compiled, instantiated, built and asked once", async (report) => {
  const rows = [];
  try {
    for (const [name, measure] of Object.entries({ Node: inNode, workerd: inWorkerd })) {
      const way = (/** @type {keyof typeof PROGRAMS} */ way) => async () => ({ ms: await measure(way) });
      const found = await inTurns({ nothing: way("nothing"), ours: way("ours"), peers: way("peers") }, sized(41, 15), 1);
      const of = (/** @type {keyof typeof PROGRAMS} */ way) => found[way].map(({ ms }) => ms);
      rows.push([name, median(of("nothing")), median(of("ours")), median(of("peers"))]);
      report.compare(`ms to the first answer in ${name}`, of("ours"), of("peers"), { less: true });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  report.table("Milliseconds, a new process each time; with the client and the rate limiter", ["", "nothing", "ours", "the peers"], rows);
});
