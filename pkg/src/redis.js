import { bytes, flatten, install } from "./commands.js";
import { milliseconds } from "./duration.js";
import { EdgeError } from "./error.js";
import { send } from "./pump.js";

/** What an entry sets for its runtime. @type {{cache?: RequestCache}} */
export const defaults = {};

/** More commands than this go in several requests, one after the other. */
const MOST = 1000;

/** @param {Record<string, unknown>} env @param {string[]} names */
function first(env, names) {
  const name = names.find((name) => env[name]);
  if (name) return String(env[name]);
  throw new EdgeError("invalid_config", `none of ${names.join(", ")} is set`);
}

/** @param {unknown} retry */
function retries(retry) {
  if (retry === false) return { attempts: 0, baseMs: 0, maxMs: 0 };
  const { attempts = 3, base = "50ms", max = "1s" } = /** @type {any} */ (retry ?? {});
  if (!Number.isInteger(attempts) || attempts < 0) throw new EdgeError("invalid_config", "retry.attempts must be a whole number, 0 or more");
  return { attempts, baseMs: milliseconds("retry.base", base), maxMs: milliseconds("retry.max", max) };
}

/** @param {unknown} value @param {string} option @param {RegExp} shape @param {string} expected */
function text(value, option, shape, expected) {
  const trimmed = typeof value === "string" ? value.trim() : "";
  if (shape.test(trimmed)) return trimmed;
  throw new EdgeError("invalid_config", `${option} must be ${expected}`);
}

/**
 * One command on its way, and the promise of its reply.
 * @param {View} view
 * @param {import("./commands.js").Word[] | EdgeError} words
 * @param {import("./commands.js").Shape | undefined} shape
 * @param {(entry: import("./pump.js").Entry) => void} add
 * @returns {Promise<any>}
 */
function promise({ signal, timeoutMs, vouched }, words, shape, add) {
  if (words instanceof EdgeError) return Promise.reject(words);
  if (words.some((word) => typeof word === "object")) {
    return Promise.reject(new EdgeError("unsupported", "bytes cannot be sent yet; send text"));
  }
  // As text: a server that reads JSON numbers as doubles would round them.
  const json = JSON.stringify(words.map(String));
  const raw = shape === bytes;
  const reply = new Promise((resolve, reject) => {
    add({ json, vouched, raw, deadline: Date.now() + timeoutMs, signal, resolve, reject });
  });
  return shape && !raw ? reply.then(shape) : reply;
}

/** What all views of one client share: where to send, and what waits for this tick's end. */
class Shared {
  /** @type {import("./pump.js").Entry[]} */
  queue = [];

  /** @param {import("./pump.js").Server} server @param {boolean} batching */
  constructor(server, batching) {
    this.server = server;
    this.batching = batching;
  }

  /** @param {import("./pump.js").Entry} entry */
  add(entry) {
    if (!this.batching) return void send(this.server, [entry]);
    if (this.queue.push(entry) === 1) queueMicrotask(() => this.flush());
  }

  flush() {
    const queue = this.queue;
    this.queue = [];
    void this.sendAll(queue);
  }

  /** @param {import("./pump.js").Entry[]} entries */
  async sendAll(entries) {
    for (let at = 0; at < entries.length; at += MOST) await send(this.server, entries.slice(at, at + MOST));
  }
}

/** How calls are made through one `Redis`: with what patience, and for whom. */
class View {
  /** @type {AbortSignal | undefined} */
  signal;
  vouched = false;

  /** @param {Shared} shared @param {number} timeoutMs */
  constructor(shared, timeoutMs) {
    this.shared = shared;
    this.timeoutMs = timeoutMs;
  }
}

