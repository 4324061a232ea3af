// An old store beside a new one. Until nobody asks it any more the old one is right: where the two may differ the new
// one's entry is deleted, never mended in place, for a delete that comes late does no harm. docs/migration.md has the races.

import { isText } from "./commands.js";
import { milliseconds } from "./duration.js";
import { bad, wrong } from "./error.js";
import { handed } from "./flow.js";
import { Latency } from "./latency.js";
import { same } from "./same.js";

/** @typedef {{get(key: string): any, set(key: string, value: any, options?: any): any, delete(key: string): any}} Store */
/** @typedef {(promise: Promise<unknown>) => void} WaitUntil */
/** @typedef {{value?: any, failed: boolean}} Found */

/** So many failures in a row, and for so long, the new store is not asked. */
const FAILURES = 3;
const AWAY_MS = 1_000;
/** Of so many keys it is remembered that the new store may hold what is no longer so. */
const MOST_DOUBTED = 10_000;
/** So many of them are deleted at once. */
const MENDED_AT_ONCE = 100;
const GOLDEN = 0x9e3779b9;

const encoder = new TextEncoder();

/**
 * Where a key stands among 10,000, the same in the crate: FNV-1a, and Murmur3's last step, for the shards of a cache
 * are told by FNV-1a alone.
 * @param {string} key
 */
