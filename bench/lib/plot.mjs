// A plot as the text of an SVG file.

import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** @typedef {import("./report.mjs").Plot} Described */

/** Ours, what it is measured against, and the limit of what is possible keep their colours from plot to plot. @param {string} who */
const rank = (who) => (/^ours|^gateway/.test(who) ? 0 : /^peer/.test(who) ? 1 : 2);

/** @param {Described} plot */
export function svg({ title, mark, x, y, by, log = "", points }) {
  const { document } = parseHTML("<html><body></body></html>");
  const names = [...new Set(points.map((point) => String(point[by])))].sort((a, b) => rank(a) - rank(b));
  const scale = (/** @type {string} */ axis) => (log.includes(axis) ? { type: /** @type {const} */ ("log") } : {});
  const figure = Plot.plot({
    document,
    width: 760,
    height: 360,
    marginLeft: 70,
    marginTop: 40,
    marginRight: mark === "line" ? 200 : 20,
    marginBottom: mark === "bar" ? 110 : 40,
    style: { background: "white", color: "black", fontSize: "12px" },
    color: { domain: names, scheme: "Tableau10" },
    ...(mark === "bar"
      ? { x: { axis: null, domain: names }, fx: { label: null, tickRotate: -20 }, y: { label: y, grid: true, zero: true } }
      : { x: { label: x, ...scale("x") }, y: { label: y, grid: true, zero: !log.includes("y"), ...scale("y") } }),
    marks: mark === "bar" ? bars() : lines(),
  });
  function bars() {
    const label = (/** @type {string} */ who, /** @type {number} */ at) => Plot.text([who], { frameAnchor: "top-left", dx: -60 + at * 110, dy: -25, fill: [who], text: [`■ ${who}`], facet: "super" });
    return [Plot.ruleY([0]), Plot.barY(points, { x: by, y, fx: x, fill: by, sort: { fx: null } }), ...names.map((who, at) => label(who, at))];
  }
  function lines() {
    const named = { x, y, z: by, text: by, dx: 8, textAnchor: /** @type {const} */ ("start") };
    return [Plot.line(points, { x, y, stroke: by }), Plot.dot(points, { x, y, fill: by }), Plot.text(points, Plot.selectLast({ ...named, fill: by }))];
  }
  const element = figure.nodeName.toLowerCase() === "svg" ? figure : figure.querySelector("svg");
  if (!element) throw new Error(`no plot came of ${title}`);
  element.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  element.setAttribute("aria-label", title);
  return `${element.outerHTML}\n`;
}
