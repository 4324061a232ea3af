// Asking the Worker. The session is a cookie that no script sees.

/** Why the Worker has no better answer. */
export class Problem extends Error {
  /** @param {number} status 0: none came @param {string} code @param {string} message @param {number} [retryAfterMs] */
  constructor(status, code, message, retryAfterMs) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether it will pass by itself: Redis, or the Worker, is away. */
  get isOutage() {
    return this.status === 0 || this.status >= 500;
  }
}

const PATIENCE_MS = 15_000;

/** Who hears of every answer: that the session is over, that Redis is away or back. @type {(problem: Problem | undefined) => void} */
let listener = () => {};

/** @param {(problem: Problem | undefined) => void} heard */
export function listen(heard) {
  listener = heard;
}

/**
 * @param {string} path below `/api/admin/` @param {object} [body] makes it a POST @param {string} [method]
 * @returns {Promise<any>}
 */
export async function ask(path, body, method = body ? "POST" : "GET") {
  const answer = await fetched(`/api/admin/${path}`, {
    method,
    ...(body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  if (answer instanceof Problem) {
    listener(answer);
    throw answer;
  }
  listener(undefined);
  return answer;
}

/** Health, whatever it is. @returns {Promise<{status: string, latencyMs?: number, error?: string}>} */
export async function health() {
  const answer = await fetched("/api/health", {}, true);
  return answer instanceof Problem ? { status: "unreachable", error: answer.code } : answer;
}

/** @param {string} path @param {RequestInit} init @param {boolean} [any] whether any JSON is an answer @returns {Promise<any>} */
async function fetched(path, init, any = false) {
  try {
    const answer = await fetch(path, { ...init, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    const json = await answer.json();
    if (answer.ok || (any && json.status)) return json;
    return new Problem(answer.status, json.error?.code ?? "unknown", json.error?.message ?? "the Worker gave no reason", json.retryAfterMs);
  } catch {
    return new Problem(0, "no_answer", "the Worker does not answer");
  }
}

/** What to tell the user of it. @param {unknown} problem */
export const reason = (problem) => (problem instanceof Problem ? `${problem.message} (${problem.code})` : "something went wrong here");
