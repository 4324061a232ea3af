// Queues: plain JavaScript over scripts that the crate has too, and any entry's Redis.

import COUNTS from "#lua/queue_counts.js";
import DEAD from "#lua/queue_dead.js";
import ENQUEUE from "#lua/queue_enqueue.js";
import SCHEDULE from "#lua/queue_schedule.js";
import SETTLE from "#lua/queue_settle.js";
import TAKE from "#lua/queue_take.js";
import { drain } from "./drain.js";
import { milliseconds } from "./duration.js";
import { bad, EdgeError, wrong } from "./error.js";
import { jsonOf, parsed } from "./json.js";
import { bytesOf, counted, named, nonce, part } from "./part.js";

export { EdgeError };

/** @typedef {import("../index.js").Redis} Redis */
/** @typedef {{id: string, payload: any, attempts: number, leasedUntil: number}} Job */
/** @typedef {[job: Job, what: string, rest: string | number]} Verdict as src/lua/queue_settle.lua has it */

const MOST_BYTES = 65_536;
/** Of what a job died, in bytes that are kept. */
const LONGEST_REASON = 200;
/** The year 9999's end. */
const LATEST = 253_402_300_799_999;

/** Its lease's token, by a job that was taken. @type {WeakMap<object, string>} */
const tokens = new WeakMap();

/** @param {string} name @param {any} value @param {number} most @returns {number} */
function whole(name, value, most) {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw wrong(`${name} must be a whole number, 1 to ${most}`);
}

/** @param {unknown} payload */
function written(payload) {
  const json = jsonOf(payload);
  if (bytesOf(json) > MOST_BYTES) throw bad(`payload must be at most ${MOST_BYTES} bytes of JSON`);
  return json;
}

/** @param {any} job a job's delay or moment @returns {string | number} */
function when({ delay, at }) {
  if (delay !== undefined && at !== undefined) throw bad("a job may have delay or at, and not both");
  if (at === undefined) return `+${delay === undefined ? 0 : milliseconds("delay", delay)}`;
  if (Number.isInteger(at) && at >= 0 && at <= LATEST) return at;
  throw bad("at must be epoch milliseconds before the year 10000");
}

/** As much of it as is kept, whole characters. @param {unknown} reason */
function cut(reason) {
  let [text, bytes] = ["", 0];
  for (const character of String(reason).slice(0, LONGEST_REASON).toWellFormed()) {
    bytes += bytesOf(character);
    if (bytes > LONGEST_REASON) break;
    text += character;
  }
  return text;
}

/** @param {unknown} jobs @returns {any[]} */
function few(jobs) {
  if (Array.isArray(jobs) && jobs.length <= 1000) return jobs;
  throw bad("there must be an array of at most 1000");
}

export class Queue {
  #redis;
  #slot;
  #leaseMs;
  #attempts;
  #baseMs;
  #maxMs;
  #dead;
  #windowMs;

  /** @param {Redis} redis @param {string} name @param {any} [options] */
  constructor(redis, name, options) {
    const { lease = "30s", attempts = 5, backoff, deadLimit = 1000, keyWindow = "24h", timeout = "5s" } = options ?? {};
    const { base = "1s", max = "1h" } = backoff ?? {};
    // What is sent again is known for 60 s.
    if (milliseconds("timeout", timeout) > 30_000) throw wrong("timeout must be at most 30s");
    if (typeof redis?.with !== "function") throw wrong("redis must be a Redis of this package");
    this.#redis = redis.with({ timeout });
    this.#slot = `{${part(named("name", name))}:q}:`;
    this.#leaseMs = milliseconds("lease", lease);
    this.#attempts = whole("attempts", attempts, 1000);
    this.#baseMs = milliseconds("backoff.base", base);
    this.#maxMs = milliseconds("backoff.max", max);
    if (this.#maxMs < this.#baseMs) throw wrong("backoff.max must not be less than backoff.base");
    this.#dead = whole("deadLimit", deadLimit, 1_000_000);
    this.#windowMs = milliseconds("keyWindow", keyWindow);
  }

  /** @param {string} source @param {any[]} args @param {string[]} [keys] @param {boolean} [idempotent] @returns {Promise<any>} */
  #run(source, args, keys = [], idempotent = true) {
    const run = { keys: [`${this.#slot}j`, `${this.#slot}r`, ...keys], args: [Date.now(), ...args] };
    return this.#redis.with({ idempotent }).script(source).run(run);
  }

  /** @param {unknown} payload @param {object} [options] */
  async enqueue(payload, options) {
    const [one] = await this.enqueueMany([{ ...options, payload }]);
    return /** @type {{id: string, added: boolean}} */ (one);
  }

  /** @param {any[]} jobs @returns {Promise<{id: string, added: boolean}[]>} */
  async enqueueMany(jobs) {
    if (few(jobs).length === 0) return [];
    const call = nonce();
    const keys = [`${this.#slot}n:${call}`];
    const args = jobs.flatMap(({ payload, key, ...rest }) => {
      const place = key === undefined ? 0 : keys.push(`${this.#slot}k:${part(named("key", key))}`) + 2;
      return [written(payload), when(rest), place];
    });
    /** @type {string[]} */
    const ids = await this.#run(ENQUEUE, [call, this.#windowMs, ...args], keys);
    return ids.map((id, at) => ({ id, added: id === `${call}.${String(at).padStart(3, "0")}` }));
  }

