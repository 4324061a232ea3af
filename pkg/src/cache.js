// The cache: what callers may say, values as JSON or bytes, and the pump of get-or-fetch. The core decides what is served
// when.

import * as core from "#core";
import { isBytes, isText } from "./commands.js";
import { deflated, inflated } from "./deflate.js";
import { milliseconds } from "./duration.js";
import { bad, EdgeError, wrong } from "./error.js";
import { END, FAILED, FETCH, FETCHED, FORGOTTEN_MS, FOUND, JUDGE, LOST, NOTHING, SEND, SLEEP, SLEPT, UNUSABLE, USABLE, handed } from "./flow.js";
import { jsonOf, written } from "./json.js";
import { pause } from "./pause.js";
import { heard, tell } from "./pump.js";
import { ask, eitherSignal, viewOf } from "./redis.js";
import { Look } from "./respond.js";
import { told } from "./tape.js";

/** @typedef {import("./redis.js").Redis} Redis */
/** @typedef {{numbers: number[], answers: Uint8Array[]}} Places what the core found, and the bytes it lies in */
/** @typedef {{codec: number, bytes: Uint8Array}} Payload what stands, or will stand, in an entry */
/** @typedef {{value?: any, error?: unknown, failed: boolean}} Outcome of the caller's function */

/** What is read; the first two are codecs as well, and to a codec more is added where it is deflated. */
const JSON_TEXT = 0;
const BYTES = 1;
const HEADS = 2;
const DEFLATED = 2;

/** With its escapes a body of this size fits a request of 10 MB, which is what Upstash takes at least. */
const LARGEST_BODY = 4 * 2 ** 20;

/** @param {AbortSignal} [signal] */
const aborted = (signal) => new EdgeError("aborted", "the caller aborted it", signal?.reason);

/** @param {unknown} keys */
function keysOf(keys) {
  if (Array.isArray(keys) && keys.every(isText)) return JSON.stringify(keys);
  throw bad("a key must be a well-formed string");
}

/** @param {any} entries @returns {unknown[][]} */
function pairsOf(entries) {
  const pairs = typeof entries?.[Symbol.iterator] === "function" ? [...entries] : [null];
  if (pairs.every(Array.isArray)) return pairs;
  throw bad("entries must be pairs of a key and a value");
}

/** @param {unknown} tags @param {number} [most] */
function tagsOf(tags, most = 64) {
  if (tags === undefined) return "";
  if (Array.isArray(tags) && tags.length <= most && tags.every((tag) => isText(tag) && tag)) return JSON.stringify(tags);
  throw bad(`tags must be well-formed strings that are not empty, ${most} at most`);
}

/** 0 leaves it to the cache. @param {unknown} ttl */
const ttlOf = (ttl) => (ttl === undefined ? 0 : milliseconds("ttl", ttl));

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @param {string} json @returns {Payload} */
const ofJson = (json) => ({ codec: JSON_TEXT, bytes: encoder.encode(json) });

/** All in one, and of each its codec and where it ends. @param {Payload[]} payloads @returns {[Uint8Array, Uint32Array]} */
function laidOut(payloads) {
  const layout = new Uint32Array(2 * payloads.length);
  let end = 0;
  payloads.forEach(({ codec, bytes }, at) => layout.set([codec, (end += bytes.length)], 2 * at));
  const [first] = payloads;
  if (first && payloads.length === 1) return [first.bytes, layout];
  const all = new Uint8Array(end);
  payloads.forEach(({ bytes }, at) => all.set(bytes, /** @type {number} */ (layout[2 * at + 1]) - bytes.length));
  return [all, layout];
}

/** @param {string} option @param {unknown} number @param {number} most */
function share(option, number, most) {
  if (typeof number === "number" && number >= 0 && number <= most) return number;
  throw wrong(`${option} must be a number, 0 to ${most}`);
}

/** @param {string} option @param {unknown} call */
function callable(option, call) {
  if (call === undefined || typeof call === "function") return /** @type {any} */ (call);
  throw wrong(`${option} must be a function`);
}

/**
 * Looks, with this tick's batch, for the answer to a request: the first half of `respond`, whose options it takes.
 * @type {(cache: Cache, request: Request, options?: any) => Look}
 */
export let lookOf;

