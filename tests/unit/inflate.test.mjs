// What inflates where the runtime does not, held to what a runtime's streams write.

import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { inflate } from "../../pkg/src/inflate.js";

const MOST = 8 * 2 ** 20;
const noise = crypto.getRandomValues(new Uint8Array(50_000));
const text = new TextEncoder().encode("a long text, ".repeat(10_000));

test("what was deflated comes back, at every level", () => {
  for (const bytes of [new Uint8Array(), new Uint8Array([7]), noise, text, new Uint8Array(300_000)]) {
    for (const level of [0, 1, 6, 9]) assert.deepEqual(inflate(new Uint8Array(deflateSync(bytes, { level })), MOST), bytes);
  }
});

test("what is cut short, or none, throws", () => {
  const deflated = new Uint8Array(deflateSync(text));
  for (const length of [0, 1, 2, 10, deflated.length - 5]) assert.throws(() => inflate(deflated.subarray(0, length), MOST), `${length}`);
  assert.throws(() => inflate(noise, MOST));
});

test("what would be larger than allowed is given up before it is there", () => {
  const bomb = new Uint8Array(deflateSync(new Uint8Array(MOST + 1)));
  assert.ok(bomb.length < 20_000);
  assert.equal(inflate(bomb, MOST), undefined);
  assert.equal(inflate(bomb, MOST + 1)?.length, MOST + 1);
  assert.equal(inflate(new Uint8Array(deflateSync(text)), text.length - 1), undefined);
});
