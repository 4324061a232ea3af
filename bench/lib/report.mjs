// What a bench found: told on the way, told as lines at its end, and kept for `make bench` as target/bench/NAME.json.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { stopAll } from "../../scripts/processes.mjs";
import { median, QUICK, ratio, spread, swamped } from "./rounds.mjs";

export const ROOT = join(import.meta.dirname, "../..");
export const FOUND = join(ROOT, "target/bench");

/**
 * @typedef {{name: string, text: string, low?: number, high?: number, spread?: [number, number], less?: boolean, aim?: number, reached?: boolean}} Line
 * @typedef {{kind: "text", text: string}} Text
 * @typedef {{kind: "table", title: string, heads: string[], rows: string[][]}} Table
 * @typedef {{kind: "code", title: string, file: string, code: string}} Code
 * @typedef {Record<string, string | number>} Point
 * @typedef {{kind: "plot", title: string, mark: "line" | "bar", x: string, y: string, by: string, log?: string, points: Point[]}} Plot
 * @typedef {{name: string, title: string, quick: boolean, seconds: number, lines: Line[], parts: (Text | Table | Code | Plot)[]}} Found
 */

/** Three digits that count. @param {number} number */
export function shown(number) {
  if (!Number.isFinite(number)) return "-";
  const size = Math.abs(number);
  return number.toFixed(size >= 100 || Number.isInteger(number) ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

export class Report {
  /** @type {Line[]} */
  lines = [];
  /** @type {Found["parts"]} */
  parts = [];

  /** @param {string} text */
  text(text) {
    console.log(`\n${text}`);
    this.parts.push({ kind: "text", text });
  }

  /** @param {string} title @param {string[]} heads @param {(string | number)[][]} rows numbers are shown with three digits */
  table(title, heads, rows) {
    const cells = rows.map((row) => row.map((cell) => (typeof cell === "number" ? shown(cell) : cell)));
    const widths = heads.map((head, at) => Math.max(head.length, ...cells.map((row) => row[at]?.length ?? 0)));
    const line = (/** @type {string[]} */ row) => row.map((cell, at) => (at ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[0] ?? 0))).join("  ");
    console.log(`\n${title}\n  ${[heads, ...cells].map(line).join("\n  ")}`);
    this.parts.push({ kind: "table", title, heads, rows: cells });
  }

  /** @param {Omit<Plot, "kind">} plot log: the axes that grow by factors, `x`, `y` or `xy` */
  plot(plot) {
    this.parts.push({ kind: "plot", ...plot });
  }

  /** The very file that runs, below a heading. @param {string} title @param {string} file */
  code(title, file) {
    this.parts.push({ kind: "code", title, file: relative(ROOT, file), code: readFileSync(file, "utf8") });
  }

  /**
   * A line `name: ours X, peer Y, ratio R` of what was measured in the same rounds, the ratio being the median of theirs; or
   * why there is none.
   * @param {string} name @param {readonly number[]} ours @param {readonly number[]} theirs
   * @param {{less?: boolean, aim?: number}} [how] less: less is better; aim: what the ratio shall reach
   */
  compare(name, ours, theirs, { less, aim } = {}) {
    const found = ratio(ours, theirs);
    const { low, high } = found;
    const text = swamped(found)
      ? `not told: the spread swamps the difference, the ratio is between ${shown(low)} and ${shown(high)} in ${ours.length} rounds`
      : `ours ${shown(median(ours))}, peer ${shown(median(theirs))}, ratio ${found.ratio.toFixed(2)}`;
    const reached = aim === undefined || swamped(found) ? undefined : less ? found.ratio <= aim : found.ratio >= aim;
    this.lines.push({ name, text, low, high, spread: [spread(ours), spread(theirs)], less, aim, reached });
  }

  /** The same of what is counted and has no spread. @param {string} name @param {number} ours @param {number} theirs @param {{less?: boolean, aim?: number}} [how] */
  count(name, ours, theirs, { less, aim } = {}) {
    const found = ours === theirs ? 1 : ours / theirs;
    const reached = aim === undefined ? undefined : less ? found <= aim : found >= aim;
    this.lines.push({ name, text: `ours ${shown(ours)}, peer ${shown(theirs)}, ratio ${Number.isFinite(found) ? found.toFixed(2) : "-"}`, less, aim, reached });
  }
}

/**
 * Runs a bench, tells its lines and keeps what it found.
 * @param {string} title @param {(report: Report) => Promise<unknown>} run
 */
export async function bench(title, run) {
  const name = basename(process.argv[1] ?? "", ".mjs");
  const [report, began] = [new Report(), performance.now()];
  console.log(`bench-${name}: ${title}${QUICK ? " (QUICK)" : ""}`);
  try {
    await run(report);
    const seconds = (performance.now() - began) / 1000;
    /** @type {Found} */
    const found = { name, title, quick: QUICK, seconds, lines: report.lines, parts: report.parts };
    mkdirSync(FOUND, { recursive: true });
    writeFileSync(join(FOUND, `${name}.json`), JSON.stringify(found, null, 1));
    console.log(`\n${report.lines.map(({ name, text }) => `${name}: ${text}`).join("\n")}`);
  } catch (error) {
    console.error(`make bench-${name}: ${error instanceof Error ? error.stack : error}`);
    process.exitCode = 1;
  } finally {
    await stopAll();
    // Connections that are kept for later would hold it open.
    process.exit();
  }
}
