// An hour of minutes, by uPlot: three charts, one above the other in time.

import uPlot from "uplot";
import { duration, make, number } from "./dom.js";

/** @typedef {import("./overview.js").Point} Point */
/** @typedef {{title: string, unit: (value: number) => string, stacked: boolean, series: {name: string, color: string, of: (point: Point) => number | undefined}[]}} Chart */

const count = (/** @type {number} */ value) => number(value);

/** What is stacked is told from the bottom up. @type {Chart[]} */
const CHARTS = [
  {
    title: "Cache, a minute",
    unit: count,
    stacked: true,
    series: [
      { name: "hits", color: "--good", of: ({ hits }) => hits },
      { name: "stale", color: "--warn", of: ({ stale }) => stale },
      { name: "misses", color: "--dull", of: ({ misses }) => misses },
    ],
  },
  {
    title: "Latency",
    unit: duration,
    stacked: false,
    series: [
      { name: "p50", color: "--blue", of: ({ p50Ms }) => p50Ms },
      { name: "p99", color: "--violet", of: ({ p99Ms }) => p99Ms },
    ],
  },
  {
    title: "Limiters, a minute",
    unit: count,
    stacked: true,
    series: [
      { name: "allowed", color: "--good", of: ({ allowed }) => allowed },
      { name: "refused", color: "--bad", of: ({ refused }) => refused },
    ],
  },
];

/** @type {{plot: uPlot, told: (at: number | null | undefined) => void}[]} */
let plots = [];
/** @type {Point[]} */
let points = [];
const resized = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const at = [...document.querySelectorAll(".plot")].indexOf(target);
    if (contentRect.width > 0) plots[at]?.plot.setSize({ width: Math.floor(contentRect.width), height: HEIGHT });
  }
});
const HEIGHT = 164;

export function clear() {
  resized.disconnect();
  for (const { plot } of plots) plot.destroy();
  plots = [];
}

/**
 * @param {HTMLElement} place @param {Point[]} minutes @param {HTMLElement} [none] what to say in place of empty charts
 */
export function paint(place, minutes, none) {
  points = minutes;
  if (none) {
    clear();
    // A button that was pressed stays as it is.
    if (!place.querySelector(".none")) place.replaceChildren(make("div", { class: "card quiet-hour" }, none));
    return;
  }
  if (plots.length === 0) {
    place.replaceChildren();
    for (const chart of CHARTS) plots.push(made(chart, place));
  }
  for (const [at, { plot, told }] of plots.entries()) {
    const chart = CHARTS[at];
    if (chart) plot.setData(data(chart));
    told(plot.cursor.idx);
  }
}

/** @param {Chart} chart @returns {uPlot.AlignedData} */
function data({ series, stacked }) {
  const seconds = points.map(({ at }) => at / 1_000);
  const values = series.map(({ of }) => points.map((point) => of(point) ?? null));
  if (stacked) {
    // Each on the shoulders of those before it.
    for (const [at, own] of values.entries()) {
      const below = values[at - 1];
      if (below) own.forEach((value, n) => (own[n] = (value ?? 0) + (below[n] ?? 0)));
    }
    values.reverse();
  }
  return /** @type {uPlot.AlignedData} */ ([seconds, ...values]);
}

/** A colour of the page, as a canvas knows it. @param {string} name */
function color(name) {
  const probe = make("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** @param {Chart} chart @param {HTMLElement} place */
function made(chart, place) {
  const values = chart.series.map(({ name, color }) => {
    const swatch = make("i", { class: "swatch" });
    swatch.style.background = `var(${color})`;
    const value = make("b");
    return { value, item: make("li", {}, swatch, name, " ", value) };
  });
  const when = make("span", { class: "when" });
  const area = make("div", { class: "plot", role: "img" });
  const head = make("figcaption", {}, make("h3", { text: chart.title }), when);
  place.append(make("figure", { class: "card chart" }, head, make("ul", { class: "key" }, ...values.map(({ item }) => item)), area));

  /** What the minute under the cursor was, else the hour. @param {number | null | undefined} at */
  const told = (at) => {
    const one = at === null || at === undefined ? undefined : points[at];
    when.textContent = one ? new Date(one.at).toTimeString().slice(0, 5) : "last hour";
    const texts = chart.series.map(({ of }, n) => {
      const all = (one ? [one] : points).map(of).filter((value) => value !== undefined);
      const value = chart.stacked ? all.reduce((sum, value) => sum + value, 0) : Math.max(...all);
      const text = all.length === 0 ? "–" : `${chart.stacked || one ? "" : "≤ "}${chart.unit(value)}`;
      const place = values[n];
      if (place) place.value.textContent = text;
      return `${chart.series[n]?.name} ${text}`;
    });
    area.setAttribute("aria-label", `${chart.title}, ${when.textContent}: ${texts.join(", ")}`);
  };

  const faint = color("--line");
  const axis = { stroke: color("--quiet"), grid: { stroke: faint, width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
  const drawn = chart.stacked ? [...chart.series].reverse() : chart.series;
  const bars = uPlot.paths.bars?.({ size: [0.75, 14] });
  const plot = new uPlot(
    {
      width: Math.max(200, Math.floor(area.clientWidth)),
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: !chart.stacked, size: 6 } },
      padding: [8, 4, 0, 0],
      scales: { x: { time: true, range: (_, first, last) => [first - 45, last + 45] }, y: { range: (_, __, most) => [0, Math.max(1, (most ?? 0) * 1.08)] } },
      axes: [
        { ...axis, grid: { show: false }, size: 25, gap: 7, space: 60, values: (_, seconds) => seconds.map((at) => new Date(at * 1_000).toTimeString().slice(0, 5)) },
        { ...axis, size: 52, space: 34, values: (_, values) => values.map((value) => (Number.isInteger(value) || chart.unit !== count ? chart.unit(value) : "")) },
      ],
      series: [
        {},
        ...drawn.map(({ color: own }) =>
          chart.stacked
            ? { fill: color(own), stroke: color(own), width: 0, paths: bars, points: { show: false } }
            : { stroke: color(own), width: 2, spanGaps: false, points: { show: true, size: 4.5, width: 0, fill: color(own) } },
        ),
      ],
      hooks: { setCursor: [(plot) => told(plot.cursor.idx)] },
    },
    data(chart),
    area,
  );
  resized.observe(area);
  return { plot, told };
}