/** Where a cache keeps. @type {(cache: Cache) => Redis} */
export let cacheRedis;

export class Cache {
  #redis;
  #timeoutMs;
  #early;
  /** @type {number} */
  #compressAbove;
  /** @type {((value: unknown) => boolean | Promise<boolean>) | undefined} */
  #validate;
  /** @type {((promise: Promise<unknown>) => void) | undefined} */
  #waitUntil;
  /** @type {((failure: object) => unknown) | undefined} */
  #onError;
  /** All that the core must know, as text. */
  #config;

  /** @param {Redis} redis @param {any} [options] */
  constructor(redis, options) {
    const { name = "cache", ttl = "1h", jitter = 0, staleWhileRevalidate, staleIfError, shards = 1 } = options ?? {};
    const { lock = "10s", earlyRefresh = 0, timeout = "500ms", metrics = true, validate, waitUntil } = options ?? {};
    const { compressAbove = 1024, onError } = options ?? {};
    if (!isText(name)) throw wrong("name must be a well-formed string");
    const window = (/** @type {string} */ option, /** @type {unknown} */ given) => (given === undefined ? 0 : milliseconds(option, given));
    if (typeof metrics !== "boolean") throw wrong("metrics must be true or false");
    if (compressAbove !== false && !(typeof compressAbove === "number" && compressAbove >= 0)) throw wrong("compressAbove must be false or a number of bytes");
    this.#redis = redis;
    this.#compressAbove = compressAbove === false ? Infinity : compressAbove;
    const timeoutMs = milliseconds("timeout", timeout);
    // It bounds what a caller waits, and the timers of a busy isolate are late.
    this.#timeoutMs = timeoutMs - Math.min(timeoutMs / 4, 25);
    this.#early = share("earlyRefresh", earlyRefresh, 1000);
    this.#validate = callable("validate", validate);
    this.#waitUntil = callable("waitUntil", waitUntil);
    this.#onError = callable("onError", onError);
    const numbers = [
      milliseconds("ttl", ttl),
      Math.round(share("jitter", jitter, 1) * 1000),
      window("staleWhileRevalidate", staleWhileRevalidate),
      window("staleIfError", staleIfError),
      Number.isInteger(shards) ? shards : 0,
      lock === false ? 0 : milliseconds("lock", lock),
      timeoutMs,
    ];
    this.#config = JSON.stringify([viewOf(redis).shared.server.url, name, ...numbers.map(String), `${metrics}`]);
    const problem = core.cache_problem(this.#config);
    if (problem) throw told(problem);
  }

  /** @param {string} key */
  async get(key) {
    const [value] = await this.#values([key]);
    return value;
  }

  /** @param {string} key */
  async getBytes(key) {
    const { numbers, answers } = await this.#read([key], BYTES);
    if (numbers.length === 0) return undefined;
    const payload = payloadOf(answers, numbers.slice(1));
    try {
      // A copy: a view would keep the whole answer alive, and let one caller write into another's.
      return payload.codec < DEFLATED ? new Uint8Array(payload.bytes) : await inflated(payload.bytes);
    } catch {
      return undefined;
    }
  }

  /** @param {string[]} keys */
  async getMany(keys) {
    return this.#values(keys);
  }

  /** @param {string} key */
  async has(key) {
    const { numbers } = await this.#read([key], HEADS);
    return numbers.length > 0;
  }

  /** @param {string} key @param {unknown} value @param {{ttl?: string, tags?: string[]}} [options] */
  async set(key, value, options) {
    await this.setMany([[key, value]], options);
  }

  /** @param {Iterable<[string, unknown]>} entries @param {{ttl?: string, tags?: string[]}} [options] */
  async setMany(entries, options) {
    const { ttl, tags } = options ?? {};
    const pairs = pairsOf(entries);
    const keys = keysOf(pairs.map(([key]) => key));
    await this.#write(keys, pairs.map(([, value]) => ofJson(jsonOf(value))), ttlOf(ttl), tagsOf(tags));
  }

  /** @param {string} key @param {Uint8Array} bytes @param {{ttl?: string, tags?: string[]}} [options] */
  async setBytes(key, bytes, { ttl, tags } = {}) {
    if (!isBytes(bytes)) throw bad("bytes must be a Uint8Array");
    // A copy: what is asked leaves with the tick, and until then they are the caller's.
    await this.#write(keysOf([key]), [{ codec: BYTES, bytes: new Uint8Array(bytes) }], ttlOf(ttl), tagsOf(tags));
  }

  /** @param {string[]} keys @returns {Promise<number>} */
  async delete(...keys) {
    const json = keysOf(keys);
    return keys.length > 0 ? this.#ask((handle) => core.push_cache_write(handle, this.#config, json, undefined, new Uint32Array(), 0, "", Date.now())) : 0;
  }

  /** @param {string[]} tags */
  async invalidateTags(...tags) {
    await this.#mark(tags, true);
  }

  /** @param {string[]} tags */
  async expireTags(...tags) {
    await this.#mark(tags, false);
  }

  async stats() {
    const [hits, misses, stale] = await this.#ask((handle) => core.push_cache_stats(handle, this.#config, Date.now()));
    return { hits, misses, stale, hitRate: (hits + stale) / Math.max(1, hits + stale + misses) };
  }

  async countKeys() {
    let count = 0;
    for await (const _ of this.#redis.scan({ match: core.cache_pattern(this.#config), count: 1000 })) count++;
    return count;
  }

  /** @param {Payload} payload */
  #isLarge({ bytes }) {
    return bytes.length > this.#compressAbove;
  }

  /** @param {Payload} payload @returns {Promise<Payload>} */
  async #packed(payload) {
    const bytes = this.#isLarge(payload) && (await deflated(payload.bytes));
    return bytes ? { codec: payload.codec + DEFLATED, bytes } : payload;
  }