  /** @param {number} n @returns {Promise<Job[]>} */
  async take(n) {
    const token = nonce();
    const args = [counted("n", n), this.#leaseMs, this.#attempts, this.#dead, token];
    const [leasedUntil, ...taken] = await this.#run(TAKE, args, [`${this.#slot}n:${token}`]);
    const jobs = [];
    for (let at = 0; at < taken.length; at += 3) {
      const job = { id: taken[at], payload: parsed(taken[at + 2]), attempts: Number(taken[at + 1]), leasedUntil: Number(leasedUntil) };
      tokens.set(job, token);
      jobs.push(job);
    }
    return jobs;
  }

  /** @param {Verdict[]} verdicts @returns {Promise<boolean[]>} */
  async #settle(verdicts) {
    const args = verdicts.flatMap(([job, what, rest]) => {
      const token = tokens.get(job);
      if (token === undefined) throw bad("job must be one that take gave");
      return [job.id, token, what, rest];
    });
    const told = await this.#run(SETTLE, [this.#dead, ...args], [`${this.#slot}n:${nonce()}`]);
    return [...told].map((digit) => digit === "1");
  }

  /** @param {Verdict} verdict */
  async #settled(verdict) {
    const [held = false] = await this.#settle([verdict]);
    return held;
  }

  /** A failure, as a verdict. @param {Job} job @param {unknown} reason @param {number} [delayMs] @returns {Verdict} */
  #failed(job, reason, delayMs) {
    if (job.attempts >= this.#attempts) return [job, "x", cut(reason)];
    const most = Math.min(this.#baseMs * 2 ** (job.attempts - 1), this.#maxMs);
    return [job, "r", delayMs ?? Math.round((most * (1 + Math.random())) / 2)];
  }

  /** @param {Job} job */
  async ack(job) {
    return this.#settled([job, "a", ""]);
  }

  /** @param {Job} job @param {{delay?: string, reason?: string}} [options] */
  async retry(job, options) {
    const { delay, reason = "it was put off for the last time" } = options ?? {};
    return this.#settled(this.#failed(job, reason, delay === undefined ? undefined : milliseconds("delay", delay)));
  }

  /** @param {Job} job @param {string} reason */
  async bury(job, reason) {
    return this.#settled([job, "x", cut(reason)]);
  }

  /** @param {Job} job @param {string} lease */
  async extend(job, lease) {
    return this.#settled([job, "e", milliseconds("lease", lease)]);
  }

  /** @param {string} id @param {string} every @param {unknown} payload @returns {Promise<void>} */
  async schedule(id, every, payload) {
    await this.#run(SCHEDULE, [`*${named("id", id)}`, written(payload), milliseconds("every", every)]);
  }

  /** @param {string} id @returns {Promise<void>} */
  async unschedule(id) {
    await this.#run(SCHEDULE, [`*${named("id", id)}`, "", ""]);
  }

  /** @param {number} n */
  async dead(n) {
    /** @type {string[]} */
    const listed = await this.#run(DEAD, ["list", counted("n", n)]);
    const jobs = [];
    for (let at = 0; at < listed.length; at += 5) {
      const [id = "", diedAt, attempts, reason = "", json = ""] = listed.slice(at, at + 5);
      jobs.push({ id, payload: parsed(json), attempts: Number(attempts), diedAt: Number(diedAt), reason });
    }
    return jobs;
  }

  /** @param {string} what @param {string[]} [ids] @returns {Promise<number>} */
  async #endDead(what, ids) {
    if (ids && !few(ids).every((id) => typeof id === "string")) throw bad("ids must be an array of strings");
    if (ids?.length === 0) return 0;
    // Sent again it would not count what it has dealt with, or deal with a thousand more.
    return this.#run(DEAD, [what, 1000, ...(ids ?? [])], [], false);
  }

  /** @param {string[]} [ids] */
  async requeue(ids) {
    return this.#endDead("requeue", ids);
  }

  /** @param {string[]} [ids] */
  async purge(ids) {
    return this.#endDead("purge", ids);
  }

  async counts() {
    const [ready, delayed, leased, dead, oldestReadyMs] = await this.#run(COUNTS, []);
    return { ready, delayed, leased, dead, oldestReadyMs };
  }

  /** @param {(job: Job, context: any) => unknown} handler @param {any} [options] */
  drain(handler, options) {
    return drain(
      {
        take: (n) => this.take(n),
        settle: (verdicts) => this.#settle(verdicts),
        done: (job) => [job, "a", ""],
        failed: (job, error) => this.#failed(job, /** @type {any} */ (error)?.message ?? error),
        extend: (job, lease) => this.extend(job, lease),
        leaseMs: this.#leaseMs,
      },
      handler,
      options ?? {},
    );
  }
}
