// The pump: owns promises, fetch, timers and abort. It decides nothing: the core says what to send and what it means.

import * as core from "#core";
import { EdgeError } from "./error.js";
import { FAILED, OP, Tape, told } from "./tape.js";

/**
 * @typedef {object} Entry one command on its way
 * @property {string} json its words, as a JSON array
 * @property {number[]} places those of its words that are bytes, as Latin-1; the name's is 1
 * @property {string} [source] of the script that is called: the words are then the count of keys, the keys, and the
 *   arguments, before which the places stand if there are any
 * @property {(handle: number) => string | undefined} [op] adds an op of the core in the place of a command; why it cannot
 * @property {boolean} vouched repeating it is harmless, its caller says
 * @property {boolean} raw its reply is asked for byte for byte
 * @property {boolean} bigints integers past 2^53 in its reply become BigInt, instead of text
 * @property {number} timeoutMs how long it may take, from its tick's end
 * @property {number} deadline when that is over, by `performance.now()`, which no one sets back
 * @property {AbortSignal} [signal]
 * @property {(value: unknown) => void} resolve
 * @property {(error: unknown) => void} reject
 * @property {boolean} over settled, one way or the other
 * @property {Batch} [batch] the one it travels in
 * @property {number} index its place there
 *
 * @typedef {object} Server where and how
 * @property {string} url
 * @property {Record<string, string>} headers those that ask for RESP2
 * @property {Record<string, string>} base64Headers those that ask for base64
 * @property {typeof fetch} fetch
 * @property {boolean} heeds whether that is the runtime's own, which heeds its signal
 * @property {RequestCache} [cache]
 * @property {boolean} readYourWrites
 * @property {{attempts: number, baseMs: number, maxMs: number}} retry
 * @property {(event: object) => unknown} [onRequest]
 *
 * @typedef {{answer?: Uint8Array, type?: string, token?: string, patience?: string, status?: number, large?: boolean, cause?: unknown}} Arrived what came of one request
 * @typedef {{entries: Entry[], atomic: boolean}} Group commands that travel together; at once or none, if atomic
 */

/** Where a request goes, but for one with a path of its own. */
const PATHS = ["/", "/pipeline", "/multi-exec"];

/** What an answer is that needs not be told apart. */
const RESP2 = "application/octet-stream";

/** How RESP2 begins. */
const MARKS = Object.fromEntries([..."$*+-:"].map((mark) => [mark.charCodeAt(0), true]));

/** So many numbers of a tape come before its members. */
const HEAD = 2;

/** No reply of Redis is larger: a record may have 100 MB. */
export const LARGEST_ANSWER = 128 * 2 ** 20;

/** Timers hold 31 bits; one that wrapped would fire at once, again and again. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** Of signals that end by themselves: nothing takes their timer back, so that long ones would pile up. */
const LONGEST_SIGNAL = 10_000;

export const now = () => performance.now();

/** @param {Entry} entry @param {unknown} value @param {unknown} [error] */
function settle(entry, value, error) {
  if (entry.over) return;
  entry.over = true;
  if (error) entry.reject(error);
  else entry.resolve(value);
}

/** An op's outcome, as the core tells it: behind a `@` places in the answers. @param {Entry} entry @param {string} text */
function conclude(entry, text) {
  if (text.startsWith("!")) settle(entry, undefined, told(text.slice(1)));
  else if (text.startsWith("@")) settle(entry, { numbers: JSON.parse(text.slice(1)), answers: entry.batch?.answers ?? [] });
  else settle(entry, JSON.parse(text));
}

/** Its caller does not wait any more. @param {Entry} entry @param {EdgeError} error */
function giveUp(entry, error) {
  settle(entry, undefined, error);
  entry.batch?.leave(entry.index);
}

/**
 * At this tick's end sends the groups that are there by then, one after the other, and settles every entry in them.
 * Never rejects. One function that waits, and not several: each is a promise and a resumption of its own.
 * @param {Server} server @param {() => Group[]} taken
 */
export async function send(server, taken) {
  // From a microtask in any case: the core is never entered on top of a caller's own deep stack. workerd takes longer
  // for `queueMicrotask` than V8 for this.
  await undefined;
  const guard = new Guard(server, taken());
  try {
    guard.begin();
    for (const group of guard.groups) {
      // Nothing's time was up when it began.
      if (group !== guard.groups[0]) guard.check();
      const batch = begun(guard, group.entries, group.atomic);
      if (!batch) continue;
      try {
        for (let body = batch.write(); body && batch.waiting > 0; body = batch.write()) {
          const wait = batch.take(body, await batch.arrived(body));
          if (batch.waiting === 0) break;
          if (wait > 0) await batch.pause(wait);
        }
      } finally {
        core.end(batch.handle);
      }
    }
  } catch (cause) {
    guard.fail(failed(cause));
  } finally {
    guard.end();
  }
}

