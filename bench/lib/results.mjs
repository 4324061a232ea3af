// What the benches found, as bench/RESULTS.md and the plots beside it.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { svg } from "./plot.mjs";
import { FOUND, ROOT } from "./report.mjs";

/** @typedef {import("./report.mjs").Found} Found */

const PACKAGES = ["@upstash/redis", "@upstash/ratelimit", "@epic-web/cachified", "iron-session", "workerd", "esbuild"];

/** @param {string} command @param {string[]} args */
const said = (command, args) => execFileSync(command, args, { cwd: ROOT, encoding: "utf8" }).trim();

/** @param {string} name */
const versionOf = (name) => JSON.parse(readFileSync(join(ROOT, name, "package.json"), "utf8")).version;

/** @param {string[][]} rows the first is the heading */
const table = ([heads = [], ...rows]) => [heads, heads.map((_, at) => (at ? "--:" : "---")), ...rows].map((row) => `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`).join("\n");

function versions() {
  const [cpu] = cpus();
  const commit = said("git", ["rev-parse", "--short", "HEAD"]);
  return table([
    ["what", "version"],
    ["upstash-edge", `${versionOf("pkg")}, ${commit}`],
    ...PACKAGES.map((name) => [name, versionOf(`node_modules/${name}`)]),
    ["Node", process.versions.node],
    ["Redis", /v=(\S+)/.exec(said("redis-server", ["--version"]))?.[1] ?? ""],
    ["machine", `${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, ${type()} ${release()}`],
  ]);
}

/** @param {Found["lines"][number]} line */
function row({ name, text, low, high, aim, less, reached }) {
  const interval = low === undefined || high === undefined ? "" : `${low.toFixed(2)} to ${high.toFixed(2)}`;
  const [, ours, peer, ratio] = /^ours (\S+), peer (\S+), ratio (\S+)$/.exec(text) ?? [];
  const aimed = aim === undefined ? "" : `${less ? "at most" : "at least"} ${aim}: ${reached === undefined ? "not told" : reached ? "reached" : "missed"}`;
  return [name, ours ?? "", peer ?? "", ratio ?? text.replace(/, the ratio is .*/, ""), interval, less === undefined ? "" : less ? "less" : "more", aimed];
}

/** @param {Found} found */
function section({ name, title, quick, seconds, lines, parts }) {
  let plots = 0;
  const told = parts.map((part) => {
    if (part.kind === "text") return part.text;
    if (part.kind === "table") return `**${part.title}**\n\n${table([part.heads, ...part.rows])}`;
    if (part.kind === "code") return `**${part.title}**: \`${part.file}\`\n\n\`\`\`js\n${part.code.trim()}\n\`\`\``;
    const file = `${name}-${(plots += 1)}.svg`;
    writeFileSync(join(ROOT, "bench/plots", file), svg(part));
    return `![${part.title}](plots/${file})`;
  });
  const rows = lines.map(row);
  // A column that says nothing is none.
  const heads = ["", "ours", "peer", "ratio", "95 of 100", "better", "aim"];
  const kept = heads.map((_, at) => at < 4 || rows.some((cells) => cells[at]));
  const only = (/** @type {string[]} */ cells) => cells.filter((_, at) => kept[at]);
  return `## ${title}\n\n\`make bench-${name}\`, ${Math.round(seconds)} s${quick ? ", the short form" : ""}\n\n${told.join("\n\n")}\n\n${rows.length ? table([only(heads), ...rows.map(only)]) : ""}\n`;
}

/** Writes it all. @param {string[]} names the benches, in this order */
export function results(names) {
  rmSync(join(ROOT, "bench/plots"), { recursive: true, force: true });
  mkdirSync(join(ROOT, "bench/plots"));
  /** @type {Found[]} */
  const all = names.map((name) => JSON.parse(readFileSync(join(FOUND, `${name}.json`), "utf8")));
  writeFileSync(
    join(ROOT, "bench/RESULTS.md"),
    `# Side by side

\`make bench\` wrote this, on ${new Date().toISOString().slice(0, 10)}: our package, the peers' newest and bare \`fetch\`, at the same work, in the same run, on the
same Redis behind the same gateway, all on one machine. Ways are measured in turns, A B C, B C A, after some rounds that are not
counted; a figure is the median of its rounds. A ratio is ours by the peer's, the median of the rounds' own, and "95 of 100" is
between what that median lies with so much confidence. Where this is wider than a tenth and holds 1, no ratio is told: the spread
swamps the difference. "Better" says which way is good. What is counted, and not timed, has no spread.

${versions()}

${all.map(section).join("\n")}`,
  );
}
