import * as core from "#core";
import { bytes, flatten, install, isText, isWord, scored, valued } from "./commands.js";
import { milliseconds } from "./duration.js";
import { EdgeError, wrong } from "./error.js";
import { send } from "./pump.js";
import { runtime } from "./runtime.js";
import { Subscription } from "./subscribe.js";
import { told } from "./tape.js";

/** @typedef {import("./commands.js").Word[] | EdgeError} Words */
/** @typedef {import("./commands.js").Shape} Shape */
/** @typedef {import("./pump.js").Entry} Entry */

/** URL and token of one database, never of two. @param {Record<string, unknown>} env */
function pair(env) {
  for (const prefix of ["UPSTASH_REDIS_REST", "KV_REST_API"]) {
    const [url, token] = [env[`${prefix}_URL`], env[`${prefix}_TOKEN`]];
    if (url && token) return { url, token };
  }
  throw wrong("neither UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN nor KV_REST_API_URL and KV_REST_API_TOKEN are set");
}

/** @param {any} retry */
function retries(retry) {
  if (retry === false) return { attempts: 0, baseMs: 0, maxMs: 0 };
  if (retry !== undefined && (typeof retry !== "object" || retry === null)) throw wrong("retry must be false or an object");
  const { attempts = 3, base = "50ms", max = "1s" } = retry ?? {};
  if (!Number.isInteger(attempts) || attempts < 0 || attempts > 100) throw wrong("retry.attempts must be a whole number, 0 to 100");
  return { attempts, baseMs: milliseconds("retry.base", base), maxMs: milliseconds("retry.max", max) };
}

