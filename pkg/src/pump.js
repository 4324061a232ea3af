// The pump: owns promises, fetch, timers and abort. It decides nothing: the core says what to send and what it means.

import * as core from "#core";
import { EdgeError } from "./error.js";
import { FAILED, Tape } from "./tape.js";

/**
 * @typedef {object} Entry one command on its way
 * @property {string} json its words, as a JSON array
 * @property {boolean} vouched repeating it is harmless, its caller says
 * @property {boolean} raw its reply is asked for byte for byte
 * @property {number} deadline
 * @property {AbortSignal} [signal]
 * @property {(value: unknown) => void} resolve
 * @property {(error: unknown) => void} reject
 * @property {boolean} [over] settled, one way or the other
 * @property {() => void} [onAbort]
 *
 * @typedef {object} Server where and how
 * @property {string} url
 * @property {Record<string, string>} headers those that ask for RESP2
 * @property {Record<string, string>} base64Headers those that ask for base64
 * @property {typeof fetch} fetch
 * @property {RequestCache} [cache]
 * @property {boolean} readYourWrites
 * @property {{attempts: number, baseMs: number, maxMs: number}} retry
 * @property {(event: object) => void} [onRequest]
 */

/** @param {Entry} entry @param {unknown} value @param {unknown} [error] */
function settle(entry, value, error) {
  if (entry.over) return;
  entry.over = true;
  if (entry.onAbort) entry.signal?.removeEventListener("abort", entry.onAbort);
  if (error) entry.reject(error);
  else entry.resolve(value);
}

/** An error as the core writes it: `code: message`. @param {string} text */
function told(text) {
  const colon = text.indexOf(": ");
  return new EdgeError(/** @type {any} */ (text.slice(0, colon)), text.slice(colon + 2));
}

/** @param {AbortSignal} signal */
const aborted = (signal) => new EdgeError("aborted", "the caller aborted it", signal.reason);

/**
 * Sends entries as one batch and settles each of them.
 * @param {Server} server @param {Entry[]} asked @param {boolean} [atomic] all at once, or none
 */
export async function send(server, asked, atomic = false) {
  const latest = asked.reduce((latest, { deadline }) => Math.max(latest, deadline), 0);
  const handle = core.begin(Date.now(), latest + 60_000, atomic);
  if (Number.isNaN(handle)) {
    for (const entry of asked) settle(entry, undefined, new EdgeError("too_large", "too many requests are under way"));
    return;
  }
  try {
    // Commands that cannot be sent are told so, and take no place among the others.
    const entries = asked.filter((entry) => {
      const { signal } = entry;
      if (signal?.aborted) settle(entry, undefined, aborted(signal));
      if (entry.over) return false;
      const refused = core.push(handle, entry.json, entry.vouched);
      if (refused) settle(entry, undefined, told(refused));
      return !refused;
    });
    await new Batch(server, handle, entries, atomic).run();
  } catch (cause) {
    for (const entry of asked) settle(entry, undefined, new EdgeError("corrupt", "the client failed", cause));
  } finally {
    core.end(handle);
  }
}

/** Timers hold 31 bits; one that wrapped would fire at once, again and again. */
const LONGEST_TIMER = 2 ** 31 - 1;

class Batch {
  /** @type {Uint8Array[]} */
  answers = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer;
  /** Ends what is being waited for: a fetch, or the pause before the next one. */
  interrupt = new AbortController();

  /** @param {Server} server @param {number} handle @param {Entry[]} entries @param {boolean} atomic */
  constructor(server, handle, entries, atomic) {
    this.server = server;
    this.path = atomic ? "/multi-exec" : "/pipeline";
    this.handle = handle;
    this.entries = entries;
  }

