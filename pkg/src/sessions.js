// Sessions: what callers may say of them all, and of a user's.

import * as core from "#core";
import { isText } from "./commands.js";
import { sourceOf } from "./cookies.js";
import { milliseconds } from "./duration.js";
import { wrong } from "./error.js";
import { ask, viewOf } from "./redis.js";
import { Session, stateOf, text, userOf } from "./session.js";
import { told } from "./tape.js";

/** @typedef {import("./redis.js").Redis} Redis */

/** @param {any} cookie */
function cookieOf(cookie) {
  if (typeof cookie !== "object" || cookie === null) throw wrong("cookie must be an object");
  const { name = "__Host-session", sameSite = "lax", domain = "", path = "/", secure = true } = cookie;
  if (![name, domain, path].every(isText)) throw wrong("cookie.name, cookie.domain and cookie.path must be well-formed strings");
  if (!["lax", "strict", "none"].includes(sameSite)) throw wrong('cookie.sameSite must be "lax", "strict" or "none"');
  if (typeof secure !== "boolean") throw wrong("cookie.secure must be true or false");
  /** @type {import("../session.js").CookieAttributes} */
  const attributes = { path, secure, httpOnly: true, sameSite };
  if (domain) attributes.domain = domain;
  return { name, attributes, words: [name, sameSite, domain, path, secure ? "1" : ""] };
}

/** How sessions are kept: what all of one `Sessions` share. */
export class Store {
  /** @param {Redis} redis @param {any} options */
  constructor(redis, options) {
    const { name = "session", secrets, cookie = {}, maxBytes = 65536 } = options ?? {};
    const { idle = "30m", absolute = "24h", touchEvery = "1m", grace = "10s", timeout = "2s" } = options ?? {};
    const all = Array.isArray(secrets) ? secrets : [secrets];
    if (!all.every(isText)) throw wrong("secrets must be one or more strings, each of at least 32 bytes");
    if (!isText(name)) throw wrong("name must be a well-formed string");
    if (!Number.isInteger(maxBytes) || maxBytes < 0 || maxBytes >= 2 ** 31) throw wrong("maxBytes must be a whole number, 0 to 2147483647");
    viewOf(redis);
    this.redis = redis;
    this.timeoutMs = milliseconds("timeout", timeout);
    const times = Object.entries({ idle, absolute, touchEvery, grace, timeout }).map(([option, duration]) => `${milliseconds(option, duration)}`);
    this.cookie = cookieOf(cookie);
    this.config = JSON.stringify([name, ...this.cookie.words, ...times, `${maxBytes}`, ...all]);
    const problem = core.sessions_problem(this.config);
    if (problem) throw told(problem);
  }

  /** @param {import("./session.js").Op} op @returns {Promise<any>} */
  ask(op) {
    return ask(this.redis, op, this.timeoutMs);
  }
}

/** Where sessions are kept. @type {(sessions: Sessions) => Redis} */
export let sessionsRedis;

export class Sessions {
  #store;

  static {
    sessionsRedis = (sessions) => sessions.#store.redis;
  }

  /** @param {Redis} redis @param {any} options */
  constructor(redis, options) {
    this.#store = new Store(redis, options);
  }

  /** @param {Request | Headers | string | import("../session.js").CookieJar} source */
  async load(source) {
    const store = this.#store;
    const { header, jar } = sourceOf(source, store.cookie.name);
    // A header is bytes; what is no text is no cookie of ours either.
    const cookies = isText(header) ? header : "";
    const state = await store.ask((handle) => core.push_session_load(handle, store.config, cookies, Date.now()));
    return new Session(store, state, jar);
  }

  /** @param {string} userId */
  async list(userId) {
    const user = userOf(userId);
    const store = this.#store;
    const handles = await store.ask((handle) => core.push_session_handles(handle, store.config, user, Date.now()));
    if (handles.length < 2) return [];
    return store.ask((handle) => core.push_session_infos(handle, store.config, user, JSON.stringify(handles), Date.now()));
  }

  /** @param {string} userId @param {string} handle @returns {Promise<boolean>} */
  async revoke(userId, handle) {
    const user = userOf(userId);
    const named = text("handle", handle);
    const store = this.#store;
    return store.ask((batch) => core.push_session_end(batch, store.config, "", user, named, Date.now()));
  }

  /** @param {string} userId @param {{except?: Session | null}} [options] @returns {Promise<number>} */
  async revokeAll(userId, options) {
    const user = userOf(userId);
    const { except } = options ?? {};
    const state = except === undefined || except === null ? undefined : stateOf(except);
    const { id = "", generation = "" } = state ?? {};
    const store = this.#store;
    const op = (/** @type {number} */ handle) => core.push_session_end_all(handle, store.config, user, id, generation, Date.now());
    const [count, next] = await store.ask(op);
    if (state?.userId === user) state.generation = next;
    return count;
  }
}
