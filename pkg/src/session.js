// The state of one session between load and save. The core signs, decides and compares.

import * as core from "#core";
import { isText } from "./commands.js";
import { onto, putInto } from "./cookies.js";
import { milliseconds } from "./duration.js";
import { bad, EdgeError } from "./error.js";
import { jsonOf, parsed } from "./json.js";
import { told } from "./tape.js";

/** @typedef {import("./sessions.js").Store} Store */
/** @typedef {import("../session.js").CookieJar} CookieJar */
/** @typedef {(handle: number) => string | undefined} Op */
/** @typedef {{json: string | undefined, overwrites: boolean}} Change without JSON it deletes */
/** @typedef {{status: "new" | "valid" | "expired" | "invalid", createdAt: number, expiresAt: number, endsAt?: number,
 *   version?: number, generation?: string, id?: string, late?: number, persistent?: number, anew?: string, userId?: string,
 *   fields: string[]}} State */

const JAR_REFUSES =
  "the session is saved, but the jar takes no cookie here: save in a Server Action or a Route Handler (Next), before the response is made (SvelteKit, Astro), or commit(response)";

/** What the core made, or why it could not. @param {string} text */
function made(text) {
  if (text.startsWith("!")) throw told(text.slice(1));
  return text;
}

/** @param {string} name @param {unknown} value */
export function text(name, value) {
  if (isText(value)) return /** @type {string} */ (value);
  throw bad(`${name} must be a well-formed string`);
}

/** @param {unknown} id */
export function userOf(id) {
  if (isText(id) && id) return /** @type {string} */ (id);
  throw bad("userId must be a well-formed string, not empty");
}

/** @type {(session: Session) => State} */
export let stateOf;

/** Whether a caller has asked it anything, or told it. @type {(session: Session) => boolean} */
export let touched;

/** Whether a save would write; and whether it would tell the browser something. @type {(session: Session) => {writes: boolean, tells: boolean}} */
export let pending;

export class Session {
  #touched = false;
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
  /** What the browser must be told, and was not yet: a `Set-Cookie` value. */
  #owed = "";
  #jar;

  /** @param {Store} store @param {State} state @param {CookieJar} [jar] */
  constructor(store, state, jar) {
    this.#store = store;
    this.#state = state;
    this.#jar = jar;
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
    touched = (session) => session.#touched;
    pending = (session) => {
      const begins = !session.#state.id && (session.#next !== "" || session.#changes.size > 0);
      const tells = begins || session.#rotates || session.#destroyed || Boolean(session.#login || session.#owed || session.#state.anew);
      return { writes: tells || Boolean(session.#clears) || session.#changes.size > 0, tells };
    };
    // By name, so that no member is forgotten: what a handler has seen may stand in its answer.
    for (const [name, { get, value }] of Object.entries(Object.getOwnPropertyDescriptors(this.prototype))) {
      const act = get ?? value;
      /** @this {any} @param {any[]} args */
      const watched = function (...args) {
        this.#touched = true;
        return act.apply(this, args);
      };
      if (name !== "constructor") Object.defineProperty(this.prototype, name, get ? { get: watched } : { value: watched });
    }
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

  save() {
    return this.#inTurn(this.#jar);
  }

  /** In the tick it is asked in; but one after the other. @param {CookieJar} [jar] @returns {Promise<string[]>} */
  #inTurn(jar) {
    const save = () => this.#save().then(() => this.#tell(jar));
    const saving = this.#saving ? this.#saving.then(save) : save();
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
    const { id = "" } = this.#state;
    if (this.#destroyed) {
      if (id) await store.ask((handle) => core.push_session_end(handle, store.config, id, "", "", Date.now()));
      this.#forget();
      this.#owed = core.session_cookie_removal(store.config);
      return;
    }
    const login = this.#login;
    this.#draw(this.#changes.size > 0);
    if (!this.#next && !this.#clears && this.#changes.size === 0) return;
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
    // Should this attempt to begin fail, the next one is known from it.
    if (!id) this.#state.version = (this.#state.version ?? 0) + 1;
    const outcome = await store.ask(op);
    if (outcome.conflicts) throw this.#conflict(outcome.conflicts);
    this.#settle(outcome, sent, clears, next);
    if (login && entered) {
      Object.assign(this.#state, { userId: login.user, generation: entered.generation, persistent: Number(login.persistent) });
      if (this.#login === login) this.#login = undefined;
    }
    this.#rotates = false;
    if (outcome.cookie) {
      this.#owed = outcome.cookie;
      this.#state.anew = undefined;
    }
  }

  /** The cookie, into the jar or to the caller. @param {CookieJar} [jar] */
  async #tell(jar) {
    const { anew } = this.#state;
    const cookie = this.#owed || anew;
    if (!cookie) return [];
    if (jar) {
      const { name, attributes } = this.#store.cookie;
      try {
        await putInto(jar, cookie, name, attributes);
      } catch {
        // One that is only signed anew can wait for a request that may set it.
        if (!this.#owed) return [];
        throw new EdgeError("unsupported", JAR_REFUSES);
      }
    }
    this.#owed = "";
    this.#state.anew = undefined;
    return jar ? [] : [cookie];
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
    return onto(response, await this.#inTurn());
  }
}

const utf8 = new TextEncoder();

/** In bytes. @param {string} text */
const size = (text) => utf8.encode(text).length;
