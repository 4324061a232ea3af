// `make bench-ops`: what small operations cost in workerd, beside bare fetch of the same bytes, the limit of what is
// possible, and beside the peers.

import { bench } from "./lib/report.mjs";
import { median, ratio, sized } from "./lib/rounds.mjs";
import { started } from "./ops/measured.mjs";

/** @typedef {import("./ops/measured.mjs").Case} Case */

const ROUNDS = sized(41, 25);
/** @type {Record<string, Case["op"]>} */
const LINES = { get: "get", set: "set", limit: "limit", "limit, refused": "refused" };
/** What the aim of issue 9 is, by line. @type {Record<string, number>} */
const AIMS = { "get vs bare": 0.95, "limit vs bare": 0.95, "get vs peer": 1.3, "limit vs peer": 1.15 };

await bench("get, set and a rate limit's check, one command each", async (report) => {
  const { server, measured } = await started();
  /** @type {import("./lib/report.mjs").Point[]} */
  const points = [];

  /** @param {"workerd" | "node"} runtime @param {string} title @param {Case} one @param {number} rounds */
  async function told(runtime, title, one, rounds) {
    const found = await measured(runtime, one, rounds);
    const of = (/** @type {"bare" | "ours" | "peer"} */ way, /** @type {"rate" | "cpu"} */ what) => found[way].map((round) => round[what]);
    const rows = /** @type {const} */ (["bare", "ours", "peer"]).map((way) => [
      way,
      median(of(way, "rate")),
      ratio(of(way, "rate"), of("bare", "rate")).ratio.toFixed(2),
      median(of(way, "cpu")),
      ratio(of("bare", "cpu"), of(way, "cpu")).ratio.toFixed(2),
    ]);
    report.table(`${runtime === "node" ? `Node ${process.versions.node}` : runtime}: ${title}`, ["", "a second", "of bare", "CPU us each", "of bare"], rows);
    return of;
  }

  for (const [name, op] of Object.entries(LINES)) {
    const of = await told("workerd", `${name}, 32 callers`, { op, callers: 32, times: sized(20, 10) }, ROUNDS);
    for (const [other, way] of /** @type {const} */ ([["bare", "bare"], ["peer", "peer"]])) {
      const line = `${name} vs ${other}`;
      report.compare(line, of("ours", "rate"), of(way, "rate"), { aim: AIMS[line] });
      report.compare(`CPU of a ${line}`, of("ours", "cpu"), of(way, "cpu"), { less: true });
    }
    for (const way of /** @type {const} */ (["bare", "ours", "peer"])) points.push({ operation: name, who: way, "a second": median(of(way, "rate")) });
  }
  report.plot({ title: "Operations a second in workerd, 32 callers", mark: "bar", x: "operation", y: "a second", by: "who", points });

  const alone = await told("workerd", "get, one after another", { op: "get", callers: 1, times: sized(200, 100) }, ROUNDS);
  report.compare("get, one after another, vs bare", alone("ours", "rate"), alone("bare", "rate"));
  report.compare("get, one after another, vs peer", alone("ours", "rate"), alone("peer", "rate"));
  await told("node", "get, 32 callers", { op: "get", callers: 32, times: sized(20, 10) }, sized(25, 7));

  // Not sooner: it watches what the figures above are made of.
  const { counts } = await import("./ops/count.mjs");
  const { fetched, whole, own } = await counts(server, 1);
  const names = /** @type {(keyof typeof own)[]} */ (Object.keys(own));
  const row = (/** @type {string} */ title, /** @type {typeof own} */ one) => [title, ...names.map((name) => one[name].toFixed(0))];
  report.table("What one get takes, counted in Node", ["", ...names], [row("bare fetch", fetched), row("ours, fetch within", whole), row("the client alone", own)]);
});
