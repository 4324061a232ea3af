// What each entry adds to a Worker can only grow by raising its bound here; and what is dear stays out of the module.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bundled, entry, functions, zipped } from "../../scripts/size.mjs";

/** Bytes, gzip -9, JavaScript and wasm together, with std built for size. */
const BOUNDS = { "": 111_000, limiter: 59_000, cache: 74_000, sessions: 59_500 };

const MODULE = join(import.meta.dirname, "../../target/wasm-release/modules/js/named.wasm");

for (const [name, bound] of Object.entries(BOUNDS)) {
  test(`upstash-edge/${name} adds at most ${bound} bytes`, async () => {
    const { js, wasm } = await entry(name);
    assert.ok(js > 5_000 && wasm > 10_000, "something was measured");
    assert.ok(js + wasm <= bound, `${js} of JavaScript and ${wasm} of wasm are ${js + wasm}`);
  });
}

test("who does not import Migration has nothing of it, and who does at most 3000 bytes", async () => {
  const file = join(import.meta.dirname, "../../pkg/dist/workerd.js");
  const has = (/** @type {Uint8Array} */ js) => Buffer.from(js).includes("ENABLE_REDIS_CACHE");
  const [without, beside] = [await bundled([file], "{ Redis }"), await bundled([file], "{ Migration, Redis }")];
  assert.deepEqual([has(without), has(beside)], [false, true]);
  assert.ok(zipped(beside) - zipped(without) <= 3_000);
});

test("no JSON parser, no float formatting and no panic texts are in the module", () => {
  const names = functions(readFileSync(MODULE)).map(([name]) => name);
  assert.ok(names.some((name) => name.includes("upstash_edge")), "functions have their names");
  // At a name's end stands the crate that wanted a generic function of another's.
  assert.deepEqual(names.filter((name) => /serde_json(?!_canonicalizer)(?!$)|flt2dec|grisu|dragon|float_to_/.test(name)), []);
});