/** @param {any} options @returns {View} */
function configured(options) {
  if (typeof options !== "object" || options === null) throw new EdgeError("invalid_config", "options must be an object with url and token");
  const { timeout = "5s", batching = true, readYourWrites = true, headers, cache = defaults.cache, onRequest } = options;
  const url = text(options.url, "url", /^https?:\/\/[^\s?#@\\]+$/, "the REST URL of the database: https:// and a host").replace(/\/+$/, "");
  const token = text(options.token, "token", /^[!-~]+$/, "the REST token of the database: visible ASCII, not empty");
  const common = { ...headers, Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const server = {
    url,
    headers: { ...common, "Upstash-Response-Format": "resp2" },
    base64Headers: { ...common, "Upstash-Encoding": "base64" },
    // Found at each call: a framework may replace it later.
    fetch: options.fetch ?? ((/** @type {string} */ input, /** @type {RequestInit} */ init) => fetch(input, init)),
    cache,
    readYourWrites,
    retry: retries(options.retry),
    onRequest,
  };
  return new View(new Shared(server, batching), milliseconds("timeout", timeout));
}

export class Redis {
  /** @type {View} */
  #view;

  /** @param {any} options */
  constructor(options) {
    this.#view = options instanceof View ? options : configured(options);
  }

  /** @param {Record<string, unknown>} [env] @param {object} [options] */
  static fromEnv(env = globalThis.process?.env ?? {}, options = {}) {
    return new Redis({
      ...options,
      url: first(env, ["UPSTASH_REDIS_REST_URL", "KV_REST_API_URL"]),
      token: first(env, ["UPSTASH_REDIS_REST_TOKEN", "KV_REST_API_TOKEN"]),
    });
  }

  /** @param {{signal?: AbortSignal, timeout?: string, idempotent?: boolean}} options */
  with({ signal, timeout, idempotent }) {
    const { shared, ...before } = this.#view;
    const view = new View(shared, timeout === undefined ? before.timeoutMs : milliseconds("timeout", timeout));
    view.signal = signal ?? before.signal;
    view.vouched = idempotent ?? before.vouched;
    return new Redis(view);
  }

  /** @param {import("./commands.js").Word[] | EdgeError} words @param {import("./commands.js").Shape} [shape] */
  #call(words, shape) {
    return promise(this.#view, words, shape, (entry) => this.#view.shared.add(entry));
  }

  /** @param {any[]} words */
  command(...words) {
    return this.#call(flatten(words));
  }

  /** @param {any[]} words */
  commandBytes(...words) {
    return this.#call(flatten(words), bytes);
  }

  /** @param {{match?: string, type?: string, count?: number}} [options] */
  async *scan(options = {}) {
    let cursor = "0";
    do {
      const [next, keys] = await this.command("SCAN", cursor, options);
      yield* keys;
      cursor = next;
    } while (cursor !== "0");
  }

  pipeline() {
    return new Pipeline(this.#view, false);
  }

  multi() {
    return new Pipeline(this.#view, true);
  }

  static {
    install(this.prototype, (self, words, shape) => self.#call(words, shape));
  }
}

/** Commands that are sent together when it is told to, and not before: at once, or none of them, if it is atomic. */
class Pipeline {
  /** @type {import("./pump.js").Entry[]} */
  #entries = [];
  /** @type {Promise<any>[]} */
  #replies = [];
  /** @type {EdgeError | undefined} */
  #refused;
  #view;
  #atomic;

  /** @param {View} view @param {boolean} atomic */
  constructor(view, atomic) {
    this.#view = view;
    this.#atomic = atomic;
  }

  /** @param {import("./commands.js").Word[] | EdgeError} words @param {import("./commands.js").Shape} [shape] */
  #call(words, shape) {
    if (words instanceof EdgeError) this.#refused ??= words;
    const reply = promise(this.#view, words, shape, (entry) => this.#entries.push(entry));
    // Whoever runs it hears of the failure; who does not has sent nothing.
    reply.catch(() => {});
    this.#replies.push(reply);
    return this;
  }

  /** @param {any[]} words */
  command(...words) {
    return this.#call(flatten(words));
  }

  /** Sends all of them. */
  #run() {
    const [entries, replies] = [this.#entries, this.#replies];
    this.#entries = [];
    this.#replies = [];
    this.#refused = undefined;
    for (const entry of entries) entry.deadline = Date.now() + this.#view.timeoutMs;
    const { shared } = this.#view;
    void (this.#atomic ? send(shared.server, entries, true) : shared.sendAll(entries));
    return replies;
  }

  /** The replies; with a bad argument among the commands nothing is sent. */
  exec() {
    return this.#refused ? Promise.reject(this.#refused) : Promise.all(this.#run());
  }

  async execSettled() {
    const settled = await Promise.allSettled(this.#run());
    return settled.map((one) => (one.status === "fulfilled" ? { ok: true, value: one.value } : { ok: false, error: one.reason }));
  }

  static {
    install(this.prototype, (self, words, shape) => self.#call(words, shape));
  }
}
