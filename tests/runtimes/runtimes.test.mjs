// The conformance list in every runtime, from the packed tarball; the README's table is what came of it.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ownServers, report } from "../pkg/packed.mjs";
import { expected } from "./lacks.mjs";
import { RUNTIMES } from "./runtimes.mjs";
import { checked, row } from "./table.mjs";

// `RUNTIMES=Deno,Bun` runs those whose names begin so, and leaves the table.
const only = (process.env.RUNTIMES ?? "").split(",").filter(Boolean);
const wanted = RUNTIMES.filter(({ names }) => only.length === 0 || names.some((name) => only.some((one) => name.startsWith(one))));

/** @type {import("./start.mjs").Results[][]} */
const results = [];
const waiting = [...wanted.entries()];
async function lane() {
  const env = await ownServers();
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const [at, { names, run }] = next;
    const started = Date.now();
    results[at] = await run(env).catch((error) => names.map(() => [{ part: "", name: "it runs", problem: String(error?.stack ?? error) }]));
    console.log(`${names.join(", ")}: ${((Date.now() - started) / 1000).toFixed(1)} s`);
  }
}
// While one waits for Redis, others are built.
await Promise.all([lane(), lane(), lane()]);
const told = wanted.flatMap(({ names }, at) => names.map((name, index) => ({ name, results: expected(name, results[at]?.[index] ?? []) })));

// Not sooner: what is to be gone after the tests goes when those that are known have run.
for (const { name, results } of told) describe(`in ${name}`, () => report(results));
if (only.length === 0) test("the README's table is what came of this run", () => assert.equal(...checked(told.map(row))));
