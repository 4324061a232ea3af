// Traffic through both limiters, as shipped, judged by an exact log of whom each let through: how many too many, how many
// were refused although there was room, and whether the moment named at a refusal is when there is room again.

import { clock, LIMIT, WINDOW_MS } from "./sides.mjs";
import { median, sized } from "../lib/rounds.mjs";

/** @typedef {import("./sides.mjs").Side} Side */
/** @typedef {{at: number, id: string, isolate?: number, skew?: number}} Ask at: in ms; skew: how far that isolate's clock is ahead */

const LONG = sized(200_000, 100_000);

/** Numbers that look random, the same each time. @param {number} seed */
function drawn(seed) {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** @param {number} every @param {(n: number) => Partial<Ask>} [more] @returns {Ask[]} */
const every = (every, more = () => ({})) => Array.from({ length: Math.floor(LONG / every) }, (_, n) => ({ at: n * every, id: "one", ...more(n) }));

/** @returns {Ask[]} */
function bursts() {
  const edges = Array.from({ length: LONG / WINDOW_MS }, (_, n) => (n + 1) * WINDOW_MS);
  return edges.flatMap((edge) => [-50, 50].flatMap((beside) => Array.from({ length: LIMIT }, (_, n) => ({ at: edge + beside + n, id: "one" }))));
}

/** @returns {Ask[]} */
function crowd() {
  const random = drawn(7);
  const asks = Array.from({ length: sized(40, 20) }, (_, id) => {
    let at = random() * 1_000;
    return Array.from({ length: 72 }, () => ({ at: Math.floor((at += -Math.log(1 - random()) * (WINDOW_MS / LIMIT / 1.2))), id: `of many ${id}` }));
  });
  return asks.flat().sort((a, b) => a.at - b.at);
}

/** @type {Record<string, () => Ask[]>} */
const SHAPES = {
  "steady, 0.9 of the limit": () => every(Math.round(WINDOW_MS / LIMIT / 0.9)),
  "steady, 1.5 times the limit": () => every(Math.round(WINDOW_MS / LIMIT / 1.5)),
  "bursts before and after each window's edge": bursts,
  "a client that polls 5 times a second": () => every(200),
  "many clients, 1.2 times the limit each": crowd,
  "two isolates, one clock 3 s ahead": () => every(Math.round(WINDOW_MS / LIMIT / 1.5), (n) => ({ isolate: n % 2, skew: (n % 2) * 3_000 })),
};

/** What a side did with a shape. @param {Side} side @param {Ask[]} asks @param {number} start */
async function judged(side, asks, start) {
  const isolates = [side.check, side.isolate()];
  /** @type {Map<string, number[]>} */
  const logs = new Map();
  const found = { asked: 0, admitted: 0, most: 0, refusals: 0, refusedWithRoom: 0, early: 0, late: /** @type {number[]} */ ([]) };
  for (const { at, id, isolate = 0, skew = 0 } of asks) {
    clock.now = start + at + skew;
    const log = logs.get(id) ?? [];
    logs.set(id, log);
    const answer = await isolates[isolate]?.(`${start} ${id}`);
    const held = log.filter((one) => one > at - WINDOW_MS);
    found.asked += 1;
    if (answer?.allowed) {
      found.admitted += 1;
      log.push(at);
      found.most = Math.max(found.most, held.length + 1);
      continue;
    }
    found.refusals += 1;
    if (held.length < LIMIT) found.refusedWithRoom += 1;
    // When the oldest of the last so many has left the window there is room.
    const room = (held.at(-LIMIT) ?? at - WINDOW_MS) + WINDOW_MS;
    const off = at + (answer?.wait ?? 0) - room;
    if (off < 0) found.early += 1;
    else found.late.push(off);
  }
  return found;
}

/** A client that comes back when it is told: whom it finds refused then. @param {Side} side @param {number} start */
async function heeding(side, start) {
  let [admitted, again, refusedAgain, heeded] = [0, 0, 0, false];
  for (let at = 0; at < LONG; ) {
    clock.now = start + at;
    const { allowed, wait } = await side.check(`${start} heeds`);
    if (heeded) again += 1;
    if (heeded && !allowed) refusedAgain += 1;
    admitted += Number(allowed);
    heeded = !allowed;
    at += allowed ? 100 : Math.max(1, Math.ceil(wait));
  }
  return { admitted, again, refusedAgain };
}

/** @param {import("../lib/report.mjs").Report} report @param {Record<"ours" | "peer", Side>} both */
export async function shapes(report, both) {
  /** @type {(string | number)[][]} */
  const rows = [];
  const points = [];
  const share = (/** @type {number} */ part, /** @type {number} */ whole) => (whole ? `${((100 * part) / whole).toFixed(1)} %` : "-");
  let start = 1_810_000_000_000;
  for (const [name, make] of Object.entries(SHAPES)) {
    start += 10_000_000;
    const asks = make();
    const found = { ours: await judged(both.ours, asks, start), peer: await judged(both.peer, asks, start) };
    for (const side of /** @type {const} */ (["ours", "peer"])) {
      const one = found[side];
      const late = one.late.length ? `${median(one.late)}` : "-";
      rows.push([`${name}: ${side}`, `${one.asked}`, `${one.admitted}`, `${one.most}`, share(one.refusedWithRoom, one.refusals), share(one.early, one.refusals), late]);
      points.push({ shape: name, "most admitted in a window (10 allowed)": one.most, who: side });
    }
    report.count(`most admitted in any 10 s of 10, ${name}`, found.ours.most, found.peer.most, { less: true });
    report.count(`refused although there was room, ${name}`, found.ours.refusedWithRoom, found.peer.refusedWithRoom, { less: true });
    report.count(`named a moment too early, ${name}`, found.ours.early, found.peer.early, { less: true });
  }
  report.table("Limit 10 in 10 s, judged by an exact log; late: median ms between room and the moment that was named", ["", "asked", "admitted", "most in 10 s", "refused with room", "named too early", "ms late"], rows);
  const [ours, peer] = [await heeding(both.ours, start + 10_000_000), await heeding(both.peer, start + 10_000_000)];
  report.table(`A client that comes back at the moment that it is told, ${LONG / 1000} s`, ["", "admitted", "came back when told", "refused then"], [
    ["ours", `${ours.admitted}`, `${ours.again}`, `${ours.refusedAgain}`],
    ["peer", `${peer.admitted}`, `${peer.again}`, `${peer.refusedAgain}`],
  ]);
  report.count("refused at the moment that was named", ours.refusedAgain, peer.refusedAgain, { less: true });
  report.plot({ title: "Most admitted in any window of 10 s, where 10 may be", mark: "bar", x: "shape", y: "most admitted in a window (10 allowed)", by: "who", points });
}
