// The pump: owns promises, fetch, timers and abort. It decides nothing: the core says what to send and what it means.

import * as core from "#core";
import { EdgeError } from "./error.js";
import { FAILED, Tape, told } from "./tape.js";

/**
 * @typedef {object} Entry one command on its way
 * @property {string} json its words, as a JSON array
 * @property {boolean} vouched repeating it is harmless, its caller says
 * @property {boolean} raw its reply is asked for byte for byte
 * @property {number} deadline by `performance.now()`, which no one sets back
 * @property {AbortSignal} [signal]
 * @property {(value: unknown) => void} resolve
 * @property {(error: unknown) => void} reject
 * @property {boolean} [over] settled, one way or the other
 * @property {() => void} [left] tells the batch it is in that nobody waits for it any more
 *
 * @typedef {object} Server where and how
 * @property {string} url
 * @property {Record<string, string>} headers those that ask for RESP2
 * @property {Record<string, string>} base64Headers those that ask for base64
 * @property {typeof fetch} fetch
 * @property {RequestCache} [cache]
 * @property {boolean} readYourWrites
 * @property {{attempts: number, baseMs: number, maxMs: number}} retry
 * @property {(event: object) => unknown} [onRequest]
 *
 * @typedef {{entries: Entry[], atomic: boolean}} Group commands that travel together; at once or none, if atomic
 */

/** More commands than this go in several requests, one after the other. */
const MOST = 1000;

/** Timers hold 31 bits; one that wrapped would fire at once, again and again. */
const LONGEST_TIMER = 2 ** 31 - 1;

export const now = () => performance.now();

/** @param {Entry} entry @param {unknown} value @param {unknown} [error] */
function settle(entry, value, error) {
  if (entry.over) return;
  entry.over = true;
  if (error) entry.reject(error);
  else entry.resolve(value);
  entry.left?.();
}

/**
 * Sends groups one after the other and settles every entry in them. Never rejects.
 * @param {Server} server @param {Group[]} groups
 */
export async function send(server, groups) {
  const entries = groups.flatMap((group) => group.entries);
  const guard = new Guard(entries);
  try {
    for (const { entries, atomic } of groups) {
      const most = atomic ? Infinity : MOST;
      for (let at = 0; at < entries.length; at += most) await sendOne(server, entries.slice(at, at + most), atomic, guard);
    }
  } catch (cause) {
    for (const entry of entries) settle(entry, undefined, new EdgeError("corrupt", "the client failed", cause));
  } finally {
    guard.end();
    for (const entry of entries) settle(entry, undefined, new EdgeError("corrupt", "a command was never answered"));
  }
}

/** @param {Server} server @param {Entry[]} asked @param {boolean} atomic @param {Guard} guard */
async function sendOne(server, asked, atomic, guard) {
  guard.check();
  const waiting = asked.filter(({ over }) => !over);
  if (waiting.length === 0) return;
  const latest = waiting.reduce((latest, { deadline }) => Math.max(latest, deadline), 0);
  const handle = core.begin(now(), latest + 60_000, atomic);
  if (Number.isNaN(handle)) {
    for (const entry of waiting) settle(entry, undefined, new EdgeError("quota_exceeded", "too many requests of this program are under way"));
    return;
  }
  try {
    // Commands that cannot be sent are told so, and take no place among the others.
    /** @type {EdgeError | undefined} */
    let refused = atomic && waiting.length < asked.length ? new EdgeError("aborted", "a part of the transaction was given up") : undefined;
    const entries = waiting.filter((entry) => {
      const problem = core.push(handle, entry.json, entry.vouched);
      if (!problem) return true;
      refused ??= told(problem);
      settle(entry, undefined, told(problem));
      return false;
    });
    if (atomic && refused) for (const entry of entries) settle(entry, undefined, refused);
    else await new Batch(server, handle, entries, atomic).run();
  } finally {
    core.end(handle);
  }
}

/** Deadlines and aborts of many entries, from the tick they were asked in to their end. */
class Guard {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer;
  /** @type {[AbortSignal, () => void][]} */
  listeners = [];

  /** @param {Entry[]} entries */
  constructor(entries) {
    this.entries = entries;
    for (const entry of entries) {
      const { signal } = entry;
      if (!signal) continue;
      const leave = () => settle(entry, undefined, new EdgeError("aborted", "the caller aborted it", signal.reason));
      if (signal.aborted) leave();
      else {
        signal.addEventListener("abort", leave, { once: true });
        this.listeners.push([signal, leave]);
      }
    }
    this.watch();
  }

  /** Tells each entry whose deadline has passed; when the next one passes. */
  check() {
    const time = now();
    let next = Infinity;
    for (const entry of this.entries) {
      if (entry.over) continue;
      if (entry.deadline <= time) settle(entry, undefined, new EdgeError("timeout", "no answer within the time allowed"));
      else next = Math.min(next, entry.deadline);
    }
    return next - time;
  }

