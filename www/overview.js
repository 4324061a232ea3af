// What the Worker has been doing: sums, an hour of minutes, who was refused.

import { duration, element, make, meter, name, number, share, table, time } from "./dom.js";

/** @typedef {{at: number, requests: number, trips: number, hits: number, misses: number, stale: number, allowed: number, refused: number,
 *   p50Ms?: number, p99Ms?: number, redisP50Ms?: number, redisP99Ms?: number}} Point */
/** @typedef {{at: number, demo: boolean, recentMinutes: number, recent: Point, minutes: Point[],
 *   caches: {name: string, hits: number, misses: number, stale: number, hitRate: number}[],
 *   limiters: {name: string, allowed: number, refused: number, mostRefused: {id: string, count: number}[]}[]}} Metrics */

/** @type {Metrics | undefined} */
let last;
/** @type {Promise<typeof import("./charts.js")> | undefined} */
let loading;
let isShown = false;

export function show() {
  isShown = true;
  // The library is the larger half of the script, and only this panel draws by it.
  loading ??= import("./charts.js");
  paint();
}

export function hide() {
  isShown = false;
}

export function clear() {
  last = undefined;
  for (const id of ["tiles", "charts", "caches", "limiters", "refused", "as-of"]) element(id).replaceChildren();
  void loading?.then((charts) => charts.clear());
}

/** @param {Metrics} metrics */
export function told(metrics) {
  last = metrics;
  paint();
}

/** The colours are others now. */
export function repaint() {
  void loading?.then((charts) => {
    charts.clear();
    paint();
  });
}

function paint() {
  if (!last || !isShown) return;
  const { at, recent, recentMinutes, minutes, caches, limiters, demo } = last;
  element("as-of").textContent = `As of ${time(at)}; the figures are of the last ${recentMinutes} minutes, the charts of the last hour.`;
  const served = recent.hits + recent.stale;
  const asked = served + recent.misses;
  const checks = recent.allowed + recent.refused;
  element("tiles").replaceChildren(
    tile("Hit rate", share(served, asked), asked ? `${number(served)} of ${number(asked)}` : "nothing was asked"),
    tile("Latency p50", ms(recent.p50Ms), `waiting for Redis ${ms(recent.redisP50Ms)}`),
    tile("Latency p99", ms(recent.p99Ms), `waiting for Redis ${ms(recent.redisP99Ms)}`),
    tile("Round trips a request", recent.requests ? (recent.trips / recent.requests).toFixed(2) : "–", `${number(recent.requests)} requests`),
    tile("Refused", share(recent.refused, checks), checks ? `${number(recent.refused)} of ${number(checks)}` : "nobody was counted"),
  );
  const asks = (/** @type {{hits: number, misses: number, stale: number}} */ it) => it.hits + it.misses + it.stale;
  element("caches").replaceChildren(
    table(
      ["Cache", "#Hits", "#Stale", "#Misses", "#Hit rate"],
      caches.map((it) => [name(it.name), number(it.hits), number(it.stale), number(it.misses), rate(it.hits + it.stale, asks(it), "good")]),
      "This Worker has no cache: it has neither an origin nor a demonstration.",
    ),
  );
  element("limiters").replaceChildren(
    table(
      ["Limiter", "#Allowed", "#Refused", "#Of all"],
      limiters.map((it) => [name(it.name), number(it.allowed), number(it.refused), rate(it.refused, it.allowed + it.refused, "bad")]),
      "This Worker has no limiter: RATE_LIMIT is not set.",
    ),
  );
  const most = limiters.flatMap((it) => it.mostRefused.map((one) => ({ ...one, by: it.name })));
  most.sort((a, b) => b.count - a.count);
  const top = most[0]?.count ?? 0;
  element("refused").replaceChildren(
    table(
      ["Identifier", "Limiter", "#Times"],
      most.slice(0, 10).map((it) => [name(it.id), name(it.by), counted(it.count, top)]),
      "Nobody was refused.",
    ),
  );
  const isQuiet = minutes.every(({ requests }) => requests === 0);
  void loading?.then((charts) => {
    if (last && isShown) charts.paint(element("charts"), last.minutes, isQuiet ? quiet(demo) : undefined);
  });
}

/** @param {number | undefined} length */
const ms = (length) => (length === undefined ? "–" : duration(length));

/** @param {string} title @param {string} value @param {string} about */
function tile(title, value, about) {
  return make("div", { class: "tile" }, make("dt", { text: title }), make("dd", { class: "value", text: value }), make("dd", { class: "about", text: about }));
}

/** @param {number} part @param {number} all @param {string} kind */
const rate = (part, all, kind) => make("span", { class: "rate" }, meter(part, all, kind), share(part, all));

/** @param {number} count @param {number} top */
const counted = (count, top) => make("span", { class: "rate" }, meter(count, top, "bad"), number(count));

/** @param {boolean} demo */
function quiet(demo) {
  const said = make("p", { class: "none", text: "No request in the last hour." });
  if (!demo) return said;
  const press = async (/** @type {Event} */ event) => {
    const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
    button.disabled = true;
    const paths = Array.from({ length: 40 }, (_, n) => (n % 4 ? "/api/page" : `/api/fetch/report-${n % 8}?ms=30`));
    await Promise.all(paths.map((path) => fetch(path).catch(() => {})));
    button.textContent = "Sent: they show within 5 seconds";
  };
  said.append(" ", make("button", { type: "button", click: press, text: "Send 40 to the demonstration" }));
  return said;
}
