// Rate limits: what callers may say, and decisions as headers. The core counts and decides.

import * as core from "#core";
import { isText } from "./commands.js";
import { milliseconds } from "./duration.js";
import { bad, wrong } from "./error.js";
import { pause } from "./pause.js";
import { ask, eitherSignal, viewOf } from "./redis.js";
import { told } from "./tape.js";

/** @typedef {import("./redis.js").Redis} Redis */
/** @typedef {import("../index.js").Decision} Decision */

/** The fields of a limit, as the core reads them: only what the makers made is one. @type {WeakMap<object, string[]>} */
const LIMITS = new WeakMap();

/** @param {string} algorithm @param {unknown} most @param {string} option @param {unknown} window @param {unknown} refill @param {any} name */
function limit(algorithm, most, option, window, refill, name) {
  if (name !== undefined && !(isText(name) && name)) throw wrong("name of a limit must be a string, not empty");
  if (typeof most !== "number" || (algorithm === "t" && typeof refill !== "number")) throw wrong("limit, capacity and refill must be numbers");
  /** @type {string[]} */
  const fields = [name ?? "", algorithm, String(most), `${milliseconds(option, window)}`, String(refill)];
  const problem = core.limiter_problem("", JSON.stringify(fields));
  if (problem) throw told(problem);
  const made = Object.freeze({ name: fields[0] || "default" });
  LIMITS.set(made, fields);
  return made;
}

/** @param {number} most @param {string} window @param {string} [name] */
export const slidingWindow = (most, window, name) => limit("s", most, "window", window, "", name);

/** @param {number} most @param {string} window @param {string} [name] */
export const fixedWindow = (most, window, name) => limit("f", most, "window", window, "", name);

/** @param {number} capacity @param {number} refill @param {string} every @param {string} [name] */
export const tokenBucket = (capacity, refill, every, name) => limit("t", capacity, "every", every, refill, name);

/** @param {unknown} limits */
function fieldsOf(limits) {
  return (Array.isArray(limits) ? limits : [limits]).flatMap((limit) => {
    const fields = LIMITS.get(limit);
    if (!fields) throw wrong("limits must be made by slidingWindow, fixedWindow or tokenBucket");
    return fields;
  });
}

/** Whom a call is about, as the core reads it. @param {any} id */
function idOf(id) {
  if (isText(id)) return JSON.stringify([id]);
  const pairs = typeof id === "object" && id !== null && !Array.isArray(id) ? Object.entries(id).flat() : [];
  if (pairs.length > 0 && pairs.every(isText)) return JSON.stringify(pairs);
  throw bad("id must be a well-formed string, or an object of one for each limit's name");
}

/** @param {unknown} cost @param {number} least */
function costOf(cost, least) {
  if (Number.isInteger(cost) && Number(cost) >= least && Number(cost) < 2 ** 31) return Number(cost);
  throw bad(`cost must be a whole number, ${least} to 2147483647`);
}

/** @template {string} T @param {string} option @param {T[]} allowed @param {any} value @returns {T} */
function one(option, allowed, value) {
  if (allowed.includes(value)) return value;
  throw wrong(`${option} must be ${allowed.map((name) => `"${name}"`).join(" or ")}`);
}

/** @param {any} memory */
function remembered(memory) {
  if (memory === false) return 0;
  const { maxEntries = 10_000 } = typeof memory === "object" && memory !== null ? memory : { maxEntries: NaN };
  if (Number.isInteger(maxEntries) && maxEntries > 0 && maxEntries <= 1e7) return maxEntries;
  throw wrong("memory must be false, or an object whose maxEntries is a whole number, 1 to 10000000");
}

/** Where a limiter counts. @type {(limiter: RateLimiter) => Redis} */
export let limiterRedis;

/** Whether it would refuse without a request. Not to be called on top of a caller's own deep stack. @type {(limiter: RateLimiter, id: any) => boolean} */
export let recalls;

export class RateLimiter {
  #redis;
  #timeoutMs;
  /** All that the core must know, as text: an isolate's memory is found by it. */
  #config;