/** @param {any} cause */
function failed(cause) {
  if (cause instanceof EdgeError) return cause;
  return /global scope/i.test(cause?.message)
    ? new EdgeError("unsupported", "this runtime sends nothing while it starts; call from within a handler", cause)
    : new EdgeError("corrupt", "the client failed", cause);
}

/** Adds a command; why it cannot be sent. @param {number} handle @param {Entry} entry */
function push(handle, { op, json, places, source, vouched }) {
  if (op) return op(handle);
  if (source !== undefined) return core.push_script(handle, source, places.length > 0, json, vouched);
  if (places.length > 0) return core.push_bytes(handle, json, vouched, new Uint32Array(places));
  return core.push(handle, json, vouched);
}

/** Its time is up. An op may have an answer to that. @param {Server} server @param {Entry} entry */
function expire(server, entry) {
  const { op, batch, index } = entry;
  if (!op) return giveUp(entry, new EdgeError("timeout", "no answer within the time allowed"));
  if (batch) {
    conclude(entry, core.outcome(batch.handle, index, Date.now()));
    return batch.leave(index);
  }
  const handle = core.begin(server.url, now(), now(), false, 0, 0, 0);
  const problem = op(handle);
  conclude(entry, problem ? `!${problem}` : core.outcome(handle, 0, Date.now()));
  core.end(handle);
}

/**
 * The batch of those that still wait; none, when none does or none can be sent.
 * @param {Guard} guard @param {Entry[]} asked @param {boolean} atomic
 */
function begun(guard, asked, atomic) {
  if (!asked.some(waits)) return;
  const { server, latest } = guard;
  const { attempts, baseMs, maxMs } = server.retry;
  const handle = core.begin(server.url, guard.time, latest + 1_000, atomic, attempts, baseMs, maxMs);
  if (Number.isNaN(handle)) {
    for (const entry of asked) settle(entry, undefined, new EdgeError("quota_exceeded", "too many requests of this program are under way"));
    return;
  }
  // Commands that cannot be sent are told so, and take no place among the others.
  /** @type {Entry[]} */
  const entries = [];
  /** @type {EdgeError | undefined} */
  let refused;
  for (const entry of asked) {
    const problem = entry.over ? "aborted: a part of the transaction was given up" : push(handle, entry);
    if (!problem) {
      entries.push(entry);
      continue;
    }
    refused ??= told(problem);
    settle(entry, undefined, told(problem));
  }
  if (!atomic || !refused) return new Batch(guard, handle, entries);
  for (const entry of entries) settle(entry, undefined, refused);
  core.end(handle);
}

/** @param {Entry} entry */
const waits = ({ over }) => !over;

/** Who waits for a signal: one listener for all, for Node warns of a leak at the eleventh. @type {WeakMap<AbortSignal, Set<() => void>>} */
const WAITING = new WeakMap();

/** Calls `leave` when the signal is aborted; what ends that. @param {AbortSignal} signal @param {() => void} leave */
export function heard(signal, leave) {
  let waiting = WAITING.get(signal);
  if (!waiting) {
    const all = (waiting = new Set());
    WAITING.set(signal, all);
    signal.addEventListener("abort", () => [...all].forEach((leave) => leave()), { once: true });
  }
  waiting.add(leave);
  return () => void waiting.delete(leave);
}

/** Deadlines and aborts of many entries, from the tick they were asked in to their end. */
class Guard {
  /** What ends the fetch when all give up at the same moment, and no sooner: a timer and a controller cost a tenth of a small request each. @type {AbortSignal | undefined} */
  signal;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer;
  /** Each ends the listening for one entry. @type {(() => void)[]} */
  listeners = [];
  latest = 0;
  time = now();

  /** @param {Server} server @param {Group[]} groups */
  constructor(server, groups) {
    this.server = server;
    this.groups = groups;
  }

  begin() {
    let alike = this.server.heeds;
    for (const { entries } of this.groups) {
      for (const entry of entries) {
        entry.deadline = this.time + entry.timeoutMs;
        if (entry.signal) this.listen(entry, entry.signal);
        // A timer is no finer than a millisecond.
        if (entry.signal || (this.latest && Math.abs(entry.deadline - this.latest) > 1)) alike = false;
        this.latest = Math.max(this.latest, entry.deadline);
      }
    }
    if (alike) this.signal = ending(this.latest - this.time);
    if (!this.signal) this.watch();
  }

