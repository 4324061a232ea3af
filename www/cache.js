// The explorer: entries as bars of time, their tags, and what one holds.

import { ask, reason } from "./api.js";
import { duration, element, form, make, name, number, size, sure } from "./dom.js";

/** @typedef {{state: string, kind: string, deflated: boolean, bytes: number, writtenAt?: number, freshUntil?: number, staleUntil?: number,
 *   errorUntil?: number, costMs: number, tags: string[], tagged: boolean}} Held */
/** @typedef {{id?: string, name: string, nameBytes: number, shard: number, keptMs?: number, values: Held[]}} Entry */

const fields = form("look");
const tagsForm = form("invalidate");
const input = (/** @type {HTMLFormElement} */ of, /** @type {string} */ field) => /** @type {HTMLInputElement} */ (of.elements.namedItem(field));

/** What is shown: of which cache, and where its next page begins. */
let shown = { cache: "", match: "", cursor: "0" };
let count = 0;
/** How far Redis's side is ahead of the clock here. */
let ahead = 0;
/** Draws what runs out meanwhile. @type {(() => void)[]} */
let clocks = [];
/** @type {ReturnType<typeof setInterval> | undefined} */
let ticking;

export function show() {
  ticking = setInterval(() => clocks.forEach((tick) => tick()), 500);
  if (!shown.cache && input(fields, "name").value) void look();
}

export function hide() {
  clearInterval(ticking);
}

export function clear() {
  element("entries").replaceChildren();
  element("value-body").replaceChildren();
  for (const id of ["cache-said", "cache-problem", "value-about"]) element(id).textContent = "";
  /** @type {HTMLDialogElement} */ (element("value")).close();
  element("more").hidden = true;
  clocks = [];
  shown = { cache: "", match: "", cursor: "0" };
}

/** @param {{caches: {name: string}[]}} metrics */
export function told({ caches }) {
  const names = element("names");
  if (names.children.length === caches.length) return;
  names.replaceChildren(...caches.map((it) => make("option", { value: it.name })));
  const first = input(fields, "name");
  first.value ||= caches[0]?.name ?? "";
  if (!element("cache").hidden && !shown.cache && first.value) void look();
}

fields.addEventListener("submit", (event) => {
  event.preventDefault();
  void look();
});
element("more").addEventListener("click", () => page());
element("value-close").addEventListener("click", () => /** @type {HTMLDialogElement} */ (element("value")).close());

async function look() {
  shown = { cache: input(fields, "name").value, match: input(fields, "match").value, cursor: "0" };
  await page();
}

async function page() {
  const { cache, match, cursor } = shown;
  await trying(async () => {
    const query = new URLSearchParams({ name: cache, match, cursor });
    const answer = await ask(`cache?${query}`);
    ahead = answer.now - Date.now();
    if (cursor === "0") {
      clocks = [];
      count = 0;
      element("entries").replaceChildren();
    }
    shown.cursor = answer.cursor;
    element("entries").append(...answer.entries.map(row));
    count += answer.entries.length;
    const shards = Math.max(1, ...answer.entries.map((/** @type {Entry} */ { shard }) => shard + 1));
    const field = input(tagsForm, "shards");
    field.valueAsNumber = Math.max(cursor === "0" ? 1 : field.valueAsNumber, shards);
    const isLast = answer.cursor === "0";
    element("more").hidden = isLast;
    const none = match ? "No name holds that" : "Nothing stands here";
    say(count ? `${number(count)} ${count === 1 ? "entry" : "entries"}${isLast ? ", that is all" : "; there is more"}.` : `${none}${isLast ? "" : " so far"}.`);
  });
}

/** @param {string} text */
function say(text) {
  element("cache-said").textContent = text;
}

/** @param {() => Promise<void>} act */
async function trying(act) {
  const problem = element("cache-problem");
  problem.textContent = "";
  try {
    await act();
  } catch (error) {
    problem.textContent = `Not done: ${reason(error)}.`;
  }
}

/** @param {Entry} entry */
function row(entry) {
  const own = make("li", { class: "entry" });
  const long = entry.nameBytes > 200 ? ` ${size(entry.nameBytes)} of name` : "";
  const buttons = make(
    "div",
    { class: "actions" },
    make("button", { type: "button", class: "quiet", click: () => open(entry), "aria-label": `Value of ${entry.name}` }, "Value"),
    make("button", { type: "button", class: "quiet", click: () => remove(entry, own), "aria-label": `Delete ${entry.name}` }, "Delete"),
  );
  const head = make("div", { class: "entry-head" }, make("h3", {}, name(entry.name), make("small", { text: long })), ...(entry.id ? [buttons] : []));
  own.append(head, ...entry.values.map((held) => line(held, entry)));
  if (entry.values.length === 0) own.append(make("p", { class: "facts", text: entry.id ? "It is no entry of a cache: another client wrote it." : "Its name is no text, so no command here can name it: another client wrote it." }));
  return own;
}

