// Doing what is ready, as a Worker's cron trigger wants it: within bounds, several at once.

import { milliseconds } from "./duration.js";
import { bad, EdgeError } from "./error.js";

/** @typedef {import("./queue.js").Job} Job */
/** @typedef {import("./queue.js").Verdict} Verdict */

/**
 * @typedef {object} Source what a queue lets its drain do
 * @property {(n: number) => Promise<Job[]>} take
 * @property {(verdicts: Verdict[]) => Promise<boolean[]>} settle
 * @property {(job: Job) => Verdict} done
 * @property {(job: Job, error: unknown) => Verdict} failed
 * @property {(job: Job, lease: string) => Promise<boolean>} extend
 * @property {number} leaseMs
 */

/** What became of a job, by its verdict. @type {Record<string, "done" | "retried" | "dead">} */
const COUNTS = { a: "done", r: "retried", x: "dead" };

/** @param {string} name @param {any} value @param {number} most @returns {number} */
function bound(name, value, most) {
  if (value === most || (Number.isInteger(value) && value >= 1 && value <= most)) return value;
  throw bad(`${name} must be a whole number, 1 or more${most < Infinity ? `, ${most} at most` : ""}`);
}

/** Aborts when a lease ends. @param {number} leaseMs counted from before it was asked for */
function lapse(leaseMs) {
  const controller = new AbortController();
  const over = () => controller.abort(new EdgeError("aborted", "the job's lease has ended"));
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const set = (/** @type {number} */ ms) => {
    clearTimeout(timer);
    // Timers of the web hold 31 bits.
    timer = setTimeout(over, Math.min(ms, 2 ** 31 - 1));
  };
  set(leaseMs);
  return { signal: controller.signal, set, over, clear: () => clearTimeout(timer) };
}

/** @param {Source} queue @param {(job: Job, context: any) => unknown} handler @param {any} options */
export function drain(queue, handler, options) {
  const { waitUntil } = options;
  const drained = run(queue, handler, options);
  // Who waits is told; the runtime need not be.
  if (typeof waitUntil === "function") waitUntil(drained.catch(() => {}));
  return drained;
}

/** @param {Source} queue @param {(job: Job, context: any) => unknown} handler @param {any} options */
async function run(queue, handler, { limit = Infinity, concurrency = 10, until = Infinity, waitUntil }) {
  if (waitUntil !== undefined && typeof waitUntil !== "function") throw bad("waitUntil must be a function");
  if (typeof handler !== "function") throw bad("handler must be a function");
  if (typeof until !== "number" || Number.isNaN(until)) throw bad("until must be epoch milliseconds");
  let left = bound("limit", limit, Infinity);
  bound("concurrency", concurrency, 1000);
  const drained = { done: 0, retried: 0, dead: 0, lost: 0 };
  /** @type {Verdict[]} */
  let ended = [];
  /** @type {Promise<void> | undefined} */
  let settling;
  /** @type {Set<Promise<void>>} */
  const working = new Set();

  /** What ends while others are being settled is settled together. */
  async function settle() {
    // With all that end in the same moment.
    await new Promise((resolve) => setTimeout(resolve));
    while (ended.length > 0) {
      const batch = ended;
      ended = [];
      // Redis could not be told: they are done again.
      const told = await queue.settle(batch).catch(() => []);
      for (const [at, [, what]] of batch.entries()) drained[told[at] ? (COUNTS[what] ?? "done") : "lost"] += 1;
    }
    settling = undefined;
  }

  /** @param {Job} job @param {number} askedAt */
  async function work(job, askedAt) {
    const lease = lapse(queue.leaseMs - (Date.now() - askedAt));
    const extend = async (/** @type {string} */ longer) => {
      const [from, ms] = [Date.now(), milliseconds("lease", longer)];
      const held = await queue.extend(job, longer);
      if (held) lease.set(ms - (Date.now() - from));
      else lease.over();
      return held;
    };
    try {
      await handler(job, { signal: lease.signal, extend });
      ended.push(queue.done(job));
    } catch (error) {
      ended.push(queue.failed(job, error));
    }
    lease.clear();
    settling ??= settle();
  }

  /** @type {{error: unknown} | undefined} */
  let failure;
  while (left > 0 && Date.now() < until) {
    // When half of them have ended: a take costs the same for one as for many.
    if (working.size > concurrency / 2) {
      await Promise.race(working);
      continue;
    }
    const askedAt = Date.now();
    const jobs = await queue.take(Math.min(concurrency - working.size, left)).catch((error) => void (failure = { error }));
    if (!jobs?.length) break;
    left -= jobs.length;
    for (const job of jobs) {
      const one = work(job, askedAt).finally(() => working.delete(one));
      working.add(one);
    }
  }
  await Promise.all(working);
  await settling;
  if (failure) throw failure.error;
  return drained;
}
