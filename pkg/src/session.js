// Sessions: what callers may say, and the state of one between load and save. The core signs, decides and compares.

import * as core from "#core";
import { isText } from "./commands.js";
import { milliseconds } from "./duration.js";
import { bad, EdgeError, wrong } from "./error.js";
import { jsonOf, parsed } from "./json.js";
import { ask, viewOf } from "./redis.js";
import { told } from "./tape.js";

/** @typedef {import("./redis.js").Redis} Redis */
/** @typedef {(handle: number) => string | undefined} Op */
/** @typedef {{json: string | undefined, overwrites: boolean}} Change without JSON it deletes */
/** @typedef {{status: "new" | "valid" | "expired" | "invalid", createdAt: number, expiresAt: number, endsAt?: number,
 *   version?: number, generation?: string, id?: string, late?: number, persistent?: number, anew?: string, userId?: string,
 *   fields: string[]}} State */

/** What the core made, or why it could not. @param {string} text */
function made(text) {
  if (text.startsWith("!")) throw told(text.slice(1));
  return text;
}

/** @param {string} name @param {unknown} value */
function text(name, value) {
  if (isText(value)) return /** @type {string} */ (value);
  throw bad(`${name} must be a well-formed string`);
}

/** @param {unknown} id */
function userOf(id) {
  if (isText(id) && id) return /** @type {string} */ (id);
  throw bad("userId must be a well-formed string, not empty");
}

/** @param {any} cookie */
function cookieOf(cookie) {
  if (typeof cookie !== "object" || cookie === null) throw wrong("cookie must be an object");
  const { name = "__Host-session", sameSite = "lax", domain = "", path = "/", secure = true } = cookie;
  if (![name, domain, path].every(isText)) throw wrong("cookie.name, cookie.domain and cookie.path must be well-formed strings");
  if (!["lax", "strict", "none"].includes(sameSite)) throw wrong('cookie.sameSite must be "lax", "strict" or "none"');
  if (typeof secure !== "boolean") throw wrong("cookie.secure must be true or false");
  return [name, sameSite, domain, path, secure ? "1" : ""];
}

/** The `Cookie` header. @param {any} source */
function headerOf(source) {
  if (typeof source === "string") return source;
  const headers = source?.headers ?? source;
  if (typeof headers?.get === "function") return String(headers.get("cookie") ?? "");
  throw bad("source must be a Request, Headers, or the Cookie header");
}

/** How sessions are kept: what all of one `Sessions` share. */
class Store {
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
    this.config = JSON.stringify([name, ...cookieOf(cookie), ...times, `${maxBytes}`, ...all]);
    const problem = core.sessions_problem(this.config);
    if (problem) throw told(problem);
  }

  /** @param {Op} op @returns {Promise<any>} */
  ask(op) {
    return ask(this.redis, op, this.timeoutMs);
  }
}

export class Sessions {
  #store;

  /** @param {Redis} redis @param {any} options */
  constructor(redis, options) {
    this.#store = new Store(redis, options);
  }

