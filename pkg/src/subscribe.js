// Subscriptions: event streams over fetch, read no faster than they are listened to, and made anew when they end.
// src/client/listener.rs says the same for Rust.

import * as core from "#core";
import { EdgeError } from "./error.js";
import { EventStream, read } from "./event-stream.js";
import { LONGEST_TIMER, now, tell, whole } from "./pump.js";
import { told } from "./tape.js";

/**
 * @typedef {{type: "message" | "subscribed" | "reconnected", channel: string, pattern?: string, message?: string}} Message
 *
 * @typedef {object} Plan
 * @property {import("./pump.js").Server} server
 * @property {number} timeoutMs for a subscription to be there
 * @property {string[]} names
 * @property {boolean} patterns
 * @property {boolean} reconnect
 * @property {(AbortSignal | undefined)[]} signals
 */

/** Names travel together up to this length of path; every URL parser and proxy takes one so long. */
const LONGEST_PATH = 2048;

/** The waits before a reconnection: drawn from up to the first, doubled each time, up to the second. */
const FIRST_WAIT = 250;
const LONGEST_WAIT = 30_000;

/** A stream that lived so long was no failure: platforms end them after half a minute or so. */
const LASTING = 5_000;

const noop = () => {};

/**
 * @param {unknown} channels
 * @returns {string[]} each once
 */
function namesOf(channels) {
  const names = [...new Set(Array.isArray(channels) ? channels : [channels])];
  for (const name of names) {
    // URL parsers take the dots for directories, even escaped.
    if (typeof name !== "string" || !name.isWellFormed() || /^\.{0,2}$|\r/.test(name)) {
      throw new EdgeError("invalid_argument", 'channels must be well-formed strings, neither empty nor "." nor "..", and hold no carriage return');
    }
  }
  if (names.length === 0) throw new EdgeError("invalid_argument", "channels must name one or more");
  return names;
}

/** @param {boolean} patterns @param {string[]} names */
const pathOf = (patterns, names) => `/${patterns ? "p" : ""}subscribe/${names.map(encodeURIComponent).join("/")}`;

/** The names of each request: one with a comma goes alone, so that its end in a line is known. @param {Plan} plan */
function grouped({ names, patterns }) {
  /** @type {string[][]} */
  const groups = [];
  for (const name of names) {
    const free = groups.find((group) => !`${name}${group[0]}`.includes(",") && pathOf(patterns, [...group, name]).length <= LONGEST_PATH);
    if (free) free.push(name);
    else groups.push([name]);
  }
  return groups;
}

/** What `subscribe` gives: each iteration of it is a subscription of its own. */
export class Subscription {
  #plan;

  /** @param {Omit<Plan, "names"> & {channels: unknown}} plan */
  constructor({ channels, ...plan }) {
    this.#plan = { ...plan, names: namesOf(channels) };
  }

  [Symbol.asyncIterator]() {
    return new Messages(this.#plan);
  }
}

/** One iteration: what all of its requests say, in turn. */
class Messages {
  #interrupt = new AbortController();
  #plan;
  #run;

  /** @param {Plan} plan */
  constructor(plan) {
    this.#plan = plan;
    this.#run = this.#merged();
  }

  next() {
    return this.#run.next();
  }

