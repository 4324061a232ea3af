// The tables of docs/reliability.md, each between two marks, as a run found them.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const FILE = join(import.meta.dirname, "../../docs/reliability.md");
const END = "<!-- end -->";

/** What stands there and what should; with WRITE it is written. @param {string} mark @param {string} fresh @returns {[string, string]} */
export function written(mark, fresh) {
  const text = readFileSync(FILE, "utf8");
  const begin = `<!-- ${mark} -->\n`;
  const start = text.indexOf(begin) + begin.length;
  const end = text.indexOf(END, start);
  if (start < begin.length || end < 0) throw new Error(`docs/reliability.md has no mark of ${mark}`);
  if (process.env.WRITE) writeFileSync(FILE, text.slice(0, start) + fresh + text.slice(end));
  return [process.env.WRITE ? fresh : text.slice(start, end), fresh];
}
