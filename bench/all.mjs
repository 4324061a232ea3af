// `make bench`: every bench, one after the other, then bench/RESULTS.md of what they found.

import { join } from "node:path";
import { run } from "../scripts/processes.mjs";
import { results } from "./lib/results.mjs";

const BENCHES = ["request", "ops", "large", "fanout", "limiter", "cache", "edge", "size", "start", "gateway", "growth"];

for (const name of BENCHES) {
  const { code } = await run("node", [join(import.meta.dirname, `${name}.mjs`)]);
  console.log();
  if (code !== 0) process.exit(code);
}
results(BENCHES);
console.log("bench/RESULTS.md is written");
