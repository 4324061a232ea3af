// The code blocks of the pages: which there are, and what each is made of before a compiler sees it.

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

/** @typedef {{page: string, line: number, language: string, shown: boolean, text: string}} Block */

export const PAGES = ["README.md", "pkg/README.md", ...globSync("docs/*.md", { cwd: ROOT }), ...globSync("{examples,templates}/*/README.md", { cwd: ROOT })].sort();

/** Every fenced block. `shown` in its first line says that it is for the eye alone. @returns {Block[]} */
export function blocks() {
  return PAGES.flatMap((page) => {
    const text = readFileSync(join(ROOT, page), "utf8");
    return [...text.matchAll(/^([ ]*)```(.*)\n([^]*?)^\1```$/gm)].map(([all, , info = "", block = ""]) => {
      const [language = "", ...rest] = info.trim().split(" ");
      const line = text.slice(0, text.indexOf(all)).split("\n").length;
      return { page, line, language, shown: rest.includes("shown"), text: block };
    });
  });
}

/** What the package exports as values, by name. */
const EXPORTED = new Set(
  [...readFileSync(join(ROOT, "pkg/index.d.ts"), "utf8").matchAll(/^export declare (?:class|function|const) (\w+)|^export \{ ([\w, ]+) \}/gm)].flatMap(
    ([, one, many = ""]) => (one ? [one] : many.split(", ")),
  ),
);

/**
 * The programs of a block of TypeScript or JavaScript, one before and one after a move, by file: with imports of what the page has taken for granted,
 * and as a function's body where they are no module.
 * @param {Block} block @returns {[file: string, text: string][]}
 */
export function programs({ page, line, text }) {
  const folder = page.replace(/\W/g, "_");
  // What says where it stands is found by the others of its page.
  const [, own] = /^\/\/ ([\w./-]+)\.\w+\b/.exec(text) ?? [];
  const parts = text.split(/^\/\/ (?:before|after)$/m).filter((part) => part.trim());
  return parts.map((part, at) => {
    const imported = new Set([...part.matchAll(/^import .*$/gm)].flatMap(([all]) => all.match(/\w+/g) ?? []));
    const missing = [...EXPORTED].filter((name) => !imported.has(name) && new RegExp(`(?<![.\\w])${name}(?:\\(|\\.[a-z])`).test(part));
    const imports = [...(missing.length ? [`import { ${missing.join(", ")} } from "upstash-edge";`] : []), ...(part.match(/^import .*$/gm) ?? [])];
    const rest = part.replace(/^import .*$/gm, "");
    const body = /^export /m.test(part) ? rest : `export async function block() {\n${rest}\n}`;
    return [`${folder}/${own ?? `${line}-${at}`}.ts`, `${imports.join("\n")}\n${body}\n`];
  });
}

/** @param {Block} block */
export const place = ({ page, line }) => `${page}:${line}`;
