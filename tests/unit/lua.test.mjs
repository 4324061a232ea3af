// What of a script is sent: as the crate has it, so that a server holds one script for both.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bare } from "../../scripts/lua.mjs";

/** What is written, and what is sent. @type {[string, string][]} */
const VECTORS = JSON.parse(readFileSync(join(import.meta.dirname, "../vectors/lua.json"), "utf8"));

test("comments and what separates nothing stay at home", () => {
  for (const [source, text] of VECTORS) assert.equal(bare(source), text);
});