  /** @param {Entry} entry @param {AbortSignal} signal */
  listen(entry, signal) {
    const leave = () => {
      if (!entry.over) giveUp(entry, new EdgeError("aborted", "the caller aborted it", signal.reason));
    };
    if (signal.aborted) leave();
    else this.listeners.push(heard(signal, leave));
  }

  /** Tells each entry whose deadline has passed; when the next one passes. */
  check() {
    // Timers and clocks need not agree to the millisecond.
    const time = this.signal?.aborted ? Infinity : now();
    let next = Infinity;
    for (const { entries } of this.groups) {
      for (const entry of entries) {
        if (entry.over) continue;
        if (entry.deadline <= time) expire(this.server, entry);
        else next = Math.min(next, entry.deadline);
      }
    }
    return next - time;
  }

  watch() {
    const left = this.check();
    if (left < Infinity) this.timer = setTimeout(() => this.watch(), Math.min(Math.ceil(left), LONGEST_TIMER));
  }

  /** Tells who still waits. @param {EdgeError} error */
  fail(error) {
    for (const { entries } of this.groups) for (const entry of entries) settle(entry, undefined, error);
  }

  end() {
    clearTimeout(this.timer);
    for (const forget of this.listeners) forget();
    const unanswered = this.groups.some(({ entries }) => entries.some(({ over }) => !over));
    if (unanswered) this.fail(new EdgeError("corrupt", "a command was never answered"));
  }
}

/** A signal that ends by itself, where there can be one. @param {number} ms */
function ending(ms) {
  if (ms <= 0 || ms > LONGEST_SIGNAL) return undefined;
  try {
    return AbortSignal.timeout(Math.ceil(ms));
  } catch {
    // A runtime without them, or with too many of them.
    return undefined;
  }
}

/**
 * The body, if it is not too large: at once where its length is told, else part by part.
 * @param {Response} response @returns {Promise<ArrayBuffer | Uint8Array | undefined> | undefined}
 */
export function whole(response) {
  const { headers } = response;
  const length = headers.get("content-length");
  // Of a compressed body the length says nothing of what comes out of it.
  if (!length || headers.get("content-encoding")) return joined(response.body);
  return Number(length) > LARGEST_ANSWER ? undefined : response.arrayBuffer();
}

