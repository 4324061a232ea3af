// The conformance list in every runtime, from the packed tarball; the README's table is what came of it.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { startRedis } from "../../scripts/stack.mjs";
import { report, servers } from "../pkg/packed.mjs";
import { RUNTIMES } from "./runtimes.mjs";
import { checked, row } from "./table.mjs";

const redis = await startRedis();
after(() => redis.stop());
const env = await servers(redis.url);

/** @type {{name: string, results: import("./start.mjs").Results}[]} */
const told = [];
// `RUNTIMES=Deno,Bun` runs those whose names begin so, and leaves the table.
const only = (process.env.RUNTIMES ?? "").split(",").filter(Boolean);
for (const { names, run } of RUNTIMES) {
  if (only.length > 0 && !names.some((name) => only.some((one) => name.startsWith(one)))) continue;
  const started = Date.now();
  const results = await run(env).catch((error) => names.map(() => [{ part: "", name: "it runs", problem: String(error?.stack ?? error) }]));
  for (const [at, name] of names.entries()) told.push({ name, results: results[at] ?? [] });
  console.log(`${names.join(", ")}: ${((Date.now() - started) / 1000).toFixed(1)} s`);
}
// Not sooner: what is to be gone after the tests goes when those that are known have run.
for (const { name, results } of told) describe(`in ${name}`, () => report(results));
if (only.length === 0) test("the README's table is what came of this run", () => assert.equal(...checked(told.map(row))));
