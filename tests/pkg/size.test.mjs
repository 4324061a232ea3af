// What each entry adds to a Worker can only grow by raising its bound here; and what is dear stays out of the module.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { entry, functions, zipped } from "../../scripts/size.mjs";

/** What is JavaScript alone: a Worker that does not import it has nothing of it. @type {Record<string, number>} */
const APART = { Leaderboard: 1_950, Migration: 3_000 };

/** Bytes, gzip -9, JavaScript and wasm together, with std built for size. Without what stands apart. */
const BOUNDS = { "": 111_000, limiter: 59_000, cache: 74_000, sessions: 59_500 };

const MODULE = join(import.meta.dirname, "../../target/wasm-release/modules/js/named.wasm");

for (const [name, bound] of Object.entries(BOUNDS)) {
  test(`upstash-edge/${name} adds at most ${bound} bytes`, async () => {
    const { js, wasm } = await entry(name, Object.keys(APART));
    assert.ok(js > 5_000 && wasm > 10_000, "something was measured");
    assert.ok(js + wasm <= bound, `${js} of JavaScript and ${wasm} of wasm are ${js + wasm}`);
  });
}

for (const [name, bound] of Object.entries(APART)) {
  test(`${name} adds at most ${bound} bytes to the Worker that imports it, and none to another`, async () => {
    const others = Object.keys(APART).filter((one) => one !== name);
    const [bare, whole] = [await entry("", [name, ...others]), await entry("", others)];
    assert.ok(whole.js - bare.js > 500, "something was measured");
    assert.ok(whole.js - bare.js <= bound, `it adds ${whole.js - bare.js}`);
    assert.equal(whole.wasm, bare.wasm);
  });
}

test("upstash-edge/queue is at most 5600 bytes", () => {
  const size = zipped(readFileSync(join(import.meta.dirname, "../../pkg/dist/queue.js")));
  assert.ok(size > 2_000 && size <= 5_600, `it is ${size}`);
});

test("no JSON parser, no float formatting and no panic texts are in the module", () => {
  const names = functions(readFileSync(MODULE)).map(([name]) => name);
  assert.ok(names.some((name) => name.includes("upstash_edge")), "functions have their names");
  // At a name's end stands the crate that wanted a generic function of another's.
  assert.deepEqual(names.filter((name) => /serde_json(?!_canonicalizer)(?!$)|flt2dec|grisu|dragon|float_to_/.test(name)), []);
});