/** @param {Held} held @param {Entry} entry */
function line(held, { keptMs }) {
  const state = make("span", { class: "state" });
  const left = make("span", { class: "left" });
  const bar = make("div", { class: "life", "aria-hidden": "true" });
  const mark = make("i", { class: "mark" });
  const { writtenAt, freshUntil, staleUntil, errorUntil } = held;
  const ends = Math.max(freshUntil ?? 0, staleUntil ?? 0, errorUntil ?? 0);
  const opened = Date.now() + ahead;
  if (writtenAt !== undefined) {
    const whole = Math.max(1, ends - writtenAt);
    const part = (/** @type {string} */ kind, /** @type {number} */ from, /** @type {number} */ to) => {
      if (to <= from) return;
      const piece = make("span", { class: kind });
      piece.style.left = `${((from - writtenAt) / whole) * 100}%`;
      piece.style.width = `${((to - from) / whole) * 100}%`;
      bar.append(piece);
    };
    part("fresh", writtenAt, freshUntil ?? 0);
    part("stale", freshUntil ?? 0, staleUntil ?? 0);
    part("on-error", Math.max(freshUntil ?? 0, staleUntil ?? 0), errorUntil ?? 0);
    bar.append(mark);
  } else {
    bar.append(make("span", { class: "plain" }));
  }
  const tick = () => {
    const now = Date.now() + ahead;
    const [kind, text] = judged(held, now, keptMs === undefined ? undefined : opened + keptMs);
    if (state.textContent !== SAID[kind]) {
      state.textContent = SAID[kind] ?? kind;
      state.className = `state ${kind}`;
      bar.classList.toggle("is-gone", kind === "gone");
    }
    if (left.textContent !== text) left.textContent = text;
    if (writtenAt !== undefined) mark.style.left = `${Math.min(1, (now - writtenAt) / Math.max(1, ends - writtenAt)) * 100}%`;
  };
  clocks.push(tick);
  tick();
  const tags = held.tags.map((tag) => make("button", { type: "button", class: "tag", click: () => choose(tag), "aria-label": `Choose the tag ${tag}` }, name(tag)));
  const facts = [held.kind + (held.deflated ? ", deflated" : ""), size(held.bytes), held.costMs ? `took ${duration(held.costMs)}` : ""].filter(Boolean).join(" · ");
  return make("div", { class: "held" }, state, bar, left, make("p", { class: "facts" }, facts, " ", ...tags));
}

/** @type {Record<string, string>} */
const SAID = { fresh: "Fresh", stale: "Stale", "on-error": "On error", gone: "Gone" };

/** What it is now, and for how long. @param {Held} held @param {number} now @param {number | undefined} until when Redis drops it @returns {[string, string]} */
function judged({ state, writtenAt, freshUntil = 0, staleUntil = 0, errorUntil = 0, tagged }, now, until) {
  if (writtenAt === undefined) {
    if (until === undefined) return [state, "kept for ever"];
    return until > now ? [state, `kept for ${duration(until - now)}`] : ["gone", "its time is over"];
  }
  if (state === "gone" && tagged) return ["gone", "a tag was invalidated"];
  if (now < freshUntil && !tagged) return ["fresh", `for ${duration(freshUntil - now)}`];
  if (now < staleUntil) return ["stale", `for ${duration(staleUntil - now)}`];
  if (now < errorUntil) return ["on-error", `for ${duration(errorUntil - now)}`];
  return ["gone", tagged ? "a tag expired" : "its time is over"];
}

/** @param {string} tag */
function choose(tag) {
  const field = input(tagsForm, "tags");
  const tags = split(field.value);
  if (!tags.includes(tag)) field.value = [...tags, tag].join(", ");
  field.focus();
}

/** @param {string} text */
const split = (text) => text.split(",").map((tag) => tag.trim()).filter(Boolean);

/** @param {Entry} entry */
async function open(entry) {
  await trying(async () => {
    const { values } = await ask("cache/value", { name: shown.cache, id: entry.id });
    const body = element("value-body");
    element("value-title").replaceChildren(name(entry.name));
    const about = values.map((/** @type {any} */ { kind, bytes, cut }) => `${kind}, ${size(bytes)}${cut ? ", the beginning of it" : ""}`);
    element("value-about").textContent = about.join("; ");
    body.replaceChildren(...values.map((/** @type {any} */ value) => make("pre", { tabindex: "0", "aria-label": "Value", text: pretty(value) })));
    /** @type {HTMLDialogElement} */ (element("value")).showModal();
  });
}

/** @param {{kind: string, text: string}} value */
function pretty({ kind, text }) {
  try {
    return kind === "json" ? JSON.stringify(JSON.parse(text), null, 2) : text;
  } catch {
    return text;
  }
}

/** @param {Entry} entry @param {HTMLElement} row */
async function remove(entry, row) {
  await trying(async () => {
    const { deleted } = await ask("cache/delete", { name: shown.cache, id: entry.id });
    const next = /** @type {HTMLElement | null} */ ((row.nextElementSibling ?? row.previousElementSibling)?.querySelector("button") ?? null);
    row.remove();
    count--;
    // Who goes by keyboard stays in the list.
    (next ?? input(fields, "name")).focus();
    say(deleted ? "Deleted." : "It was gone already.");
  });
}

tagsForm.addEventListener("submit", async (event) => {
  event.preventDefault();
  const expire = /** @type {HTMLButtonElement | null} */ (/** @type {SubmitEvent} */ (event).submitter)?.value === "stale";
  const tags = split(input(tagsForm, "tags").value);
  const cache = shown.cache || input(fields, "name").value;
  if (tags.length === 0) return;
  const what = expire ? "stale" : "gone";
  if (!(await sure(`Make them ${what}?`, `Every entry of the cache ${cache} with one of these tags becomes ${what}: ${tags.join(", ")}.`))) return;
  await trying(async () => {
    await ask("cache/invalidate", { name: cache, tags, shards: input(tagsForm, "shards").valueAsNumber, expire });
    shown = { cache, match: shown.match, cursor: "0" };
    await page();
    say(`${tags.length === 1 ? "The tag's entries are" : "The tags' entries are"} ${what}. ${element("cache-said").textContent}`);
  });
});