/** @param {unknown} url */
function address(url) {
  const text = typeof url === "string" ? url.trim().replace(/\/+$/, "") : "";
  if (!/^https?:\/\/[^\s/?#@\\][^\s?#@\\]*$/.test(text) || !URL.canParse(text)) throw wrong("url must be the REST URL of the database: https:// and a host");
  return text;
}

/** Names in lower case, so that none comes twice. @param {unknown} headers @param {unknown} token */
function headersOf(headers, token) {
  const key = typeof token === "string" ? token.trim() : "";
  if (!/^[!-~]+$/.test(key)) throw wrong("token must be the REST token of the database: visible ASCII, not empty");
  try {
    const given = Object.fromEntries(new Headers(/** @type {HeadersInit} */ (headers ?? {})));
    return { ...given, authorization: `Bearer ${key}`, "content-type": "application/json" };
  } catch {
    // Without its cause, which quotes the value.
    throw wrong("headers must be names and values of HTTP headers");
  }
}

/** @param {unknown} signal */
function signalOf(signal) {
  if (signal === undefined || signal === null) return undefined;
  if (typeof (/** @type {any} */ (signal).addEventListener) === "function") return signal;
  throw wrong("signal must be an AbortSignal");
}

/** @param {unknown} integers */
function bigintsOf(integers) {
  if (integers !== "string" && integers !== "bigint") throw wrong('integers must be "string" or "bigint"');
  return integers === "bigint";
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** JSON carries no bytes: each becomes the Latin-1 character of its number. @param {Uint8Array} bytes */
function latin1(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return text;
}

/**
 * The words as a JSON array, and the places of those that are bytes and no text.
 * @param {import("./commands.js").Word[]} words @param {number} first the place of the first
 */
function encoded(words, first) {
  /** @type {number[]} */
  const places = [];
  const texts = words.map((word, at) => {
    // Numbers as text: a server that reads JSON numbers as doubles would round them.
    if (typeof word !== "object") return String(word);
    try {
      return utf8.decode(word);
    } catch {
      places.push(first + at);
      return latin1(word);
    }
  });
  return { json: JSON.stringify(texts), places };
}

/**
 * One command on its way, and the promise of its reply.
 * @param {View} view @param {Words} words @param {Shape | undefined} shape @param {(entry: Entry) => unknown} add
 * @returns {Promise<any>}
 */
function promise(view, words, shape, add) {
  if (words instanceof EdgeError) return Promise.reject(words);
  const raw = shape === bytes;
  const reply = on(view, encoded(words, 1), raw, add);
  return shape && !raw ? reply.then((value) => shaped(shape, value)) : reply;
}

/**
 * @param {{timeoutMs: number, signal?: AbortSignal, vouched: boolean, bigints: boolean}} view
 * @param {{json: string, places: number[], source?: string, op?: Entry["op"]}} call @param {boolean} raw
 * @param {(entry: Entry) => unknown} add
 */
function on({ signal, timeoutMs, vouched, bigints }, call, raw, add) {
  return new Promise((resolve, reject) => {
    const { json, places, source, op } = call;
    add({ json, places, source, op, vouched, raw, bigints, timeoutMs, deadline: 0, signal, resolve, reject, over: false, batch: undefined, index: 0 });
  });
}

/** @param {Shape} shape @param {unknown} value */
function shaped(shape, value) {
  try {
    return shape(value);
  } catch (cause) {
    throw cause instanceof EdgeError ? cause : new EdgeError("corrupt", "the reply is not of this command's kind", cause);
  }
}

/** What all views of one client share: where to send, and what waits for this tick's end. */
class Shared {
  /** @type {import("./pump.js").Group[]} */
  queue = [];

  /** @param {import("./pump.js").Server} server @param {boolean} batching */
  constructor(server, batching) {
    this.server = server;
    this.batching = batching;
  }

  /** Joins what waits, in order. @param {Entry[]} entries @param {boolean} atomic */
  add(entries, atomic) {
    if (!this.batching) return void send(this.server, () => [{ entries, atomic }]);
    if (this.queue.length === 0) void send(this.server, this.taken);
    const last = this.queue.at(-1);
    if (last && !last.atomic && !atomic) for (const entry of entries) last.entries.push(entry);
    else this.queue.push({ entries, atomic });
  }

  taken = () => {
    const { queue } = this;
    this.queue = [];
    return queue;
  };
}

/** How calls are made through one `Redis`: with what patience, and for whom. */
class View {
  /** @type {AbortSignal | undefined} */
  signal;
  vouched = false;

  /** @param {Shared} shared @param {number} timeoutMs @param {boolean} bigints */
  constructor(shared, timeoutMs, bigints) {
    this.shared = shared;
    this.timeoutMs = timeoutMs;
    this.bigints = bigints;
  }
}

/** @param {any} options @returns {View} */
function configured(options) {
  if (typeof options !== "object" || options === null) throw wrong("options must be an object with url and token");
  const { timeout = "5s", batching = true, readYourWrites = true, integers = "string", cache = runtime.cache, onRequest } = options;
  for (const [name, value] of Object.entries({ fetch: options.fetch, onRequest })) {
    if (value !== undefined && typeof value !== "function") throw wrong(`${name} must be a function`);
  }
  const url = address(options.url);
  const headers = headersOf(options.headers, options.token);
  const server = {
    url,
    headers: { ...headers, "upstash-response-format": "resp2" },
    base64Headers: { ...headers, "upstash-encoding": "base64" },
    // Found at each call: a framework may replace it later.
    fetch: options.fetch ?? ((/** @type {string} */ input, /** @type {RequestInit} */ init) => fetch(input, init)),
    heeds: !options.fetch,
    cache,
    readYourWrites,
    retry: retries(options.retry),
    onRequest,
  };
  return new View(new Shared(server, batching), milliseconds("timeout", timeout), bigintsOf(integers));
}

/** What a SCAN command finds, page by page. @param {(cursor: string) => Promise<any>} ask @param {Shape} [shape] */
async function* pages(ask, shape = (items) => items) {
  let cursor = "0";
  do {
    const [next, items] = /** @type {any[]} */ ((await ask(cursor)) ?? []);
    if (!Array.isArray(items)) throw new EdgeError("corrupt", "the reply is not of a SCAN command's kind");
    yield* shape(items);
    cursor = String(next);
  } while (cursor !== "0");
}

/** Its view, or `invalid_config` where it is none of ours. @type {(redis: any) => View} */
export let viewOf;

/** What ends a call through a `Redis`: the view's signal or the call's own. @param {Redis} redis @param {unknown} signal */
export function eitherSignal(redis, signal) {
  const [own, views] = [/** @type {AbortSignal | undefined} */ (signalOf(signal)), viewOf(redis).signal];
  return own && views ? AbortSignal.any([own, views]) : (own ?? views);
}

/**
 * An op of the core among the commands of its tick, and the promise of its outcome.
 * @param {Redis} redis @param {(handle: number) => string | undefined} op @param {number} [timeoutMs] @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export function ask(redis, op, timeoutMs, signal) {
  const view = viewOf(redis);
  const own = { timeoutMs: timeoutMs ?? view.timeoutMs, signal: signal ?? view.signal, vouched: false, bigints: false };
  return on(own, { json: "", places: [], op }, false, (entry) => view.shared.add([entry], false));
}

export class Redis {
  /** @type {View} */
  #view;

  /** @param {any} options */
  constructor(options) {
    this.#view = options instanceof View ? options : configured(options);
  }

  /** @param {Record<string, unknown>} [env] @param {object} [options] */
  static fromEnv(env, options) {
    return new Redis({ ...options, ...pair(env ?? globalThis.process?.env ?? {}) });
  }

  /** @param {{signal?: AbortSignal, timeout?: string, idempotent?: boolean, integers?: string}} [options] */
  with(options = {}) {
    const { signal, timeout, idempotent, integers } = options ?? {};
    const { shared, ...before } = this.#view;
    const timeoutMs = timeout === undefined ? before.timeoutMs : milliseconds("timeout", timeout);
    const view = new View(shared, timeoutMs, integers === undefined ? before.bigints : bigintsOf(integers));
    view.signal = /** @type {AbortSignal | undefined} */ (signalOf(signal)) ?? before.signal;
    view.vouched = idempotent ?? before.vouched;
    return new Redis(view);
  }

  /** @param {Words} words @param {Shape} [shape] */
  #call(words, shape) {
    return promise(this.#view, words, shape, (entry) => this.#view.shared.add([entry], false));
  }

  /** @param {any[]} words */
  command(...words) {
    return this.#call(flatten(words));
  }

  /** @param {any[]} words */
  commandBytes(...words) {
    return this.#call(flatten(words), bytes);
  }

  /** @param {string} source */
  script(source) {
    return new Script(this.#view, source);
  }

  /** @param {{match?: string, type?: string, count?: number}} [options] */
  scan(options = {}) {
    return pages((cursor) => this.command("SCAN", cursor, options));
  }

  /** @this {any} @param {string} key @param {object} [options] */
  hscanIterator(key, options) {
    return pages((cursor) => this.hscan(key, cursor, options), valued);
  }

  /** @this {any} @param {string} key @param {object} [options] */
  sscanIterator(key, options) {
    return pages((cursor) => this.sscan(key, cursor, options));
  }

  /** @this {any} @param {string} key @param {object} [options] */
  zscanIterator(key, options) {
    return pages((cursor) => this.zscan(key, cursor, options), scored);
  }

  /** @param {string | string[]} channels @param {{patterns?: boolean, signal?: AbortSignal, reconnect?: boolean}} [options] */
  subscribe(channels, options) {
    const { patterns = false, reconnect = true, signal } = options ?? {};
    const { shared, timeoutMs, signal: own } = this.#view;
    const signals = [own, /** @type {AbortSignal | undefined} */ (signalOf(signal))];
    return new Subscription({ server: shared.server, timeoutMs, channels, patterns, reconnect, signals });
  }

  pipeline() {
    return new Pipeline(this.#view, false);
  }

  multi() {
    return new Pipeline(this.#view, true);
  }

  static {
    viewOf = (redis) => {
      if (typeof redis !== "object" || redis === null || !(#view in redis)) throw wrong("redis must be a Redis of this package");
      return redis.#view;
    };
    install(this.prototype, (self, words, shape) => self.#call(words, shape));
  }
}

/** A Lua script: sent whole at its first use, by its SHA1 after that, and whole again when the server has lost it. */
class Script {
  #view;
  #source;

  /** @param {View} view @param {string} source */
  constructor(view, source) {
    if (!isText(source)) throw new EdgeError("invalid_argument", "script: its source must be a well-formed string");
    this.#view = view;
    this.#source = source;
  }

  /** @param {{keys?: string[], args?: any[]}} [call] @returns {Promise<any>} */
  run(call) {
    const { keys = [], args = [] } = call ?? {};
    if (!Array.isArray(keys) || !keys.every(isText)) return refused("keys must be an array of well-formed strings");
    if (!Array.isArray(args) || !args.every(isWord)) return refused("args must be an array of well-formed strings, numbers and Uint8Arrays");
    const { json, places } = encoded(args, 1);
    const head = JSON.stringify([String(keys.length), ...keys, ...(places.length > 0 ? [places.join()] : [])]);
    const words = args.length > 0 ? `${head.slice(0, -1)},${json.slice(1)}` : head;
    const { shared } = this.#view;
    return on(this.#view, { json: words, places, source: this.#source }, false, (entry) => shared.add([entry], false));
  }
}

/** @param {string} message */
const refused = (message) => Promise.reject(new EdgeError("invalid_argument", `script: ${message}`));

/** Commands that are sent together when it is told to, and not before: at once, or none of them, if it is atomic. */
class Pipeline {
  /** @type {Entry[]} */
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

  /** @param {Words} words @param {Shape} [shape] */
  #call(words, shape) {
    if (words instanceof EdgeError) this.#refused ??= words;
    const reply = promise(this.#view, words, shape, (entry) => {
      const refused = core.refusal(entry.json, new Uint32Array(entry.places));
      if (!refused) return this.#entries.push(entry);
      this.#refused ??= told(refused);
      entry.reject(told(refused));
    });
    // Whoever runs it hears of the failure; who does not has sent nothing.
    reply.catch(() => {});
    this.#replies.push(reply);
    return this;
  }

  /** @param {any[]} words */
  command(...words) {
    return this.#call(flatten(words));
  }

  /** @param {any[]} words */
  commandBytes(...words) {
    return this.#call(flatten(words), bytes);
  }

  /** Sends all of them; none, where a bad one spoils the rest. @param {boolean} spoils */
  #run(spoils) {
    const [entries, replies, refused] = [this.#entries, this.#replies, spoils && this.#refused];
    [this.#entries, this.#replies, this.#refused] = [[], [], undefined];
    const { shared, timeoutMs } = this.#view;
    for (const entry of entries) {
      entry.timeoutMs = timeoutMs;
      if (refused) entry.reject(refused);
    }
    if (entries.length > 0 && !refused) shared.add(entries, this.#atomic);
    return replies;
  }

  /** The replies; with a bad command among them nothing is sent. */
  exec() {
    return Promise.all(this.#run(true));
  }

  async execSettled() {
    const settled = await Promise.allSettled(this.#run(this.#atomic));
    return settled.map((one) => (one.status === "fulfilled" ? { ok: true, value: one.value } : { ok: false, error: one.reason }));
  }

  static {
    install(this.prototype, (self, words, shape) => self.#call(words, shape));
  }
}