  /** @param {Request | Headers | string} source */
  async load(source) {
    const cookies = headerOf(source);
    // A header is bytes; what is no text is no cookie of ours either.
    const header = isText(cookies) ? cookies : "";
    const store = this.#store;
    return new Session(store, await store.ask((handle) => core.push_session_load(handle, store.config, header, Date.now())));
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

/** @type {(session: Session) => State} */
let stateOf;

class Session {
  #store;
  /** @type {State} */
  #state;
  /** What is stored, by name: `d` and the key, or `f` and the key of a flash. A Map: no key is a prototype. @type {Map<string, {token: string, json: string}>} */
  #fields = new Map();
  /** @type {Map<string, Change>} */
  #changes = new Map();
  /** Told from another one by identity: it may be asked for again while a save is under way. @type {object | undefined} */
  #clears;
  /** The id from its next save on. */
  #next = "";
  #rotates = false;
  #destroyed = false;
  /** @type {{user: string, info: string, absoluteMs: number, persistent: boolean} | undefined} */
  #login;
  /** @type {Promise<unknown> | undefined} */
  #saving;

  /** @param {Store} store @param {State} state */
  constructor(store, state) {
    this.#store = store;
    this.#state = state;
    const { fields } = state;
    for (let at = 0; at < fields.length; at += 3) {
      this.#fields.set(/** @type {string} */ (fields[at]), { token: /** @type {string} */ (fields[at + 1]), json: /** @type {string} */ (fields[at + 2]) });
    }
  }

  static {
    stateOf = (session) => {
      if (typeof session !== "object" || session === null || !(#state in session)) throw bad("except must be a session of this package");
      return session.#state;
    };
  }

  get status() {
    return this.#state.status;
  }

  get isNew() {
    return this.status !== "valid";
  }

  get userId() {
    return this.#login?.user ?? this.#state.userId;
  }

  get createdAt() {
    return this.#state.createdAt;
  }

  get expiresAt() {
    return this.#state.expiresAt;
  }

  /** @param {string} name */
  #read(name) {
    const change = this.#changes.get(name);
    const json = change || this.#clears ? change?.json : this.#fields.get(name)?.json;
    return json === undefined ? undefined : parsed(json);
  }

  /** @param {string} name @param {string} json @param {boolean} overwrites */
  #write(name, json, overwrites) {
    const same = !this.#clears && !overwrites && this.#fields.get(name)?.json === json;
    if (same) this.#changes.delete(name);
    else this.#changes.set(name, { json, overwrites });
  }

  /** @param {string} name */
  #remove(name) {
    if (this.#fields.has(name) && !this.#clears) this.#changes.set(name, { json: undefined, overwrites: false });
    else this.#changes.delete(name);
  }

  /** @param {string} key */
  get(key) {
    return this.#read(`d${text("key", key)}`);
  }

  /** @param {string} key @param {unknown} value @param {{overwrite?: boolean}} [options] */
  set(key, value, options) {
    this.#write(`d${text("key", key)}`, jsonOf(value), Boolean(options?.overwrite));
  }

  /** @param {string} key */
  delete(key) {
    this.#remove(`d${text("key", key)}`);
  }

  clear() {
    this.#changes.clear();
    if (this.#state.id) this.#clears = {};
  }

  /** @param {string} key @param {unknown} [value] */
  flash(key, value) {
    const name = `f${text("key", key)}`;
    if (value !== undefined) return void this.#write(name, jsonOf(value), true);
    const kept = this.#read(name);
    this.#remove(name);
    return kept;
  }

  async csrfToken() {
    this.#draw(true);
    return made(core.session_csrf(this.#store.config, this.#next || (this.#state.id ?? "")));
  }

  /** @param {string} token */
  async verifyCsrf(token) {
    if (!isText(token)) return false;
    return [this.#state.id, this.#next].some((id) => id && core.session_csrf_holds(this.#store.config, id, token));
  }

  /** @param {string} userId @param {{info?: Record<string, string>, absolute?: string, persistent?: boolean}} [options] */
  login(userId, options) {
    const user = userOf(userId);
    const { info = {}, absolute, persistent = false } = options ?? {};
    if (typeof info !== "object" || info === null || !Object.entries(info).flat().every(isText)) throw bad("info must be an object of well-formed strings");
    if (typeof persistent !== "boolean") throw bad("persistent must be true or false");
    const absoluteMs = absolute === undefined ? 0 : milliseconds("absolute", absolute);
    this.#login = { user, info: JSON.stringify(info), absoluteMs, persistent };
    // One drawn before has not the user in it.
    this.#next = "";
  }

  rotate() {
    // Who comes with the old id never receives the new one.
    this.#rotates = !this.#state.late;
  }

  destroy() {
    this.#destroyed = true;
  }

  /** Draws the id from its next save on, if it is to have another. @param {boolean} begins */
  #draw(begins) {
    const { id = "" } = this.#state;
    if (this.#next || !(this.#login || (id ? this.#rotates : begins))) return;
    this.#next = made(core.session_id(this.#store.config, id, this.#login?.user ?? ""));
  }

  /** @returns {Promise<string[]>} */
  save() {
    // In the tick it is asked in; but one after the other.
    const saving = this.#saving ? this.#saving.then(() => this.#save()) : this.#save();
    const done = saving.then(
      () => {},
      () => {},
    );
    this.#saving = done;
    void done.then(() => {
      if (this.#saving === done) this.#saving = undefined;
    });
    return saving;
  }

  async #save() {
    const store = this.#store;
    const { id = "", anew } = this.#state;
    if (this.#destroyed) {
      if (id) await store.ask((handle) => core.push_session_end(handle, store.config, id, "", "", Date.now()));
      this.#forget();
      return [core.session_cookie_removal(store.config)];
    }
    const login = this.#login;
    this.#draw(this.#changes.size > 0);
    if (!this.#next && !this.#clears && this.#changes.size === 0) {
      this.#state.anew = undefined;
      return anew ? [anew] : [];
    }
    /** @type {{generation: string, endsAt: number} | undefined} */
    let entered;
    if (login) {
      const next = this.#next;
      // What cannot be saved is not begun.
      const problem = core.session_refusal(store.config, this.#draft(undefined).save);
      if (problem) throw told(problem);
      entered = await store.ask((handle) => core.push_session_enter(handle, store.config, next, id, login.absoluteMs, Date.now()));
    }
    const { op, sent, clears, next } = this.#draft(entered);
    const outcome = await store.ask(op);
    if (outcome.conflicts) throw this.#conflict(outcome.conflicts);
    this.#settle(outcome, sent, clears, next);
    if (login && entered) {
      Object.assign(this.#state, { userId: login.user, generation: entered.generation, persistent: Number(login.persistent) });
      if (this.#login === login) this.#login = undefined;
    }
    this.#rotates = false;
    const cookie = outcome.cookie ?? anew;
    this.#state.anew = undefined;
    return cookie ? [cookie] : [];
  }

  /** What the core is told to save. @param {{generation: string, endsAt: number} | undefined} entered */
  #draft(entered) {
    const { id = "", version = 0, endsAt = 0, persistent = 0 } = this.#state;
    const [login, clears, next] = [this.#login, this.#clears, this.#next];
    const sent = new Map(this.#changes);
    let kept = 0;
    if (!clears) {
      for (const [name, { json }] of this.#fields) if (!sent.has(name)) kept += size(name) - 1 + size(json);
    }
    const words = [id, next, `${version}`, clears ? "1" : "", `${kept}`];
    const lasts = login ? login.persistent : persistent;
    words.push(`${entered?.endsAt ?? endsAt}`, lasts ? "1" : "");
    words.push(login?.user ?? "", entered?.generation ?? "", login?.info ?? "");
    for (const [name, { json = "", overwrites }] of sent) {
      words.push(name, overwrites ? "*" : (this.#fields.get(name)?.token ?? ""), json);
    }
    const [config, save] = [this.#store.config, JSON.stringify(words)];
    /** @type {Op} */
    const op = (handle) => core.push_session_save(handle, config, save, Date.now());
    return { op, save, sent, clears, next };
  }

  /** What was sent is what is stored now. @param {any} outcome @param {Map<string, Change>} sent @param {object | undefined} clears @param {string} next */
  #settle(outcome, sent, clears, next) {
    const { token, version, savedAt, expiresAt, endsAt, replaced } = outcome;
    if (clears) this.#fields.clear();
    if (this.#clears === clears) this.#clears = undefined;
    for (const [name, change] of sent) {
      if (change.json === undefined) this.#fields.delete(name);
      else this.#fields.set(name, { token, json: change.json });
      if (this.#changes.get(name) === change) this.#changes.delete(name);
    }
    const { id, createdAt } = this.#state;
    const known = { status: "valid", version, expiresAt, endsAt, createdAt: id ? createdAt : savedAt };
    Object.assign(this.#state, known, replaced ? { id: next } : {});
    if (this.#next === next) this.#next = "";
  }

  /** It is over: as if there had been no cookie. */
  #forget() {
    const now = Date.now();
    this.#state = { status: "new", createdAt: now, expiresAt: now, fields: [] };
    this.#fields.clear();
    this.#changes.clear();
    this.#clears = undefined;
    this.#login = undefined;
    this.#next = "";
    this.#rotates = this.#destroyed = false;
  }

  /** @param {(string | null)[]} fields */
  #conflict(fields) {
    const conflicts = [];
    for (let at = 0; at < fields.length; at += 2) {
      const [name, theirs] = [/** @type {string} */ (fields[at]), fields[at + 1]];
      conflicts.push({ key: name.slice(1), ours: this.#read(name), theirs: theirs ? parsed(theirs) : undefined });
    }
    const error = new EdgeError("conflict", "another request changed the same key of the session first");
    return Object.assign(error, { conflicts });
  }

  /** @param {Response} response */
  async commit(response) {
    if (typeof response?.headers?.append !== "function") throw bad("response must be a Response");
    const cookies = await this.save();
    const answer = changeable(response);
    for (const cookie of cookies) answer.headers.append("set-cookie", cookie);
    // What one visitor's session made is not for another's cache.
    answer.headers.set("cache-control", "no-store");
    return answer;
  }
}

/** Itself, or a copy where its headers cannot be changed: one that `fetch` or `Response.redirect` made. @param {Response} response */
function changeable(response) {
  try {
    response.headers.set("cache-control", "no-store");
    return response;
  } catch {
    return new Response(response.body, response);
  }
}

const utf8 = new TextEncoder();

/** In bytes. @param {string} text */
const size = (text) => utf8.encode(text).length;