  /** @param {Redis} redis @param {any} options */
  constructor(redis, options) {
    const { name = "ratelimit", onFailure = "allow", timeout = "1s", memory = {}, clock = "client", analytics = false, limits } = options ?? {};
    if (!isText(name)) throw wrong("name must be a well-formed string");
    one("onFailure", ["allow", "deny", "local"], onFailure);
    one("clock", ["client", "server"], clock);
    viewOf(redis);
    this.#redis = redis;
    this.#timeoutMs = milliseconds("timeout", timeout);
    if (typeof analytics !== "boolean") throw wrong("analytics must be true or false");
    this.#config = JSON.stringify([name, onFailure, `${this.#timeoutMs}`, `${remembered(memory)}`, clock, `${analytics}`, ...fieldsOf(limits)]);
    const problem = core.limiter_problem(this.#config, "");
    if (problem) throw told(problem);
  }

  static {
    limiterRedis = (limiter) => limiter.#redis;
    recalls = (limiter, id) => core.limit_recalls(viewOf(limiter.#redis).shared.server.url, limiter.#config, idOf(id), Date.now());
  }

  /** What the core is told of a call. @param {any} id @param {any} [limits] @returns {[limiter: string, id: string, limits: string]} */
  #call(id, limits) {
    return [this.#config, idOf(id), limits === undefined ? "" : JSON.stringify(fieldsOf(limits))];
  }

  /** @param {[string, string, string]} call @param {number} cost @param {number} [timeoutMs] @param {AbortSignal} [signal] @returns {Promise<any>} */
  #send(call, cost, timeoutMs = this.#timeoutMs, signal) {
    return ask(this.#redis, (handle) => core.push_limit(handle, ...call, cost, Date.now()), timeoutMs, signal);
  }

  /** @param {any} id @param {{cost?: number, limits?: any}} [options] @returns {Promise<Decision>} */
  async check(id, options) {
    const { cost = 1, limits } = options ?? {};
    return this.#send(this.#call(id, limits), costOf(cost, 0));
  }

  /** @param {{id: any, cost?: number, limits?: any}[]} requests @returns {Promise<Decision[]>} */
  async checkAll(requests) {
    if (!Array.isArray(requests)) throw bad("requests must be an array of objects with an id");
    const calls = requests.map((request) => {
      const { id, cost = 1, limits } = request ?? {};
      const [call, places] = [this.#call(id, limits), costOf(cost, 0)];
      // One that is wrong must not leave the others counted.
      const problem = core.check_problem(...call, places);
      if (problem) throw told(problem);
      return () => this.#send(call, places);
    });
    return Promise.all(calls.map((send) => send()));
  }

  /** @param {any} id @returns {Promise<Decision>} */
  async peek(id) {
    return this.#send(this.#call(id), 0);
  }

  /** @param {any} id @param {number} [cost] */
  async refund(id, cost = 1) {
    await this.#send(this.#call(id), -costOf(cost, 1));
  }

  /** @param {any} id */
  async reset(id) {
    await this.#send(this.#call(id), NaN);
  }

  /** @param {any} id @param {{timeout: string, cost?: number, signal?: AbortSignal}} options */
  async wait(id, options) {
    const { timeout, cost = 1, signal } = options ?? {};
    const end = performance.now() + milliseconds("timeout", timeout);
    const [call, places, either] = [this.#call(id), costOf(cost, 0), eitherSignal(this.#redis, signal)];
    for (;;) {
      const left = Math.max(1, end - performance.now());
      const decision = await this.#send(call, places, Math.min(this.#timeoutMs, left), either);
      if (decision.allowed || decision.retryAfterMs > end - performance.now()) return decision;
      // A timer may end a little early, and to ask then would be a request for nothing.
      await pause(decision.retryAfterMs + 1, either);
    }
  }

  /** @param {{hoursAgo?: number}} [options] */
  async stats(options) {
    const { hoursAgo = 0 } = options ?? {};
    if (!Number.isInteger(hoursAgo) || hoursAgo < 0 || hoursAgo > 48) throw bad("hoursAgo must be a whole number, 0 to 48");
    return ask(this.#redis, (handle) => core.push_limit_stats(handle, this.#config, hoursAgo, Date.now()), this.#timeoutMs);
  }

  /** @param {Decision} decision @param {{style?: string, partitionKey?: string}} [options] */
  static headers(decision, options) {
    const { style = "draft-11", partitionKey } = options ?? {};
    const write = STYLES[one("style", ["draft-11", "draft-6", "x-ratelimit"], style)];
    const headers = new Headers(write(decision, decision.decidedAt ?? Date.now(), partitionKey));
    if (!decision.allowed) headers.set("Retry-After", `${Math.max(1, seconds(decision.retryAfterMs))}`);
    return headers;
  }
}

/** @param {string} secret @param {string} id */
export function partitionKey(secret, id) {
  if (isText(secret) && isText(id)) return core.partition_key(secret, id);
  throw bad("secret and id must be well-formed strings");
}

/** Rounded up: who comes back when told is not refused for a fraction. @param {number} ms */
const seconds = (ms) => Math.max(0, Math.ceil(ms / 1000));

/** Until a quota is back; for a refusal until it is worth coming back. @param {Decision} decision @param {number} resetAt @param {number} now */
const until = ({ allowed, retryAfterMs }, resetAt, now) => seconds(allowed ? resetAt - now : retryAfterMs);

/** When the limit of which least is left is full again. @param {Decision} decision */
function fullAt({ policies, resetAt }) {
  const [least] = [...policies].sort((a, b) => a.remaining - b.remaining);
  return least?.resetAt ?? resetAt;
}

/** @type {Record<string, (decision: Decision, now: number, partitionKey?: string) => [string, string][]>} */
const STYLES = {
  "draft-11": (decision, now, partitionKey) => {
    const pk = partitionKey === undefined ? "" : `;pk=:${base64(partitionKey)}:`;
    const { policies } = decision;
    return [
      ["RateLimit-Policy", policies.map(({ name, limit, windowMs }) => `"${name}";q=${limit};w=${seconds(windowMs)}${pk}`).join(", ")],
      ["RateLimit", policies.map(({ name, remaining, resetAt }) => `"${name}";r=${remaining};t=${until(decision, resetAt, now)}${pk}`).join(", ")],
    ];
  },
  "draft-6": (decision, now) => [
    ["RateLimit-Limit", `${decision.limit}`],
    ["RateLimit-Remaining", `${decision.remaining}`],
    ["RateLimit-Reset", `${until(decision, fullAt(decision), now)}`],
    ["RateLimit-Policy", decision.policies.map(({ limit, windowMs }) => `${limit};w=${seconds(windowMs)}`).join(", ")],
  ],
  "x-ratelimit": (decision) => [
    ["X-RateLimit-Limit", `${decision.limit}`],
    ["X-RateLimit-Remaining", `${decision.remaining}`],
    ["X-RateLimit-Reset", `${seconds(fullAt(decision))}`],
  ],
};

/** @param {any} text */
function base64(text) {
  if (!isText(text)) throw bad("partitionKey must be a well-formed string");
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
