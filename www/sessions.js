// Where a user is logged in, and ending that.

import { ask, reason } from "./api.js";
import { duration, element, form, make, name, number, sure, table, time } from "./dom.js";

/** @typedef {{handle: string, createdAt: number, lastSeenAt: number, expiresAt: number, info: Record<string, string>}} Told */

const fields = form("users");
const input = /** @type {HTMLInputElement} */ (fields.elements.namedItem("user"));
/** Whose sessions are shown. */
let user = "";

export function show() {}

export function clear() {
  user = "";
  input.value = "";
  element("session-list").replaceChildren();
  element("session-list").hidden = true;
  element("revoke-all").hidden = true;
  element("sessions-said").textContent = "";
  element("sessions-problem").textContent = "";
}

/** @param {{sessions: boolean}} metrics */
export function told({ sessions }) {
  if (!sessions) element("sessions-problem").textContent = "This Worker has no sessions: SESSION_SECRETS is not set.";
}

fields.addEventListener("submit", (event) => {
  event.preventDefault();
  user = input.value;
  void trying(() => list());
});

/** @param {() => Promise<void>} act */
async function trying(act) {
  const problem = element("sessions-problem");
  problem.textContent = "";
  try {
    await act();
  } catch (error) {
    problem.textContent = `Not done: ${reason(error)}.`;
  }
}

async function list(before = "") {
  /** @type {{now: number, sessions: Told[]}} */
  const { now, sessions } = await ask("sessions", { user });
  const place = element("session-list");
  place.replaceChildren(
    table(
      ["Session", "#Began", "#Last visit", "#Ends", "Told at login", "#End it"],
      sessions.map((it) => [
        make("code", { text: `${it.handle.slice(0, 11)}…`, title: it.handle }),
        time(it.createdAt),
        now - it.lastSeenAt < 1_000 ? "now" : `${duration(now - it.lastSeenAt)} ago`,
        `in ${duration(Math.max(0, it.expiresAt - now))}`,
        name(Object.entries(it.info).map(([key, value]) => `${key}: ${value}`).join(", ") || "–"),
        make("button", { type: "button", class: "quiet", click: () => revoke(it), "aria-label": `Revoke the session ${it.handle}` }, "Revoke"),
      ]),
      "No session.",
    ),
  );
  place.hidden = false;
  element("revoke-all").hidden = sessions.length === 0;
  const count = sessions.length === 1 ? "1 session" : `${number(sessions.length)} sessions`;
  element("sessions-said").replaceChildren(before, `${count} of `, name(user), ".");
}

/** @param {Told} session */
async function revoke({ handle }) {
  await trying(async () => {
    const { revoked } = await ask("sessions/revoke", { user, handle });
    await list(revoked ? "Revoked. " : "It had ended already. ");
    /** @type {HTMLElement} */ (element("session-list").querySelector("button") ?? input).focus();
  });
}

element("revoke-all").addEventListener("click", async () => {
  if (!(await sure("Revoke all?", `Every session of ${user} ends at once, wherever it is.`))) return;
  await trying(async () => {
    const { revoked } = await ask("sessions/revoke", { user, all: true });
    await list(`${number(revoked)} revoked. `);
    input.focus();
  });
});