  /** Ends the requests first, and what waits for them: it would wait for the next message. @returns {Promise<IteratorResult<Message>>} */
  async return() {
    this.#interrupt.abort();
    await this.#run.return();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  /** @returns {AsyncGenerator<Message, void>} */
  async *#merged() {
    const { signal } = this.#interrupt;
    /** What came and was not told yet: one of each source at most. @type {{source?: AsyncGenerator<Message, Source[]>, result?: IteratorResult<Message, Source[]>, error?: unknown}[]} */
    const ready = [];
    /** @type {Set<AsyncGenerator<Message, Source[]>>} */
    const open = new Set();
    let wake = noop;
    // A source is asked again when what it said was taken: nothing piles up, and each has its turn.
    const ask = (/** @type {AsyncGenerator<Message, Source[]>} */ source) => {
      open.add(source);
      const said = source.next().then((result) => ready.push({ source, result }), (error) => ready.push({ error }));
      void said.then(() => wake());
    };
    const signals = this.#plan.signals.filter((signal) => signal !== undefined);
    const abort = () => this.#interrupt.abort();
    try {
      for (const signal of signals) signal.addEventListener("abort", abort);
      if (signals.every(({ aborted }) => !aborted)) for (const names of grouped(this.#plan)) ask(new Source(this.#plan, signal, names).listen());
      for (;;) {
        const aborted = signals.find(({ aborted }) => aborted);
        if (aborted) throw new EdgeError("aborted", "the caller aborted it", aborted.reason);
        if (signal.aborted) return;
        const { source, result, error } = ready.shift() ?? {};
        if (error) throw error;
        if (!result) await new Promise((resolve) => (wake = () => resolve(undefined)));
        else if (result.done) for (const one of result.value) ask(one.listen());
        else {
          yield result.value;
          ask(/** @type {AsyncGenerator<Message, Source[]>} */ (source));
        }
      }
    } finally {
      for (const signal of signals) signal.removeEventListener("abort", abort);
      this.#interrupt.abort();
      for (const source of open) source.return([]).catch(noop);
    }
  }
}

/** One request's names: asked for until nobody listens. */
class Source {
  /** Those that this stream has confirmed. @type {Set<string>} */
  confirmed = new Set();
  /** This request was answered with a stream. */
  accepted = false;
  failures = 0;
  retryMs = 0;
  askedMs = 0;

  /** @param {Plan} plan @param {AbortSignal} signal @param {string[]} names @param {Set<string>} [known] those that any stream has confirmed */
  constructor(plan, signal, names, known = new Set()) {
    this.plan = plan;
    this.signal = signal;
    this.names = names;
    this.known = known;
    this.leftMs = plan.timeoutMs;
  }

  get subscribed() {
    return this.names.every((name) => this.known.has(name));
  }

  /** @returns {AsyncGenerator<Message, Source[]>} what is to be listened to in its place */
  async *listen() {
    for (;;) {
      const started = now();
      /** @type {unknown} */
      let error;
      try {
        yield* this.#request();
      } catch (cause) {
        error = cause;
      }
      if (this.signal.aborted) return [];
      const { code = "network", retryable = true } = error instanceof EdgeError ? error : {};
      // Paths of several names are undocumented: a server may refuse them, take them for one name, or take one.
      const misread = /^(redis_error|invalid_config|unsupported|corrupt)$/.test(code) || (code === "timeout" && this.accepted);
      if (misread && !this.subscribed && this.names.length > 1) return this.names.map((name) => new Source(this.plan, this.signal, [name], this.known));
      if (!this.plan.reconnect || !retryable) throw error;
      // A stream that ends sooner counts as another failure in a row: a server that takes subscriptions and ends them
      // at once is not asked in a tight loop.
      if (now() - started > LASTING) this.failures = 0;
      const most = Math.min(Math.max(this.retryMs, FIRST_WAIT) * 2 ** this.failures++, LONGEST_WAIT);
      const wait = Math.min(Math.max(1 + Math.random() * most, this.askedMs), LONGEST_TIMER);
      if (this.subscribed) this.leftMs = this.plan.timeoutMs;
      else if ((this.leftMs -= wait) <= 0) throw error;
      await this.#pause(wait);
    }
  }

  /** @param {number} ms */
  async #pause(ms) {
    /** @type {(() => void)} */
    let end = noop;
    const timer = setTimeout(() => end(), ms);
    await new Promise((resolve) => {
      end = () => resolve(undefined);
      this.signal.addEventListener("abort", end);
    });
    clearTimeout(timer);
    this.signal.removeEventListener("abort", end);
  }

  /** One request, to its end; throws what ended it. @returns {AsyncGenerator<Message, never>} */
  async *#request() {
    const { server, patterns } = this.plan;
    const stream = new EventStream();
    const controller = new AbortController();
    /** @type {ReadableStreamDefaultReader<Uint8Array> | undefined} */
    let reader;
    let ended = new EdgeError("network", "the subscription's connection was lost");
    const stop = () => {
      controller.abort();
      // For a fetch that does not listen to its signal.
      reader?.cancel().catch(noop);
    };
    const stopped = new Promise((_, reject) => controller.signal.addEventListener("abort", () => reject()));
    stopped.catch(noop);
    /** Waits, and not for ever before the subscription is there. A slow listener takes none of that time. @template T @param {Promise<T>} work @returns {Promise<T>} */
    const within = async (work) => {
      if (this.confirmed.size === this.names.length) return work;
      const started = now();
      const late = () => {
        ended = new EdgeError("timeout", "no answer within the time allowed");
        stop();
      };
      const timer = setTimeout(late, Math.min(Math.max(this.leftMs, 0), LONGEST_TIMER));
      try {
        return /** @type {T} */ (await Promise.race([work, stopped]));
      } finally {
        clearTimeout(timer);
        this.leftMs -= now() - started;
      }
    };
    const commands = [patterns ? "PSUBSCRIBE" : "SUBSCRIBE"];
    const event = { commands, count: 1, attempt: this.failures + 1, durationMs: now(), bytesOut: 0, bytesIn: 0, error: ended.code };
    this.confirmed.clear();
    this.accepted = false;
    this.askedMs = 0;
    this.signal.addEventListener("abort", stop);
    try {
      const response = await within(this.#asked(controller.signal));
      const said = (/** @type {string} */ name) => response.headers.get(name) ?? "";
      if (response.status !== 200 || !said("content-type").startsWith("text/event-stream")) {
        // Whatever the server asks for.
        this.askedMs = Math.min(Number(said("retry-after")) * 1000 || 0, 3_600_000);
        const body = new Uint8Array((await within(Promise.resolve(whole(response)))) ?? []);
        throw told(core.no_stream(response.status, said("content-type"), body));
      }
      this.accepted = true;
      reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
      for (;;) {
        const { value } = await within(reader.read());
        if (!value) throw ended;
        event.bytesIn += value.length;
        stream.push(value);
        for (let line = stream.next(); line !== undefined; line = stream.next()) {
          const heard = read(line, this.names, patterns);
          if (heard) yield this.#message(heard);
        }
        this.retryMs = stream.retryMs;
      }
    } catch (cause) {
      ended = cause instanceof EdgeError ? cause : new EdgeError(ended.code, ended.message, cause);
      throw ended;
    } finally {
      this.signal.removeEventListener("abort", stop);
      stop();
      if (server.onRequest) void tell(server.onRequest, { ...event, durationMs: now() - event.durationMs, error: this.signal.aborted ? "aborted" : ended.code });
    }
  }

  /** @param {AbortSignal} signal */
  async #asked(signal) {
    const { server, patterns } = this.plan;
    // A stream is text, whatever is asked for.
    const { "upstash-response-format": _, ...headers } = server.headers;
    const response = await (0, server.fetch)(server.url + pathOf(patterns, this.names), {
      method: "POST",
      headers: { ...headers, accept: "text/event-stream" },
      // A redirect would carry the token to another host.
      redirect: "manual",
      signal,
      ...(server.cache && { cache: server.cache }),
    });
    // From a fetch that does not listen to its signal, too late.
    if (signal.aborted) response.body?.cancel().catch(noop);
    return response;
  }

  /** @param {{name: string, channel?: string, message?: string}} heard @returns {Message} */
  #message({ name, channel = name, message }) {
    const pattern = this.plan.patterns && { pattern: name };
    if (message !== undefined) return { type: "message", channel, ...pattern, message };
    const type = this.known.has(name) ? "reconnected" : "subscribed";
    this.confirmed.add(name);
    this.known.add(name);
    return { type, channel, ...pattern };
  }
}
