// SECURITY.md: no promise without a test, and no test that is not there.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = join(import.meta.dirname, "../..");
const promises = readFileSync(join(ROOT, "SECURITY.md"), "utf8")
  .split("\n## ")
  .find((section) => section.startsWith("What we promise"))
  ?.split("\n")
  .filter((line) => /^\| [^-]/.test(line) && !line.startsWith("| attack |"))
  .map((line) => line.split("|").map((cell) => cell.trim()));

/** The names of a file's tests. @param {string} path */
function names(path) {
  const pattern = path.endsWith(".rs") ? /^ *(?:async )?fn (\w+)\(/gm : /^test\("(.*?)",/gm;
  return [...readFileSync(join(ROOT, path), "utf8").matchAll(pattern)].map(([, name = ""]) => name);
}

test("each promise names tests, and each of them exists", () => {
  assert.ok(promises && promises.length > 20, "no table of promises");
  for (const [, attack, , proof = ""] of promises) {
    const cited = proof.split("; ").map((part) => /^`([^`]+)` (.+)$/.exec(part));
    for (const match of cited) {
      assert.ok(match, `${attack}: ${proof}`);
      const [, path = "", said = ""] = match;
      const known = names(path);
      // A name may hold a comma: every piece of what was said begins one, or goes on with the last.
      let rest = said;
      while (rest) {
        const next = known.find((name) => rest === name || rest.startsWith(`${name}, `)) ?? known.find((name) => name.startsWith(rest.split(", ")[0] ?? ""));
        assert.ok(next, `${path} has no test \`${rest}\``);
        rest = rest.startsWith(`${next}`) ? rest.slice(next.length + 2) : rest.split(", ").slice(1).join(", ");
      }
    }
  }
});
