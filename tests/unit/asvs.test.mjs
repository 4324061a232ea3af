// The table of OWASP ASVS 5.0 in docs/sessions.md: all of its requirements, and tests that exist.

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = join(import.meta.dirname, "../..");
/** @param {string} pattern */
const texts = (pattern) => globSync(join(ROOT, pattern)).map((path) => readFileSync(path, "utf8")).join("\n");

/** How many requirements each section has: V7.1 to V7.6, and V3.3. @type {[string, number][]} */
const SECTIONS = [["7.1", 3], ["7.2", 4], ["7.3", 2], ["7.4", 5], ["7.5", 3], ["7.6", 2], ["3.3", 5]];
const RUST = /^ *(?:async )?fn (\w+)/gm;
const NODE = /^ *(?:test\()?"(.*)"(?:: async|, async)/gm;
/** The names of all tests, by what the table calls their place. @type {Record<string, string[]>} */
const TESTS = Object.fromEntries(
  /** @type {[string, string, RegExp][]} */ ([
    ["native", "tests/native/session/*.rs", RUST],
    ["unit", "src/session/*.rs", RUST],
    ["pkg", "tests/pkg/conformance.mjs", NODE],
    ["page", "tests/page/*.test.mjs", NODE],
    ["worker", "tests/worker/*.test.mjs", NODE],
  ]).map(([place, files, pattern]) => [place, [...texts(files).matchAll(pattern)].map(([, name = ""]) => name)]),
);

const docs = readFileSync(join(ROOT, "docs/sessions.md"), "utf8").split("\n");
const rows = docs
  .filter((line) => /^\| \d/.test(line))
  .map((line) => line.split("|").map((cell) => cell.trim()));

test("every requirement of V7 and V3.3 stands in the table", () => {
  const all = SECTIONS.flatMap(([section, count]) => Array.from({ length: count }, (_, n) => `${section}.${n + 1}`));
  assert.deepEqual(rows.map(([, requirement]) => requirement), all);
});

/** That there is just one such test. @param {string} place @param {string} name */
function lookUp(place, name) {
  const start = name.replace(/\.\.$/, "");
  const found = TESTS[place]?.filter((test) => (start === name ? test === name : test.startsWith(start)));
  assert.equal(found?.length, 1, `${place} \`${name}\``);
}

test("each is the application's, or is proved by tests that exist", () => {
  for (const [, requirement, , enforced = "", proof = ""] of rows) {
    const named = [...proof.matchAll(/(?:(\w+) )?`([^`]+)`/g)];
    if (!enforced.startsWith("yours")) assert.ok(named.length > 0, `${requirement} is proved by no test`);
    let place = "";
    for (const [, where, name = ""] of named) {
      place = where ?? place;
      lookUp(place, name);
    }
  }
});

test("what the text above the table names exists too", () => {
  const named = [...docs.join("\n").matchAll(/\b(native|unit|pkg|worker|page) `([^`/]+)`/g)].filter(([whole]) => !rows.some((row) => row.join().includes(whole)));
  assert.ok(named.length > 0);
  for (const [, place = "", name = ""] of named) lookUp(place, name);
});
