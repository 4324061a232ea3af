// The README's table of runtimes and what the package can do in them, as a run of the conformance list found it.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lackOf } from "./lacks.mjs";

/** @typedef {{name: string, parts: Record<string, string>}} Row */

const PARTS = ["client", "limiter", "cache", "sessions", "edge", "subscriptions", "failures"];
/** What the package is made for too, and why no row tells of it. */
const NOT_RUN = { Safari: "it runs on Apple's systems alone", "Cloudflare, Vercel and Deno Deploy themselves": "the tests reach no network" };
const [BEGIN, END] = ["<!-- what the conformance list found: `make runtimes` writes this -->\n", "<!-- end -->"];
const FILES = ["README.md", "pkg/README.md"].map((name) => join(import.meta.dirname, "../..", name));

/** @param {{name: string, results: import("./start.mjs").Results}} told @returns {Row} */
export function row({ name, results }) {
  const lacking = lackOf(name).names;
  const parts = PARTS.map((part) => {
    const its = results.filter((one) => one.part === part);
    if (its.length === 0 || its.some(({ problem }) => problem !== undefined)) return [part, "no"];
    return [part, its.some(({ name }) => lacking.includes(name)) ? "in part" : "yes"];
  });
  return { name, parts: Object.fromEntries(parts) };
}

/** @param {Row[]} rows */
function table(rows) {
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(" | ")} |\n`;
  const head = line(["runtime", ...PARTS]) + line(["---", ...PARTS.map(() => "---")]);
  const ran = rows.map(({ name, parts }) => line([name, ...PARTS.map((part) => (parts[part] ?? "no"))]));
  const others = Object.entries(NOT_RUN).map(([name, why]) => line([name, `not run: ${why}`, ...PARTS.slice(1).map(() => "")]));
  const whys = rows.map(({ name }) => [lackOf(name).why, name]).filter(([why]) => why);
  const notes = [...new Set(whys.map(([why]) => why))].map((why) => `In part, ${whys.filter(([one]) => one === why).map(([, name]) => name).join("; ")}: ${why}.\n`);
  return `${head}${[...ran, ...others].join("")}\n${notes.join("\n")}`;
}

/**
 * The tables that are there and those that should be; with WRITE they are written.
 * @param {Row[]} rows @returns {[string, string]}
 */
export function checked(rows) {
  const fresh = table(rows);
  const before = FILES.map((file) => {
    const text = readFileSync(file, "utf8");
    const [start, end] = [text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)];
    if (process.env.WRITE) writeFileSync(file, text.slice(0, start) + fresh + text.slice(end));
    return process.env.WRITE ? fresh : text.slice(start, end);
  });
  return [before.join("\n"), before.map(() => fresh).join("\n")];
}