export function place(key) {
  let hash = 0x811c9dc5;
  for (const byte of encoder.encode(key)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % 10_000;
}

/** @param {string} option @param {any} share */
function percent(option, share) {
  if (typeof share === "number" && share >= 0 && share <= 100) return share;
  throw wrong(`${option} must be a number from 0 to 100`);
}

/** @param {string} name @param {any} store @returns {Store} */
function storeOf(name, store) {
  if (["get", "set", "delete"].every((method) => typeof store?.[method] === "function")) return store;
  throw wrong(`${name} must have the methods get, set and delete`);
}

/** What all views of a migration share: plain data, for views are of different requests. */
class State {
  share = 0;
  /** @type {Map<string, object>} the keys in doubt, and what doubted them last */
  doubted = new Map();
  /** @type {Map<string, number>} how many writes of a key are under way that nobody waits for any more */
  late = new Map();
  failures = 0;
  awayUntil = 0;
  mendAt = 0;
  samples = 0;
  latency = { old: new Latency(), new: new Latency() };
  reads = { old: 0, new: 0, missed: 0, failed: 0, switchedOff: 0 };
  writes = { both: 0, late: 0, failed: 0, switchedOff: 0 };
  backfills = { done: 0, undone: 0, failed: 0 };
  compared = { same: 0, different: 0, missing: 0, failed: 0 };
  forgotten = 0;

  /** Spread evenly, whatever the order of what is asked. @param {number} share */
  sampled(share) {
    this.samples = (this.samples + GOLDEN) >>> 0;
    return this.samples < (share / 100) * 2 ** 32;
  }

  /** The new one's answer may be overtaken: until it is deleted there, the old one is asked. @param {string} key */
  doubt(key) {
    const why = {};
    this.doubted.set(key, why);
    const [oldest] = this.doubted.keys();
    if (this.doubted.size > MOST_DOUBTED && oldest !== undefined) {
      this.doubted.delete(oldest);
      this.forgotten += 1;
    }
    return why;
  }

  /** @param {string} key @param {object} why nothing has doubted it since */
  trust(key, why) {
    // What is still on its way would undo whatever was found, or deleted, before it arrived.
    if (!this.late.has(key) && this.doubted.get(key) === why) this.doubted.delete(key);
  }

  /** @param {string} key @param {1 | -1} by */
  arriving(key, by) {
    const count = (this.late.get(key) ?? 0) + by;
    if (count) this.late.set(key, count);
    else this.late.delete(key);
  }

  isAway() {
    return Date.now() < this.awayUntil;
  }

  failed() {
    this.failures += 1;
    if (this.failures >= FAILURES) this.awayUntil = Date.now() + AWAY_MS;
  }
}

export class Migration {
  #from;
  #to;
  #state;
  #compare;
  #backfill;
  #timeoutMs;
  #env;
  /** @type {WaitUntil | undefined} */
  #waitUntil;

  /** @param {Store} from @param {Store} to @param {any} [options] @param {State} [state] a view's */
  constructor(from, to, options, state) {
    const { share = 0, compare = 0, backfill = true, timeout = "500ms", env, waitUntil } = options ?? {};
    this.#from = storeOf("from", from);
    this.#to = storeOf("to", to);
    this.#compare = percent("compare", compare);
    this.#backfill = Boolean(backfill);
    this.#timeoutMs = milliseconds("timeout", timeout);
    if (waitUntil !== undefined && typeof waitUntil !== "function") throw wrong("waitUntil must be a function");
    this.#env = env;
    this.#waitUntil = waitUntil;
    if (!(state instanceof State)) {
      state = new State();
      state.share = percent("share", share);
    }
    this.#state = state;
  }

  /** @param {any} view */
  with(view) {
    const { from = this.#from, to = this.#to, env = this.#env, waitUntil = this.#waitUntil } = view ?? {};
    const own = { compare: this.#compare, backfill: this.#backfill, timeout: `${this.#timeoutMs}ms` };
    return new Migration(from, to, { ...own, env, waitUntil }, this.#state);
  }

  get share() {
    return this.#state.share;
  }

  set share(share) {
    this.#state.share = percent("share", share);
  }

  get phase() {
    if (!this.#isOn()) return "off";
    return this.share === 0 ? "parallel" : this.share === 100 ? "cutover" : "shift";
  }

  /** @param {string} key */
  async get(key) {
    this.#check(key);
    const state = this.#state;
    if (!this.#isOn()) {
      state.reads.switchedOff += 1;
      return this.#old(key);
    }
    const until = this.#deadline();
    const behind = this.#mending();
    try {
      return await this.#read(key, until, behind);
    } finally {
      await this.#behind(behind, until);
    }
  }

  /** @param {string} key @param {any} value @param {any} [options] */
  async set(key, value, options) {
    this.#check(key);
    if (value === undefined) throw bad("value must not be undefined: that is what an absent one is");
    await this.#write(
      key,
      () => this.#from.set(key, value, options),
      () => this.#to.set(key, value, options),
      // Two writers may reach the stores in different orders: whoever is last in the new one sees here what is right.
      async () => same(await this.#from.get(key), value),
    );
  }

  /** @param {string} key */
  async delete(key) {
    this.#check(key);
    await this.#write(key, () => this.#from.delete(key), () => this.#to.delete(key), async () => true);
  }

  stats() {
    const { share, reads, writes, backfills, compared, latency, doubted, forgotten } = this.#state;
    return {
      phase: this.phase,
      share,
      reads: { ...reads },
      writes: { ...writes },
      backfills: { ...backfills },
      compared: { ...compared },
      doubted: doubted.size,
      forgotten,
      latency: { old: latency.old.summary(), new: latency.new.summary() },
    };
  }

  /** Read at each call: a restart, or a new version of a Worker, is all that a rollback takes. */
  #isOn() {
    const env = this.#env ?? /** @type {any} */ (globalThis).process?.env;
    // Misspelt it is off: the old store can answer anything.
    return /^\s*(|true|1)\s*$/i.test(`${env?.ENABLE_REDIS_CACHE ?? ""}`);
  }

  /** @param {string} key */
  #check(key) {
    if (!isText(key)) throw bad("key must be a well-formed string");
  }

  /** Whether the new store answers for a key. @param {string} key */
  #isNew(key) {
    const state = this.#state;
    return place(key) < state.share * 100 && !state.doubted.has(key) && !state.isAway();
  }

  /** @param {string} key */
  async #old(key) {
    const began = performance.now();
    const value = await this.#from.get(key);
    this.#state.latency.old.add(performance.now() - began);
    return value;
  }

  /** @param {string} key @param {number} until @param {Promise<unknown>[]} behind what is still to be done */
  async #read(key, until, behind) {
    const state = this.#state;
    if (!this.#isNew(key)) {
      const value = await this.#old(key);
      state.reads.old += 1;
      if (state.sampled(this.#compare)) behind.push(this.#compared(key, { value, failed: false }));
      return value;
    }
    const found = await this.#new(key, until);
    if (!found.failed && found.value !== undefined) {
      state.reads.new += 1;
      if (state.sampled(this.#compare)) behind.push(this.#compared(key, undefined, found));
      return found.value;
    }
    const value = await this.#old(key);
    state.reads[found.failed ? "failed" : "missed"] += 1;
    if (!found.failed && value !== undefined && this.#backfill) behind.push(this.#filled(key, value));
    return value;
  }

  /** What the new store says within the time it has. @param {string} key @param {number} [until] @returns {Promise<Found>} */
  async #new(key, until = this.#deadline()) {
    const began = performance.now();
    const asked = (async () => ({ value: await this.#to.get(key), failed: false }))();
    const found = await within(asked.catch(() => undefined), until);
    this.#state.latency.new.add(performance.now() - began);
    if (!found) this.#state.failed();
    // A cache says of a Redis that is gone that nothing is there: only a hit shows health.
    else if (found.value !== undefined) this.#state.failures = 0;
    return found ?? { failed: true };
  }

  #deadline() {
    return performance.now() + this.#timeoutMs;
  }

  /** Behind the answer where there is a `waitUntil`; else before it, while there is time. @param {Promise<unknown>[]} works that never reject @param {number} until */
  async #behind(works, until) {
    if (works.length === 0) return;
    const all = Promise.all(works);
    await (this.#waitUntil ? handed(this.#waitUntil, all) : within(all, until));
  }

  /**
   * The old store first: its word is the answer. Then the new one, and whether what was put there still stands.
   * @param {string} key @param {() => any} old @param {() => any} copy @param {() => Promise<boolean>} stands
   */
  async #write(key, old, copy, stands) {
    const state = this.#state;
    const on = this.#isOn();
    try {
      await old();
    } catch (error) {
      // It may have been written all the same.
      if (on) await this.#behind([this.#drop(key)], this.#deadline());
      throw error;
    }
    if (!on) {
      state.writes.switchedOff += 1;
      return;
    }
    const until = this.#deadline();
    const behind = this.#mending();
    if (state.isAway()) {
      state.writes.failed += 1;
      state.doubt(key);
    } else {
      const isRead = this.#isNew(key);
      const late = { why: /** @type {object | undefined} */ (undefined) };
      const copied = (async () => copy())().then(
        () => true,
        () => false,
      );
      const checked = this.#checked(key, copied, stands, late);
      behind.push(checked);
      // Who reads the new one is to find there what was written.
      if ((isRead || !this.#waitUntil) && (await within(copied, until)) === undefined) {
        state.writes.late += 1;
        state.arriving(key, 1);
        late.why = state.doubt(key);
      }
    }
    await this.#behind(behind, until);
  }

  /** @param {string} key @param {Promise<boolean>} copied @param {() => Promise<boolean>} stands @param {{why?: object}} late */
  async #checked(key, copied, stands, late) {
    const state = this.#state;
    const ok = await copied;
    if (late.why) state.arriving(key, -1);
    if (ok) {
      state.writes.both += 1;
      state.failures = 0;
      if (await stands().catch(() => false)) {
        if (late.why) state.trust(key, late.why);
        return;
      }
    } else {
      state.writes.failed += 1;
      state.failed();
    }
    await this.#drop(key);
  }

  /** What the old store has, put into the new one, and taken back if it was overtaken. @param {string} key @param {any} value */
  async #filled(key, value) {
    const { backfills } = this.#state;
    if (this.#state.isAway()) return;
    let ok = true;
    try {
      await this.#to.set(key, value);
    } catch {
      ok = false;
      this.#state.failed();
    }
    // A write or delete since the old one's answer may have been in the new store before this put.
    const stands = await this.#old(key).then(
      (now) => same(now, value),
      () => false,
    );
    if (!stands) await this.#drop(key);
    backfills[!ok ? "failed" : stands ? "done" : "undone"] += 1;
  }

  /**
   * Looks at both, and once more where they differ: a write may have been between the two.
   * @param {string} key @param {Found} [old] what it said just now @param {Found} [fresh]
   */
  async #compared(key, old, fresh) {
    const state = this.#state;
    const { compared } = state;
    for (const isLast of [false, true]) {
      if (state.isAway()) return;
      const asked = () => this.#old(key).then((value) => ({ value, failed: false }), () => ({ value: undefined, failed: true }));
      const [there, here] = await Promise.all([old ?? asked(), fresh ?? this.#new(key)]);
      old = fresh = undefined;
      if (there.failed || here.failed) {
        compared.failed += 1;
        return;
      }
      if (same(there.value, here.value)) {
        compared.same += 1;
        return;
      }
      if (here.value === undefined) {
        compared.missing += 1;
        if (this.#backfill) await this.#filled(key, there.value);
        return;
      }
      if (isLast) {
        compared.different += 1;
        await this.#drop(key);
      }
    }
  }

  /** Out of the new store; in doubt until then. @param {string} key */
  async #drop(key) {
    const why = this.#state.doubt(key);
    if (!this.#state.isAway()) await this.#deleted(key, why);
  }

  /** @param {string} key @param {object} why */
  async #deleted(key, why) {
    const state = this.#state;
    try {
      await this.#to.delete(key);
      state.failures = 0;
      state.trust(key, why);
    } catch {
      state.failed();
    }
  }

  /** Deletes what is in doubt, now that the new store may be well again. */
  #mending() {
    const state = this.#state;
    const now = Date.now();
    if (!state.doubted.size || state.isAway() || now < state.mendAt) return [];
    // By time, for whoever mends may be cut off with its request.
    state.mendAt = now + AWAY_MS;
    const some = [...state.doubted].filter(([key]) => !state.late.has(key)).slice(0, MENDED_AT_ONCE);
    return some.map(([key, why]) => this.#deleted(key, why));
  }
}

/** `undefined` when its time is over. @template T @param {Promise<T>} work that never rejects @param {number} until @returns {Promise<T | undefined>} */
async function within(work, until) {
  /** @type {any} */
  let timer;
  /** @type {Promise<undefined>} */
  const late = new Promise((resolve) => (timer = setTimeout(resolve, Math.max(0, until - performance.now()))));
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