  /** What is small joins its tick. @param {string} keys @param {Payload[]} payloads @param {number} ttlMs @param {string} tags */
  async #write(keys, payloads, ttlMs, tags) {
    const large = payloads.some((payload) => this.#isLarge(payload));
    const [bytes, layout] = laidOut(large ? await Promise.all(payloads.map((payload) => this.#packed(payload))) : payloads);
    if (payloads.length > 0) await this.#ask((handle) => core.push_cache_write(handle, this.#config, keys, bytes, layout, ttlMs, tags, Date.now()));
  }

  /** @param {string[]} tags @param {boolean} gone */
  async #mark(tags, gone) {
    const json = tagsOf(tags, Infinity);
    if (tags.length > 0) await this.#ask((handle) => core.push_cache_tags(handle, this.#config, json, gone, Date.now()));
  }

  /** @param {(handle: number) => string | undefined} op @param {AbortSignal} [signal] @returns {Promise<any>} */
  #ask(op, signal) {
    return ask(this.#redis, op, this.#timeoutMs, signal);
  }

  /** A read that fails is a miss, unless nobody waits for it. @param {string[]} keys @param {number} wanted @returns {Promise<Places>} */
  async #read(keys, wanted) {
    const json = keysOf(keys);
    try {
      const { numbers, answers } = await this.#ask((handle) => core.push_cache_read(handle, this.#config, json, wanted, Date.now()));
      this.#tell(numbers[0]);
      return { numbers: numbers.slice(1), answers };
    } catch (error) {
      return this.#missed("read", error);
    }
  }

  /** @param {string | 0} failed what, and the code of its error */
  #tell(failed) {
    if (!failed || !this.#onError) return;
    const [operation, code] = failed.split(" ");
    void tell(this.#onError, { operation, code });
  }

  /** @param {string} operation @param {any} error @returns {Places} */
  #missed(operation, error) {
    if (error.code === "aborted") throw error;
    this.#tell(`${operation} ${error.code}`);
    return { numbers: [], answers: [] };
  }

  /** @param {string[]} keys */
  async #values(keys) {
    const { numbers, answers } = await this.#read(keys, JSON_TEXT);
    const values = Array(keys.length).fill(undefined);
    for (let at = 0; at < numbers.length; at += 5) {
      const [value] = await this.#judged(payloadOf(answers, numbers.slice(at + 1)));
      values[Number(numbers[at])] = value;
    }
    return values;
  }

