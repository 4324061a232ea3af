// The pump: owns promises, fetch, timers and abort. It decides nothing: the core says what to send and what it means.

import * as core from "#core";
import { EdgeError } from "./error.js";
import { FAILED, Tape, told } from "./tape.js";

/**
 * @typedef {object} Entry one command on its way
 * @property {string} json its words, as a JSON array
 * @property {number[]} places those of its words that are bytes, as Latin-1; the name's is 1
 * @property {string} [source] of the script that is called: the words are then the count of keys, the keys, and the
 *   arguments, before which the places stand if there are any
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

/** Where a request goes, but for one with a path of its own. */
const PATHS = ["/", "/pipeline", "/multi-exec"];

/** No reply of Redis is larger: a record may have 100 MB. */
const LARGEST_ANSWER = 128 * 2 ** 20;

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
    for (const { entries, atomic } of groups) await sendOne(server, entries, atomic, guard);
  } catch (cause) {
    const error = failed(cause);
    for (const entry of entries) settle(entry, undefined, error);
  } finally {
    guard.end();
    for (const entry of entries) settle(entry, undefined, new EdgeError("corrupt", "a command was never answered"));
  }
}

/** @param {any} cause */
function failed(cause) {
  return /global scope/i.test(cause?.message)
    ? new EdgeError("unsupported", "this runtime sends nothing while it starts; call from within a handler", cause)
    : new EdgeError("corrupt", "the client failed", cause);
}

/** Adds a command; why it cannot be sent. @param {number} handle @param {Entry} entry */
function push(handle, { json, places, source, vouched }) {
  if (source !== undefined) core.push_script(handle, source, places.length > 0, json, vouched);
  else if (places.length > 0) return core.push_bytes(handle, json, vouched, new Uint32Array(places));
  else return core.push(handle, json, vouched);
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
      const problem = push(handle, entry);
      if (!problem) return true;
      refused ??= told(problem);
      settle(entry, undefined, told(problem));
      return false;
    });
    if (atomic && refused) for (const entry of entries) settle(entry, undefined, refused);
    else await new Batch(server, handle, entries).run();
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

/** The body, if it is not too large: at once where its length is told, else part by part. @param {Response} response */
async function whole(response) {
  const { headers, body } = response;
  const length = headers.get("content-length");
  // Of a compressed body the length says nothing of what comes out of it.
  if (!body || (length && !headers.get("content-encoding"))) {
    return Number(length) > LARGEST_ANSWER ? undefined : new Uint8Array(await response.arrayBuffer());
  }
  const parts = [];
  let size = 0;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > LARGEST_ANSWER) return undefined;
    parts.push(value);
  }
  const [first = new Uint8Array()] = parts;
  if (parts.length < 2) return first;
  const answer = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    answer.set(part, at);
    at += part.length;
  }
  return answer;
}

class Batch {
  /** @type {Uint8Array[]} */
  answers = [];
  attempt = 0;
  waiting;
  /** Ends what is being waited for: a fetch, or the pause before the next one. */
  interrupt = new AbortController();

  /** @param {Server} server @param {number} handle @param {Entry[]} entries */
  constructor(server, handle, entries) {
    this.server = server;
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
    const { url, onRequest } = this.server;
    const commands = onRequest && core.names(this.handle)?.split(" ");
    const started = now();
    this.attempt += 1;
    const { answer, lines = "", status = 0, large, cause } = await this.fetched(body);
    let wait;
    if (answer) wait = core.read(this.handle, url, status, lines, answer, this.ending());
    else if (large) wait = core.oversize(this.handle, url, this.ending());
    else wait = core.lost(this.handle, url, "location" in globalThis, this.ending());
    if (answer && core.answers(this.handle) > this.answers.length) {
      const asSent = lines.startsWith("application/octet-stream");
      this.answers.push(asSent ? answer : (core.answer(this.handle) ?? answer));
    }
    const error = this.read(cause);
    if (commands) {
      this.tell({ commands, count: commands.length, attempt: this.attempt, durationMs: now() - started, bytesOut: body.length, bytesIn: answer?.length ?? 0, error });
    }
    return wait;
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} body
   * @returns {Promise<{answer?: Uint8Array, lines?: string, status?: number, large?: boolean, cause?: unknown}>}
   */
  async fetched(body) {
    const { url, cache, readYourWrites, headers, base64Headers } = this.server;
    const token = readYourWrites ? core.sync_token(url) : undefined;
    const way = core.way(this.handle);
    const path = PATHS[way & 3];
    const asked = async () => {
      const response = await (0, this.server.fetch)(url + (path ?? core.path(this.handle)), {
        method: "POST",
        // A copy: what wraps fetch may write into it.
        headers: {
          ...(way & 4 ? base64Headers : headers),
          ...(token && { "upstash-sync-token": token }),
          ...(!path && { "content-type": "application/octet-stream" }),
        },
        body,
        // A redirect would carry keys and values to another host.
        redirect: "manual",
        signal: this.interrupt.signal,
        ...(cache && { cache }),
      });
      const answer = await whole(response);
      if (!answer) {
        this.interrupt.abort();
        return { large: true };
      }
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
