// The sliding window, drawn: time runs to the left, now stands in the middle, and to its right is what will be if nobody asks.

import { draw, duration } from "./dom.js";

/** @typedef {{at: number, cost: number}} Taken */

const HEIGHT = 340;
const TOP = 34;
const FOOT = 30;
const LEFT = 34;
/** Of the time that is shown, in windows: before now and after it. */
const BEFORE = 1.25;
const AFTER = 1.05;

export class Drawing {
  /** What passed, oldest first: that which stands in the window, and for a while what has left it. @type {Taken[]} */
  #taken = [];
  /** @type {Taken[]} */
  #refused = [];
  #limit = 0;
  #cost = 1;
  #windowMs = 10_000;
  /** How far Redis's side is ahead of the clock here. */
  #ahead = 0;
  /** The drawing's own beginning of time: what moves is drawn once from it, and pushed. */
  #base = 0;
  #width = 0;
  #running = false;
  #place;
  #svg = draw("svg", { role: "img", height: HEIGHT });
  #moving = /** @type {Element[]} */ ([]);

  /** @param {HTMLElement} place */
  constructor(place) {
    this.#place = place;
    place.append(this.#svg);
    new ResizeObserver(() => this.#paint()).observe(place);
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    const still = matchMedia("(prefers-reduced-motion: reduce)");
    const frame = () => {
      if (!this.#running) return;
      this.#push();
      if (still.matches) setTimeout(frame, 1_000);
      else requestAnimationFrame(frame);
    };
    frame();
  }

  stop() {
    this.#running = false;
  }

  forget() {
    this.#taken = [];
    this.#refused = [];
    this.#paint();
  }

  /** What Redis answered. @param {{limit: number, cost: number, windowMs: number, now: number, window: Taken[], refused: boolean}} answer */
  told({ limit, cost, windowMs, now, window, refused }) {
    this.#ahead = now - Date.now();
    [this.#limit, this.#cost, this.#windowMs] = [limit, cost, windowMs];
    const shown = now - BEFORE * windowMs - windowMs;
    const gone = this.#taken.filter(({ at }) => at <= now - windowMs && at > shown);
    this.#taken = [...gone, ...window];
    this.#refused = this.#refused.filter(({ at }) => at > shown);
    if (refused) this.#refused.push({ at: now, cost });
    this.#paint();
  }

  #now() {
    return Date.now() + this.#ahead;
  }

  /** How much is taken of the window that ends at an instant. @param {number} at */
  #used(at) {
    let used = 0;
    for (const taken of this.#taken) if (taken.at <= at && taken.at + this.#windowMs > at) used += taken.cost;
    return used;
  }

  /** When one of this cost can pass, from an instant on; nothing when it never can. @param {number} now */
  #next(now) {
    const fits = (/** @type {number} */ at) => this.#used(at) + this.#cost <= this.#limit;
    if (this.#cost > this.#limit) return undefined;
    if (fits(now)) return now;
    return this.#taken.map(({ at }) => at + this.#windowMs).find((at) => at > now && fits(at));
  }

  /** @param {number} ms */
  #x(ms) {
    return (ms / ((BEFORE + AFTER) * this.#windowMs)) * (this.#width - LEFT);
  }

  #paint() {
    const width = Math.max(240, this.#place.clientWidth);
    this.#width = width;
    this.#base = this.#now();
    const bottom = HEIGHT - FOOT;
    const most = Math.max(this.#limit * 1.2, this.#limit + 1, ...this.#taken.map(({ at }) => this.#used(at)));
    const y = (/** @type {number} */ used) => bottom - (used / most) * (bottom - TOP);
    const here = LEFT + this.#x(BEFORE * this.#windowMs);
    const from = LEFT + this.#x((BEFORE - 1) * this.#windowMs);
    const at = (/** @type {number} */ when) => this.#x(when - this.#base);

    const edges = this.#taken.flatMap((taken) => [taken.at, taken.at + this.#windowMs]);
    const span = 3 * this.#windowMs;
    const path = [...new Set(edges)].sort((a, b) => a - b).reduce((line, when) => `${line}H${at(when).toFixed(1)}V${y(this.#used(when)).toFixed(1)}`, `M${at(this.#base - span).toFixed(1)} ${y(0).toFixed(1)}`);
    const line = `${path}H${at(this.#base + span).toFixed(1)}`;
    const radius = ({ cost = 1 }) => Math.min(9, 3.5 + Math.sqrt(cost));
    // Several of one millisecond stand above each other.
    /** @type {Map<number, number>} */
    const before = new Map();
    const dots = this.#taken.map((taken) => {
      const below = before.get(taken.at) ?? this.#used(taken.at) - this.#taken.filter((other) => other.at === taken.at).reduce((sum, { cost }) => sum + cost, 0);
      before.set(taken.at, below + taken.cost);
      return draw("circle", { class: "passed", cx: at(taken.at), cy: y(below + taken.cost), r: radius(taken) });
    });
    const crosses = this.#refused.map((one) => {
      const [x, top] = [at(one.at), y(this.#limit) - 14];
      return draw("path", { class: "refused", d: `M${x - 4} ${top - 4}l8 8m0 -8l-8 8` });
    });
    const next = this.#next(this.#base);
    const isFull = next !== undefined && next > this.#base;
    const marker = isFull ? [draw("line", { class: "next", x1: at(next), x2: at(next), y1: TOP - 12, y2: bottom })] : [];

    const area = `${line}V${y(0).toFixed(1)}Z`;
    const wash = draw("g", {}, draw("path", { class: "area", d: area }));
    const past = draw("g", {}, draw("path", { class: "step", d: line }), ...dots, ...crosses);
    const future = draw("g", {}, draw("path", { class: "step ahead", d: line }), ...marker);
    // What has left the window is there still, but pale.
    const left = /** @type {Element} */ (past.cloneNode(true));
    this.#moving = [wash, past, left, future];
    const clip = (/** @type {string} */ id, /** @type {number} */ x, /** @type {number} */ wide) => draw("clipPath", { id }, draw("rect", { x, y: 0, width: Math.max(0, wide), height: bottom + 12 }));
    const label = (/** @type {number} */ x, /** @type {number} */ top, /** @type {string} */ text, anchor = "middle", kind = "") => draw("text", { x, y: top, "text-anchor": anchor, class: kind, text });
    const countdown = label(0, TOP - 18, "", "middle", "countdown");
    this.#svg.replaceChildren(
      draw("defs", {}, clip("left", LEFT, from - LEFT), clip("past", from, here - from + 6), clip("wash", from, here - from), clip("ahead", here, width - here)),
      draw("rect", { class: "band", x: from, y: TOP, width: here - from, height: bottom - TOP }),
      draw("line", { class: "floor", x1: LEFT, x2: width, y1: bottom, y2: bottom }),
      draw("line", { class: "limit", x1: LEFT, x2: width, y1: y(this.#limit), y2: y(this.#limit) }),
      draw("g", { "clip-path": "url(#wash)" }, wash),
      draw("g", { "clip-path": "url(#ahead)" }, future),
      draw("line", { class: "now", x1: here, x2: here, y1: TOP - 12, y2: bottom }),
      draw("g", { "clip-path": "url(#left)", class: "pale" }, left),
      draw("g", { "clip-path": "url(#past)", class: "past" }, past),
      label(LEFT - 8, y(this.#limit) + 4, `${this.#limit}`, "end", "axis limit-label"),
      label(LEFT - 8, bottom + 4, "0", "end", "axis"),
      label(from, bottom + 18, `−${duration(this.#windowMs)}`, "middle", "axis"),
      label(here, bottom + 18, "now", "middle", "axis"),
      label(width - 4, bottom + 18, `+${duration(this.#windowMs)}`, "end", "axis"),
      label((from + here) / 2, TOP - 6, "the window", "middle", "axis"),
      countdown,
    );
    this.#svg.setAttribute("width", `${width}`);
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.#countdown = countdown;
    this.#opens = isFull ? next : undefined;
    this.#here = here;
    this.#push();
  }

  /** @type {Element | undefined} */
  #countdown;
  /** @type {number | undefined} */
  #opens;
  #here = 0;

  /** What moves is where it belongs now. */
  #push() {
    const now = this.#now();
    if (this.#opens !== undefined && now >= this.#opens) return this.#paint();
    const shift = this.#here - this.#x(now - this.#base);
    for (const group of this.#moving) group.setAttribute("transform", `translate(${shift.toFixed(2)} 0)`);
    const used = this.#used(now);
    const left = this.#opens === undefined ? 0 : this.#opens - now;
    if (this.#countdown) {
      const x = Math.min(Math.max(this.#here + this.#x(left), this.#here + 34), this.#width - 34);
      this.#countdown.setAttribute("x", x.toFixed(1));
      this.#countdown.textContent = left > 0 ? `in ${(left / 1_000).toFixed(1)} s` : "";
    }
    const told = `${used} of ${this.#limit} taken within ${duration(this.#windowMs)}${left > 0 ? `, full for ${Math.ceil(left / 1_000)} s` : ""}`;
    if (this.#svg.getAttribute("aria-label") !== told) this.#svg.setAttribute("aria-label", told);
    // A window that has slid by is drawn from a nearer beginning, and what it has lost is let go.
    if (now - this.#base > this.#windowMs * 4) this.#paint();
  }
}