  /** The value that stands there, if it is one: in an array of one. @param {Payload} payload */
  async #judged({ codec, bytes }) {
    try {
      const json = codec < DEFLATED ? bytes : await inflated(bytes);
      const value = JSON.parse(decoder.decode(json));
      return !this.#validate || (await this.#validate(value)) ? [value] : [];
    } catch {
      return [];
    }
  }

  /** @param {string} key @param {(context: any) => any} fetcher @param {any} [options] @returns {Promise<any>} */
  async getOrFetch(key, fetcher, options) {
    const { ttl, tags, refresh = false, signal, waitUntil = this.#waitUntil } = options ?? {};
    if (!isText(key)) throw bad("a key must be a well-formed string");
    if (typeof fetcher !== "function") throw bad("fetcher must be a function");
    callable("waitUntil", waitUntil);
    /** @type {[number, string, number, boolean, boolean]} */
    const how = [ttlOf(ttl), tagsOf(tags), this.#earliness(), Boolean(waitUntil), Boolean(refresh)];
    const begin = () => core.flow_begin(this.#config, key, ...how, Date.now(), Date.now() + FORGOTTEN_MS);
    const pack = (/** @type {Payload} */ payload) => this.#packed(payload);
    const run = new Run(begin, fetcher, pack, eitherSignal(this.#redis, signal), Boolean(waitUntil));
    // The rest is waited for here, or by the runtime: nobody's promise is left alone.
    const rest = this.#drive(run);
    if (!waitUntil) await rest;
    const forget = run.signal && heard(run.signal, () => run.reject(aborted(run.signal)));
    try {
      return await run.answer;
    } finally {
      forget?.();
      if (!run.over) await handed(waitUntil, rest);
    }
  }

  /** XFetch: how early this caller refreshes, in thousandths of what fetching cost. */
  #earliness() {
    return Math.min(2 ** 31, Math.round(-Math.log(1 - Math.random()) * this.#early * 1000));
  }

  /**
   * @param {Request} request @param {(request: Request) => Response | Promise<Response>} handler @param {any} [options]
   * @returns {Promise<Response>}
   */
  async respond(request, handler, options) {
    if (typeof handler !== "function") throw bad("handler must be a function");
    return lookOf(this, request, options).through(handler);
  }

  /** Does what the flow wants, up to and beyond its answer. Never rejects. @param {Run} run */
  async #drive(run) {
    const { signal } = run;
    try {
      let step = [0, SEND, 0];
      /** @type {unknown[]} */
      let judged = [];
      for (;;) {
        const [answer, next, ms = 0] = step;
        run.over = next === END;
        if (answer === FOUND) run.resolve(judged[0]);
        if (answer === FETCHED) run.conclude();
        run.settles ||= answer !== 0;
        if (next === END) return;
        if (next === SLEEP) {
          await pause(ms, signal);
          step = run.step(SLEPT);
        } else if (next === JUDGE) {
          step = run.step(judged.length > 0 ? USABLE : UNUSABLE);
        } else if (next === FETCH) {
          step = await (signal?.aborted ? run.leave() : run.fetch());
        } else if (next === SEND) {
          const { numbers, answers } = await this.#sent(run);
          if (numbers[1] === JUDGE) judged = await this.#judged(payloadOf(answers, numbers.slice(4)));
          step = numbers.length > 0 ? numbers : run.step(LOST);
        }
      }
    } catch (error) {
      run.reject(error);
    } finally {
      run.over = true;
      core.flow_end(run.flow);
    }
  }

  /** @param {Run} run @returns {Promise<Places>} */
  async #sent(run) {
    const { signal, background, settles } = run;
    if (signal?.aborted && !settles) throw aborted(signal);
    try {
      // A look-up that is cut off may have taken the lease, and everybody would wait for it to end: so it is heard to its
      // end where that costs the caller no time, and what settles the lease is sent in any case.
      const sent = await this.#ask((handle) => run.push(handle), background || settles ? new AbortController().signal : signal);
      this.#tell(sent.numbers[3]);
      return sent;
    } catch (error) {
      return this.#missed(settles ? "store" : "lookup", error);
    }
  }

  static {
    cacheRedis = (cache) => cache.#redis;
    lookOf = (cache, request, options) => {
      const { ttl, tags, key, maxBytes = LARGEST_BODY, waitUntil = cache.#waitUntil } = options ?? {};
      if (!isText(request?.url) || typeof request.headers?.forEach !== "function") throw bad("request must be a Request");
      if (key !== undefined && !isText(key)) throw bad("a key must be a well-formed string");
      if (!Number.isSafeInteger(maxBytes) || maxBytes < 0) throw wrong("maxBytes must be a number of bytes");
      const how = { ttlMs: ttlOf(ttl), tags: tagsOf(tags), key, early: cache.#earliness(), maxBytes, waitUntil: callable("waitUntil", waitUntil) };
      /** @param {(handle: number) => string | undefined} op */
      const asking = (op) => cache.#ask(op);
      const tell = (/** @type {any} */ failed) => cache.#tell(failed);
      return new Look({ config: cache.#config, ask: asking, remove: (keys) => cache.delete(...keys), tell }, request, how);
    };
  }
}

/** @param {Uint8Array[]} answers @param {number[]} place @returns {Payload} */
function payloadOf(answers, [codec = 0, answer = 0, start, end]) {
  return { codec, bytes: answers[answer]?.subarray(start, end) ?? new Uint8Array() };
}

/** One get-or-fetch: its flow in the core, the caller's function, and the promise of an answer. */
class Run {
  over = false;
  /** What is sent next stores, or gives the lease back. */
  settles = false;
  /** What the caller's function gave. @type {Outcome} */
  outcome = { failed: false };
  resolve = (/** @type {unknown} */ _) => {};
  reject = (/** @type {unknown} */ _) => {};

  /** Its handle in the core, once it has begun. @type {number | undefined} */
  #flow;

  /** @param {() => number} begin @param {(context: any) => any} fetcher @param {(payload: Payload) => Promise<Payload>} pack @param {AbortSignal | undefined} signal @param {boolean} background */
  constructor(begin, fetcher, pack, signal, background) {
    this.begin = begin;
    this.fetcher = fetcher;
    this.pack = pack;
    this.signal = signal;
    this.background = background;
    this.answer = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
    // Who waits hears of it; what fails before that is not left unheard.
    this.answer.catch(() => {});
  }

  get flow() {
    return this.#flow ?? NaN;
  }

  /** Begins with the tick's batch: the core is never entered on top of a caller's own deep stack. @param {number} handle */
  push(handle) {
    this.#flow ??= this.begin();
    return core.push_flow(handle, this.#flow, Date.now());
  }

  /** @param {number} event @returns {number[]} */
  step(event) {
    return JSON.parse(core.flow_step(this.flow, event, Date.now()));
  }

  conclude() {
    const { failed, value, error } = this.outcome;
    if (failed) this.reject(error);
    else this.resolve(value);
  }

  /** Nobody waits for the fetch any more. */
  leave() {
    this.settles = true;
    this.outcome = { error: aborted(this.signal), failed: true };
    return this.fetched(FAILED);
  }

  async fetch() {
    this.settles = true;
    let [ttlMs, tags, skipped] = [0, "", false];
    const context = {
      signal: this.signal ?? new AbortController().signal,
      setTtl: (/** @type {string} */ ttl) => void (ttlMs = milliseconds("ttl", ttl)),
      setTags: (/** @type {string[]} */ given) => void (tags = tagsOf(given ?? [])),
      skip: () => void (skipped = true),
    };
    try {
      const value = await this.fetcher(context);
      this.outcome = { value, failed: false };
    } catch (error) {
      this.outcome = { error, failed: true };
      return this.fetched(FAILED);
    }
    const json = skipped ? undefined : written(this.outcome.value);
    if (json === undefined) return this.fetched(NOTHING);
    // A value is the answer, if there was none before: nobody waits for it to be deflated.
    this.conclude();
    return this.fetched(NOTHING, await this.pack(ofJson(json)), ttlMs, tags);
  }

  /** A flow that was refused, or forgotten, leaves what the function gave. @param {number} event @param {Payload} [payload] @param {number} [ttlMs] @param {string} [tags] @returns {number[]} */
  fetched(event, payload, ttlMs = 0, tags = "") {
    const step = payload ? JSON.parse(core.flow_fetched(this.flow, payload.codec, payload.bytes, ttlMs, tags, Date.now())) : this.step(event);
    return step[1] === FETCH ? [FETCHED, END, 0] : step;
  }
}
