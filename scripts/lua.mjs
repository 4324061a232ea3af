// The scripts of src/lua as the crate sends them (`bare` in src/script.rs): without comments and the blanks that separate
// nothing. For what of the package is JavaScript alone; both languages send one text, so a server holds one script.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const LOCK_LINE = "#!lua flags=allow-key-locking\n";

/** @param {string} source */
export function bare(source) {
  let text = "";
  for (const [token = ""] of source.matchAll(/'(?:\\[^]|[^'\\])*'|"(?:\\[^]|[^"\\])*"|--.*|[^]/g)) {
    if (token.startsWith("--")) continue;
    if (token === "\n" && /(^|\n)$/.test(text)) continue;
    // Whether a blank separates is known by what follows it.
    if (/ $/.test(text) && !separates(text.at(-2) ?? "\n", token)) text = text.slice(0, -1);
    if (token === " " && /[ \n]$|^$/.test(text)) continue;
    text += token;
  }
  return text.replace(/ $/, "");
}

/** Whether a blank between two characters is needed. @param {string} last @param {string} next */
function separates(last, next) {
  const pair = last + next[0];
  // `1..x` is a malformed number, `--` a comment, `[[` a text.
  return /^(\w\w|\d\.|\.\d|--|\[\[)$/.test(pair);
}

/** Each script that such a part of the package has, by the files that it is made of. @type {Record<string, string[]>} */
const SCRIPTS = {
  leaderboard_write: ["leaderboard_write"],
  leaderboard_remove: ["leaderboard_remove"],
  leaderboard_place: ["leaderboard_place"],
  queue_enqueue: ["queue", "queue_enqueue"],
  queue_take: ["queue", "queue_end", "queue_take"],
  queue_settle: ["queue", "queue_end", "queue_settle"],
  queue_schedule: ["queue", "queue_end", "queue_schedule"],
  queue_dead: ["queue", "queue_dead"],
  queue_counts: ["queue", "queue_counts"],
};

/** Writes them into a folder, a module each. @param {string} folder */
function write(folder) {
  mkdirSync(folder, { recursive: true });
  for (const [name, files] of Object.entries(SCRIPTS)) {
    const source = files.map((file) => readFileSync(join(import.meta.dirname, `../src/lua/${file}.lua`), "utf8")).join("");
    writeFileSync(join(folder, `${name}.js`), `export default ${JSON.stringify(LOCK_LINE + bare(source))};\n`);
  }
}

const [, program, folder] = process.argv;
if (program === import.meta.filename && folder) write(folder);
