// Canonical JSON in JavaScript, held to the vectors that the crate is held to.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { canonical } from "../../pkg/src/canonical.js";

/** @type {{question: unknown, canonical: string, sha256: string}[]} */
const vectors = JSON.parse(readFileSync(join(import.meta.dirname, "../vectors/questions.json"), "utf8"));

test("a question is written, and so hashed, as in the crate", () => {
  assert.ok(vectors.length > 5);
  for (const vector of vectors) {
    const text = canonical(vector.question);
    assert.equal(text, vector.canonical);
    assert.equal(createHash("sha256").update(text).digest("base64url"), vector.sha256);
    assert.deepEqual(JSON.parse(text, (_, value) => (value === 0 ? 0 : value)), JSON.parse(JSON.stringify(vector.question)));
  }
});

test("what JSON writes by a method is that, and what is undefined is absent", () => {
  const shared = { a: 1 };
  const value = { when: new Date(0), own: { toJSON: () => [shared, shared] }, none: undefined, bare: Object.assign(Object.create(null), { b: 2 }) };
  assert.equal(canonical(value), '{"bare":{"b":2},"own":[{"a":1},{"a":1}],"when":"1970-01-01T00:00:00.000Z"}');
});

test("what is no JSON is refused, wherever it stands", () => {
  /** @type {any} */
  const cycle = {};
  cycle.cycle = [cycle];
  const endless = { toJSON: () => endless };
  const none = [undefined, NaN, Infinity, 1n, Symbol.iterator, () => {}, "\ud800", new Map(), new Set(), new Uint8Array(1), new Error(), Object(1n), /x/, cycle, endless];
  for (const value of none) {
    assert.throws(() => canonical(value));
    assert.throws(() => canonical([value]));
    if (value !== undefined) assert.throws(() => canonical({ value }));
  }
  assert.throws(() => canonical({ "\ud800": 1 }));
  assert.throws(() => canonical([, 1]));
});
