// A limiter to drive: what is asked, what Redis decided, and the drawing of it.

import { ask, reason } from "./api.js";
import { duration, element, form, make, time } from "./dom.js";
import { Drawing } from "./window.js";

/** @typedef {import("./window.js").Taken} Taken */
/** @typedef {{allowed: boolean, limit: number, remaining: number, retryAfterMs: number, resetAt: number, source: string}} Decision */

const BURST = 5;

const drawing = new Drawing(element("drawing"));
/** What the drawing is of. */
let drawn = "";
/** @type {ReturnType<typeof setInterval> | undefined} */
let ticking;
/** Until when the last refusal holds, by the clock here. */
let refusedUntil = 0;

const fields = form("play");
const field = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (fields.elements.namedItem(name));

export function show() {
  drawing.start();
  ticking = setInterval(countDown, 100);
  void act("peek");
}

export function hide() {
  drawing.stop();
  clearInterval(ticking);
}

export function clear() {
  drawing.forget();
  drawn = "";
  element("verdict").replaceChildren();
  element("said").textContent = "";
}

fields.addEventListener("submit", async (event) => {
  event.preventDefault();
  const pressed = /** @type {HTMLButtonElement | null} */ (/** @type {SubmitEvent} */ (event).submitter)?.value ?? "check";
  for (let times = pressed === "burst" ? BURST : 1; times > 0; times--) {
    if (!(await act(pressed === "reset" ? "reset" : "check"))) return;
  }
});
fields.addEventListener("change", () => {
  if (fields.checkValidity()) void act("peek");
});

/** @param {"check" | "peek" | "reset"} act @returns {Promise<boolean>} whether there was an answer */
async function act(act) {
  const [id, window] = [field("id").value, field("window").value];
  const [limit, cost] = [field("limit").valueAsNumber, field("cost").valueAsNumber];
  const problem = element("play-problem");
  try {
    /** @type {{decision?: Decision, now: number, window: Taken[], windowMs: number}} */
    const answer = await ask("limit", { id, limit, window, act, ...(act === "check" && { cost }) });
    problem.textContent = "";
    const subject = JSON.stringify([id, window]);
    if (subject !== drawn || act === "reset") drawing.forget();
    drawn = subject;
    const { decision, now } = answer;
    const refused = act === "check" && decision?.allowed === false;
    drawing.told({ limit, cost, windowMs: answer.windowMs, now, window: answer.window, refused });
    if (act !== "peek") {
      refusedUntil = refused ? Date.now() + decision.retryAfterMs : 0;
      judge(decision);
    }
    return true;
  } catch (error) {
    problem.textContent = `Not asked: ${reason(error)}.`;
    return false;
  }
}

/** @param {Decision | undefined} decision */
function judge(decision) {
  const verdict = element("verdict");
  const pair = (/** @type {string} */ name, /** @type {string} */ text, kind = "") => make("div", { class: kind }, make("dt", { text: name }), make("dd", { text }));
  if (!decision) {
    verdict.replaceChildren(pair("Decision", "Forgotten"));
    element("said").textContent = "What was counted is forgotten.";
    return;
  }
  const { allowed, limit, remaining, retryAfterMs, resetAt, source } = decision;
  const wait = make("div", {}, make("dt", { text: "Retry after" }), make("dd", { id: "retry", text: allowed ? "at once" : duration(retryAfterMs) }));
  verdict.replaceChildren(
    pair("Decision", allowed ? "Allowed" : "Refused", allowed ? "is-good" : "is-bad"),
    pair("Remaining", `${remaining} of ${limit}`),
    wait,
    pair("All back", time(resetAt)),
    pair("Decided by", source),
  );
  element("said").textContent = allowed ? `Allowed, ${remaining} of ${limit} left.` : `Refused, the next can pass in ${duration(retryAfterMs)}.`;
}

function countDown() {
  if (!refusedUntil) return;
  const left = refusedUntil - Date.now();
  const shown = document.getElementById("retry");
  if (left <= 0) refusedUntil = 0;
  if (shown) shown.textContent = left > 0 ? `${(left / 1_000).toFixed(1)} s` : "now";
}