/** All of it, unless it is larger than `most` bytes. @param {ReadableStream<Uint8Array> | null} body */
export async function joined(body, most = LARGEST_ANSWER) {
  if (!body) return new Uint8Array();
  const parts = [];
  let size = 0;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > most) {
      // Not awaited: one branch of two ends with the other.
      reader.cancel().catch(() => {});
      return undefined;
    }
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
  started = 0;
  waiting;
  /** Ends the fetch, unless it ends by itself. Made before it is known whether anybody gives up: fetch takes a signal only at its start. @type {AbortController | undefined} */
  interrupt;
  /** Ends what is waited for, a fetch or the pause before the next one: a fetch need not listen to its signal. */
  wake = (/** @type {Arrived} */ _) => {};

  /** @param {Guard} guard @param {number} handle @param {Entry[]} entries */
  constructor(guard, handle, entries) {
    this.guard = guard;
    this.server = guard.server;
    if (!guard.signal) this.interrupt = new AbortController();
    this.handle = handle;
    this.entries = entries;
    this.waiting = entries.length;
    let index = 0;
    for (const entry of entries) {
      entry.batch = this;
      entry.index = index++;
    }
  }

  /** Nobody waits for the command at this place any more. @param {number} index */
  leave(index) {
    this.waiting -= 1;
    core.leave(this.handle, index);
    // The fetch is aborted only when nobody waits for it any more.
    if (this.waiting > 0) return;
    this.interrupt?.abort();
    this.wake({});
  }

  /** The body of the next request, if there is one. */
  write() {
    const body = core.write(this.handle);
    // An op that needs nothing of the server does not wait for it.
    if (this.attempt === 0 && this.entries.some(({ op }) => op)) this.read(new Tape(core.settled(this.handle)));
    return body;
  }

  /** @param {number} ms */
  async pause(ms) {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    await new Promise((resolve) => {
      this.wake = resolve;
      timer = setTimeout(resolve, Math.min(ms, LONGEST_TIMER));
    });
    clearTimeout(timer);
  }

  /** What came of a request; how long to wait before the next. @param {Uint8Array<ArrayBuffer>} body @param {Arrived} arrived */
  take(body, { answer, type = "", token = "", patience = "", status = 0, large, cause }) {
    const { onRequest } = this.server;
    const commands = onRequest && core.names(this.handle)?.split(" ");
    // What ended because time was up is no failure of the server's.
    if (cause && this.guard.signal?.aborted) this.guard.check();
    const [left, drawn] = [status === 200 ? 0 : this.left(), Math.random()];
    let numbers;
    if (answer) numbers = core.read(this.handle, status, type, token, patience, answer, left, drawn);
    else if (large) numbers = core.oversize(this.handle, left, drawn);
    else numbers = core.lost(this.handle, "location" in globalThis, left, drawn);
    const tape = new Tape(numbers);
    const wait = tape.next();
    if (answer && tape.next() > this.answers.length) this.answers.push(type === RESP2 ? answer : (core.answer(this.handle) ?? answer));
    const error = this.read(tape, cause);
    if (onRequest && commands) {
      const [bytesOut, bytesIn, durationMs] = [body.length, answer?.length ?? 0, now() - this.started];
      void tell(onRequest, { commands, count: commands.length, attempt: this.attempt, durationMs, bytesOut, bytesIn, error });
    }
    return wait;
  }

  /** What comes, unless all give up before. @param {Uint8Array<ArrayBuffer>} body @returns {Promise<Arrived>} */
  arrived(body) {
    this.attempt += 1;
    if (this.server.onRequest) this.started = now();
    if (!this.interrupt) return this.ask(body);
    return new Promise((resolve) => {
      this.wake = resolve;
      void this.ask(body).then(resolve);
    });
  }

  /** Never rejects. @param {Uint8Array<ArrayBuffer>} body @returns {Promise<Arrived>} */
  async ask(body) {
    try {
      const { url, cache, readYourWrites, headers, base64Headers } = this.server;
      const way = core.way(this.handle);
      const path = PATHS[way & 3];
      // A copy: what wraps fetch may write into it.
      const sent = { ...(way & 4 ? base64Headers : headers) };
      const known = readYourWrites ? core.sync_token(this.handle) : undefined;
      if (known) sent["upstash-sync-token"] = known;
      if (!path) sent["content-type"] = "application/octet-stream";
      /** @type {RequestInit} */
      // A redirect would carry keys and values to another host.
      const init = { method: "POST", headers: sent, body, redirect: "manual", signal: this.guard.signal ?? this.interrupt?.signal };
      if (cache) init.cache = cache;
      const response = await (0, this.server.fetch)(url + (path ?? core.path(this.handle)), init);
      const bytes = await whole(response);
      if (!bytes) {
        // Not by abort: what is left of the batch has the same signal.
        response.body?.cancel().catch(() => {});
        return { large: true };
      }
      const answer = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
      const { status, headers: told } = response;
      // Each look into the headers costs more than the call of the core that reads them. No JSON, page or text of a proxy
      // begins as RESP2 does, and the core believes nothing that is not whole.
      const type = status === 200 && /** @type {number} */ (answer[0]) in MARKS ? RESP2 : (told.get("content-type") ?? "");
      const token = readYourWrites ? told.get("upstash-sync-token") : null;
      const patience = status === 200 ? null : told.get("retry-after");
      return { answer, status, type, token: token ?? "", patience: patience ?? "" };
    } catch (cause) {
      return { cause };
    }
  }

  /** How long the most patient still waits, in milliseconds. */
  left() {
    let latest = 0;
    for (const { over, deadline } of this.entries) if (!over) latest = Math.max(latest, deadline);
    return Math.max(0, latest - now());
  }

  /** Settles what can be settled by now; the code of an error, if there was one. @param {Tape} tape @param {unknown} [cause] */
  read(tape, cause) {
    let code;
    tape.at = HEAD;
    while (!tape.done) {
      const index = tape.next();
      const entry = /** @type {Entry} */ (this.entries[index]);
      const answer = tape.next();
      if (!entry.over) this.waiting -= 1;
      if (answer === OP) {
        conclude(entry, core.outcome(this.handle, index, Date.now()));
      } else if (answer === FAILED) {
        const error = told(core.failure(this.handle, index), cause);
        if (!entry.over) code = error.code;
        settle(entry, undefined, error);
      } else {
        settle(entry, tape.value(/** @type {Uint8Array} */ (this.answers[answer]), entry.raw, entry.bigints));
      }
    }
    return code;
  }
}

/** What listens in must not change what happens. @param {(event: object) => unknown} onRequest @param {object} event */
export async function tell(onRequest, event) {
  try {
    await onRequest(event);
  } catch {
    // Its own affair.
  }
}