  async run() {
    this.entries.forEach((entry, index) => {
      const { signal } = entry;
      if (!signal) return;
      entry.onAbort = () => this.leave(index, aborted(signal));
      signal.addEventListener("abort", entry.onAbort, { once: true });
    });
    this.watch();
    try {
      for (;;) {
        const body = this.entries.every(({ over }) => over) ? undefined : core.write(this.handle, this.server.url);
        if (!body) return;
        const wait = await this.exchange(body);
        this.read();
        if (wait > 0) await this.pause(wait);
      }
    } finally {
      clearTimeout(this.timer);
    }
  }

  /** Tells each entry whose deadline has passed, and wakes for the next one. */
  watch() {
    const now = Date.now();
    let next = Infinity;
    this.entries.forEach((entry, index) => {
      if (entry.over) return;
      if (entry.deadline <= now) this.leave(index, new EdgeError("timeout", "no answer within the time allowed"));
      else next = Math.min(next, entry.deadline);
    });
    if (next < Infinity) this.timer = setTimeout(() => this.watch(), Math.min(next - now, LONGEST_TIMER));
  }

  /** One caller goes; the fetch is aborted only when nobody waits for it any more. @param {number} index @param {EdgeError} error */
  leave(index, error) {
    const entry = this.entries[index];
    if (!entry || entry.over) return;
    settle(entry, undefined, error);
    core.leave(this.handle, index);
    if (this.entries.every(({ over }) => over)) this.interrupt.abort();
  }

  /** @param {number} ms */
  pause(ms) {
    const { signal } = this.interrupt;
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(undefined);
      const timer = setTimeout(resolve, ms);
      signal.addEventListener("abort", () => (clearTimeout(timer), resolve(undefined)), { once: true });
    });
  }

  /** One request; how long to wait before the next. @param {Uint8Array<ArrayBuffer>} body */
  async exchange(body) {
    const { url, cache, readYourWrites } = this.server;
    const headers = core.asks_base64(this.handle) ? this.server.base64Headers : this.server.headers;
    const token = readYourWrites ? core.sync_token(url) : undefined;
    const started = Date.now();
    /** @type {Uint8Array | undefined} */
    let answer;
    let wait;
    try {
      const response = await (0, this.server.fetch)(url + this.path, {
        method: "POST",
        headers: token ? { ...headers, "upstash-sync-token": token } : headers,
        body,
        signal: this.interrupt.signal,
        ...(cache && { cache }),
      });
      answer = new Uint8Array(await response.arrayBuffer());
      const said = (/** @type {string} */ name) => response.headers.get(name) ?? "";
      const lines = `${said("content-type")}\n${said("upstash-sync-token")}\n${said("retry-after")}`;
      wait = core.read(this.handle, url, response.status, lines, answer, this.ending());
      if (core.answers(this.handle) > this.answers.length) {
        this.answers.push(lines.startsWith("application/octet-stream") ? answer : (core.answer(this.handle) ?? answer));
      }
    } catch (cause) {
      this.cause = cause;
      wait = core.lost(this.handle, url, this.ending());
    }
    this.server.onRequest?.({
      count: this.entries.length,
      durationMs: Date.now() - started,
      bytesOut: body.length,
      bytesIn: answer?.length ?? 0,
    });
    return wait;
  }

  ending() {
    const { attempts, baseMs, maxMs } = this.server.retry;
    const latest = this.entries.reduce((latest, { over, deadline }) => (over ? latest : Math.max(latest, deadline)), 0);
    return new core.Ending(attempts, baseMs, maxMs, Math.max(0, latest - Date.now()), Math.random());
  }

  /** Settles what the last answer settled. */
  read() {
    const tape = new Tape(core.settled(this.handle));
    while (!tape.done) {
      const index = tape.next();
      const entry = /** @type {Entry} */ (this.entries[index]);
      const answer = tape.next();
      if (answer === FAILED) {
        const error = told(core.failure(this.handle, index));
        if (this.cause) error.cause = this.cause;
        settle(entry, undefined, error);
      } else {
        settle(entry, tape.value(/** @type {Uint8Array} */ (this.answers[answer]), entry.raw));
      }
    }
  }
}