  watch() {
    const left = this.check();
    if (left < Infinity) this.timer = setTimeout(() => this.watch(), Math.min(Math.ceil(left), LONGEST_TIMER));
  }

  end() {
    clearTimeout(this.timer);
    for (const [signal, leave] of this.listeners) signal.removeEventListener("abort", leave);
  }
}

class Batch {
  /** @type {Uint8Array[]} */
  answers = [];
  attempt = 0;
  waiting;
  /** Ends what is being waited for: a fetch, or the pause before the next one. */
  interrupt = new AbortController();

  /** @param {Server} server @param {number} handle @param {Entry[]} entries @param {boolean} atomic */
  constructor(server, handle, entries, atomic) {
    this.server = server;
    this.path = atomic ? "/multi-exec" : "/pipeline";
    this.handle = handle;
    this.entries = entries;
    this.waiting = entries.length;
    const { signal } = this.interrupt;
    // For a fetch that does not listen to its signal.
    this.interrupted = new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    entries.forEach((entry, index) => {
      entry.left = () => {
        this.waiting -= 1;
        core.leave(handle, index);
        // The fetch is aborted only when nobody waits for it any more.
        if (this.waiting === 0) this.interrupt.abort();
      };
    });
  }

  async run() {
    while (this.waiting > 0) {
      const body = core.write(this.handle, this.server.url);
      if (!body) return;
      const wait = await this.exchange(body);
      if (wait > 0 && this.waiting > 0) await this.pause(wait);
    }
  }

  /** @param {number} ms */
  async pause(ms) {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    await Promise.race([this.interrupted, new Promise((resolve) => (timer = setTimeout(resolve, ms)))]);
    clearTimeout(timer);
  }

  /** One request; how long to wait before the next. @param {Uint8Array<ArrayBuffer>} body */
  async exchange(body) {
    const carried = this.waiting;
    const started = now();
    this.attempt += 1;
    const { answer, lines = "", status = 0, cause } = await this.fetched(body);
    const { url } = this.server;
    const wait = answer
      ? core.read(this.handle, url, status, lines, answer, this.ending())
      : core.lost(this.handle, url, this.ending());
    if (answer && core.answers(this.handle) > this.answers.length) {
      const asSent = lines.startsWith("application/octet-stream");
      this.answers.push(asSent ? answer : (core.answer(this.handle) ?? answer));
    }
    const error = this.read(cause);
    this.tell({ count: carried, attempt: this.attempt, durationMs: now() - started, bytesOut: body.length, bytesIn: answer?.length ?? 0, error });
    return wait;
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} body
   * @returns {Promise<{answer?: Uint8Array, lines?: string, status?: number, cause?: unknown}>}
   */
  async fetched(body) {
    const { url, cache, readYourWrites } = this.server;
    const token = readYourWrites ? core.sync_token(url) : undefined;
    const asked = async () => {
      const response = await (0, this.server.fetch)(url + this.path, {
        method: "POST",
        // A copy: what wraps fetch may write into it.
        headers: { ...(core.asks_base64(this.handle) ? this.server.base64Headers : this.server.headers), ...(token && { "upstash-sync-token": token }) },
        body,
        // A redirect would carry keys and values to another host.
        redirect: "manual",
        signal: this.interrupt.signal,
        ...(cache && { cache }),
      });
      const answer = new Uint8Array(await response.arrayBuffer());
      const said = (/** @type {string} */ name) => response.headers.get(name) ?? "";
      return { answer, status: response.status, lines: `${said("content-type")}\n${said("upstash-sync-token")}\n${said("retry-after")}` };
    };
    return Promise.race([asked().catch((cause) => ({ cause })), this.interrupted.then(() => ({}))]);
  }

  ending() {
    const { attempts, baseMs, maxMs } = this.server.retry;
    const latest = this.entries.reduce((latest, { over, deadline }) => (over ? latest : Math.max(latest, deadline)), 0);
    return new core.Ending(attempts, baseMs, maxMs, Math.max(0, latest - now()), Math.random());
  }

  /** Settles what the last answer settled; the code of an error, if there was one. @param {unknown} cause */
  read(cause) {
    const tape = new Tape(core.settled(this.handle));
    let code;
    while (!tape.done) {
      const index = tape.next();
      const entry = /** @type {Entry} */ (this.entries[index]);
      const answer = tape.next();
      if (answer === FAILED) {
        const error = told(core.failure(this.handle, index), cause);
        if (!entry.over) code = error.code;
        settle(entry, undefined, error);
      } else {
        settle(entry, tape.value(/** @type {Uint8Array} */ (this.answers[answer]), entry.raw));
      }
    }
    return code;
  }

  /** What listens in must not change what happens. @param {object} event */
  async tell(event) {
    try {
      await this.server.onRequest?.(event);
    } catch {
      // Its own affair.
    }
  }
}
