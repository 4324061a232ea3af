// Elements, and how numbers and times are written. Whatever comes from outside is text, never markup.

/** An element of the page, which has it. @param {string} id @returns {HTMLElement} */
export function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no ${id}`);
  return found;
}

/** A form by its id. @param {string} id */
export const form = (id) => /** @type {HTMLFormElement} */ (element(id));

/**
 * A new element. `text` is its text, a function listens to the event of its name, the rest are attributes.
 * @param {string} name @param {Record<string, unknown>} [attributes] @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function make(name, attributes = {}, ...children) {
  return /** @type {HTMLElement} */ (dress(document.createElement(name), attributes, children));
}

/** The same of a drawing. @param {string} name @param {Record<string, unknown>} [attributes] @param {...(Node | string)} children */
export function draw(name, attributes = {}, ...children) {
  return dress(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

/** @param {Element} made @param {Record<string, unknown>} attributes @param {(Node | string)[]} children */
function dress(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(name, /** @type {EventListener} */ (value));
    else if (name === "text") made.textContent = String(value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children);
  return made;
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** @param {number} count */
export const number = (count) => whole.format(count);

/** A share of a whole: `98.5 %`. @param {number} part @param {number} all */
export function share(part, all) {
  if (all === 0) return "–";
  const percent = (part / all) * 100;
  return `${percent > 0 && percent < 99.95 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}

/** A length of time. @param {number} ms */
export function duration(ms) {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  for (const [unit, of, below] of /** @type {const} */ ([["s", 1_000, 120_000], ["min", 60_000, 7_200_000], ["h", 3_600_000, 172_800_000]])) {
    if (ms < below) return ms < 10 * of ? `${(ms / of).toFixed(1)} ${unit}` : `${Math.round(ms / of)} ${unit}`;
  }
  return `${number(Math.round(ms / 86_400_000))} d`;
}

/** @param {number} bytes */
export const size = (bytes) => (bytes < 1_024 ? `${bytes} B` : bytes < 1 << 20 ? `${(bytes / 1_024).toFixed(1)} KB` : `${(bytes / (1 << 20)).toFixed(1)} MB`);

const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

const calendar = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

/** An instant: the time of day, with the day where it is not within 12 hours. @param {number} at */
export const time = (at) => (Math.abs(at - Date.now()) < 43_200_000 ? clock : calendar).format(at);

/**
 * A table; a column of numbers is named with a `#` in front. In place of no rows it says why there are none.
 * @param {string[]} columns @param {(Node | string)[][]} rows @param {string} none
 */
export function table(columns, rows, none) {
  if (rows.length === 0) return make("p", { class: "none", text: none });
  const numeric = columns.map((name) => name.startsWith("#"));
  const head = columns.map((name, at) => make("th", { scope: "col", class: numeric[at] && "n" }, name.replace("#", "")));
  const body = rows.map((row) => make("tr", {}, ...row.map((cell, at) => make(at ? "td" : "th", { scope: at ? undefined : "row", class: numeric[at] && "n" }, cell))));
  return make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body));
}

/** A name from outside, by itself in whatever direction it is written. @param {string} text */
export const name = (text) => make("bdi", { class: "name", text, title: text });

/** A bar of a share, for the eye alone. @param {number} part @param {number} all @param {string} kind */
export function meter(part, all, kind) {
  const bar = make("span", { class: `meter ${kind}`, "aria-hidden": "true" }, make("i"));
  /** @type {HTMLElement} */ (bar.firstChild).style.width = `${all ? (part / all) * 100 : 0}%`;
  return bar;
}

/** Asks before what cannot be undone. @param {string} title @param {string} text @returns {Promise<boolean>} */
export function sure(title, text) {
  const dialog = /** @type {HTMLDialogElement} */ (element("sure"));
  element("sure-title").textContent = title;
  element("sure-text").textContent = text;
  return new Promise((resolve) => {
    let yes = false;
    element("sure-yes").onclick = () => {
      yes = true;
      dialog.close();
    };
    element("sure-no").onclick = () => dialog.close();
    dialog.onclose = () => resolve(yes);
    dialog.showModal();
  });
}
