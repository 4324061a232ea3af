// The console: who is signed in, which panel is shown, and whether Redis is there.

import { ask, health, listen, Problem, reason } from "./api.js";
import * as cache from "./cache.js";
import { duration, element, form, time } from "./dom.js";
import * as overview from "./overview.js";
import * as playground from "./playground.js";
import * as sessions from "./sessions.js";
import { theme } from "./theme.js";

/** @typedef {{show(): void, hide?(): void, told?(metrics: any): void, clear(): void}} Panel */
/** @type {Record<string, Panel>} */
const PANELS = { overview, playground, cache, sessions };

/** Short polling and no event stream: one look is one round trip and then nothing is held open; a hidden tab asks nothing,
 * and after an outage the next look is the recovery. */
const EVERY_MS = 5_000;
const AWAY_MS = 2_000;
/** Health writes a key and reads it, so it is asked less often while all is well. */
const HEALTH_MS = 15_000;

/** @typedef {"loading" | "setup" | "sign-in" | "console"} View */
let shown = "";
let lastLook = 0;
let lastHealth = 0;
/** When what is shown is from. */
let asOf = 0;
let away = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @returns {View} */
const view = () => /** @type {View} */ (document.body.dataset.view);

/** @param {View} next */
function turnTo(next) {
  const before = view();
  if (before === next) return;
  document.body.dataset.view = next;
  element("sign-in").hidden = next !== "sign-in";
  element("setup").hidden = next !== "setup";
  if (before === "console") for (const panel of Object.values(PANELS)) panel.clear();
  route();
  if (next === "sign-in") element("token").focus();
}

function route() {
  const name = location.hash.slice(1);
  const next = view() === "console" ? (Object.hasOwn(PANELS, name) ? name : "overview") : "";
  if (next === shown) return;
  if (shown) PANELS[shown]?.hide?.();
  shown = next;
  for (const panel of Object.keys(PANELS)) element(panel).hidden = panel !== next;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === `#${next}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = next ? `${element(`${next}-title`).textContent} · upstash-edge console` : "upstash-edge console";
  if (next) PANELS[next]?.show();
}

listen((problem) => {
  if (problem?.status === 401 && view() === "console") {
    turnTo("sign-in");
    element("sign-in-problem").textContent = "Your session is over: sign in again.";
  } else if (problem?.code === "not_configured") {
    turnTo("setup");
  }
  const outage = problem?.isOutage ?? false;
  if (outage === away) return;
  away = outage;
  document.body.classList.toggle("away", away);
  element("banner").textContent = problem && away ? banner(problem) : "";
  lastHealth = 0;
  if (timer !== undefined) plan();
});

/** @param {Problem} problem */
function banner(problem) {
  const who = problem.status === 0 ? "The Worker does not answer." : `Redis does not answer (${problem.code}).`;
  const from = asOf ? ` What you see is from ${time(asOf)}.` : "";
  return `${who}${from} Asking again every 2 seconds.`;
}

/** Looks once, and plans the next look. */
async function look() {
  timer = undefined;
  lastLook = Date.now();
  await Promise.all([lookAtHealth(), lookAtMetrics()]);
  plan();
}

function plan() {
  clearTimeout(timer);
  if (document.hidden) return;
  timer = setTimeout(look, Math.max(0, lastLook + (away ? AWAY_MS : EVERY_MS) - Date.now()));
}

async function lookAtHealth() {
  if (!away && Date.now() - lastHealth < HEALTH_MS) return;
  lastHealth = Date.now();
  const found = await health();
  element("health").dataset.status = found.status;
  const why = found.error ? ` (${found.error})` : found.latencyMs === undefined ? "" : `, ${duration(found.latencyMs)}`;
  element("health-text").textContent = found.status;
  element("health-more").textContent = why;
}

async function lookAtMetrics() {
  // Elsewhere nobody is let in, or nothing is there.
  if (view() !== "console" && view() !== "loading") return;
  try {
    const metrics = await ask("metrics");
    asOf = metrics.at;
    turnTo("console");
    for (const panel of Object.values(PANELS)) panel.told?.(metrics);
  } catch (problem) {
    if (problem instanceof Problem && problem.status === 401) turnTo("sign-in");
  }
}

form("sign-in-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const token = /** @type {HTMLInputElement} */ (element("token"));
  const problem = element("sign-in-problem");
  problem.textContent = "";
  try {
    await ask("session", { token: token.value });
    token.value = "";
    document.body.dataset.view = "loading";
    element("sign-in").hidden = true;
    await lookAtMetrics();
    element("main").focus();
  } catch (error) {
    const wait = error instanceof Problem && error.retryAfterMs ? ` Try again in ${duration(error.retryAfterMs)}.` : "";
    problem.textContent = `Not signed in: ${reason(error)}.${wait}`;
    token.select();
  }
});

element("sign-out").addEventListener("click", async () => {
  try {
    await ask("session", undefined, "DELETE");
    turnTo("sign-in");
  } catch (problem) {
    // Who is not signed in has been turned away; else the banner says why it cannot be done now.
  }
});

addEventListener("hashchange", route);
document.addEventListener("visibilitychange", plan);
theme(() => overview.repaint());
void look();
