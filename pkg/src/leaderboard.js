// Leaderboards: plain JavaScript over scripts that the crate has too, so that who has none pays for none.

import PLACE from "#lua/leaderboard_place.js";
import REMOVE from "#lua/leaderboard_remove.js";
import WRITE from "#lua/leaderboard_write.js";
import { milliseconds } from "./duration.js";
import { bad, wrong } from "./error.js";
import { counted, named, nonce, part } from "./part.js";

/** @typedef {import("./redis.js").Redis} Redis */
/** @typedef {"all" | "day" | "week"} Window */
/** @typedef {{window?: Window, at?: number}} Which */

const DAY = 864e5;
const TOKEN = 16;

/** Which board `at` is of, and when that ends: the epoch began on a Thursday, weeks begin on Mondays. @param {Window} window @param {number} at @returns {[string, number]} */
function span(window, at) {
  const day = Math.floor(at / DAY);
  const week = Math.floor((day + 3) / 7);
  if (window === "all") return ["all", 0];
  return window === "day" ? [`day${day}`, (day + 1) * DAY] : [`week${week}`, (week * 7 + 4) * DAY];
}

/** @param {unknown} score @param {string} what @returns {number} */
function scored(what, score) {
  if (typeof score === "number" && Math.abs(score) <= Number.MAX_SAFE_INTEGER) return score;
  throw bad(`${what} must be a number between -(2^53 - 1) and 2^53 - 1`);
}

/** @param {string[]} flat tokens with members, and scores @param {number} before how many stand before the first */
const entries = (flat, before) =>
  flat.flatMap((member, i) => (i % 2 ? [] : { member: member.slice(TOKEN), score: Number(flat[i + 1]), rank: before + i / 2 + 1 }));

export class Leaderboard {
  #redis;
  #name;
  #windows;
  #keepMs;

  /** @param {Redis} redis @param {string} name @param {any} [options] */
  constructor(redis, name, options) {
    const { windows = ["all"], keep = "7d" } = options ?? {};
    if (!Array.isArray(windows) || !windows.length || new Set(windows).size < windows.length || windows.some((one) => !/^(all|day|week)$/.test(one)))
      throw wrong('windows must be one or more of "all", "day" and "week", each once');
    if (typeof redis?.with !== "function") throw wrong("redis must be a Redis of this package");
    // What is sent again leaves the same, as each script says.
    this.#redis = redis.with({ idempotent: true });
    this.#name = part(named("name", name));
    this.#windows = /** @type {Window[]} */ (windows);
    this.#keepMs = milliseconds("keep", keep);
  }

  /** @param {unknown} at @returns {number} */
  #at(at = Date.now()) {
    if (Number.isSafeInteger(at) && /** @type {number} */ (at) >= 0) return /** @type {number} */ (at);
    throw bad("at must be epoch milliseconds");
  }

  /** A board's hash and its sorted set. @param {Window} window @param {number} at */
  #keys(window, at) {
    const board = `{${this.#name}:b}:${span(window, at)[0]}`;
    return [`${board}:h`, `${board}:z`];
  }

  /** @param {Which} [which] */
  #board(which) {
    const { window = this.#windows[0], at } = which ?? {};
    if (!this.#windows.includes(/** @type {Window} */ (window))) throw bad("window must be one of this leaderboard's");
    return this.#keys(/** @type {Window} */ (window), this.#at(at));
  }

  /** @param {string} how @param {unknown} member @param {number} number @param {{at?: number}} [options] @returns {Promise<number>} */
  async #write(how, member, number, options) {
    const at = this.#at(options?.at);
    const keys = this.#windows.flatMap((window) => this.#keys(window, at));
    if (how === "by") keys.push(`{${this.#name}:b}:n:${nonce()}`);
    const ends = this.#windows.map((window) => span(window, at)[1]).map((end) => end && end + this.#keepMs);
    const scores = await this.#redis.script(WRITE).run({ keys, args: [how, number, named("member", member), ...ends] });
    if (!scores) throw bad("by must not take a score past 2^53 - 1");
    return Number(scores[0]);
  }

  /** @param {string} member @param {number} score @param {{best?: boolean, at?: number}} [options] */
  async add(member, score, options) {
    return this.#write(options?.best ? "best" : "set", member, scored("score", score), options);
  }

  /** @param {string} member @param {number} by @param {{at?: number}} [options] */
  async increment(member, by, options) {
    return this.#write("by", member, scored("by", by), options);
  }

  /** @param {string} member @param {{at?: number}} [options] */
  async remove(member, options) {
    const at = this.#at(options?.at);
    const keys = this.#windows.flatMap((window) => this.#keys(window, at));
    await this.#redis.script(REMOVE).run({ keys, args: [named("member", member)] });
  }

  /** @param {number} n @param {Which} [which] */
  async top(n, which) {
    const [, set] = this.#board(which);
    return entries(await this.#redis.command("ZREVRANGE", set, 0, counted("n", n) - 1, "WITHSCORES"), 0);
  }

  /** @param {string} member @param {number} n @param {Which} [which] */
  async around(member, n, which) {
    const args = [named("member", member), counted("n", n, 0)];
    const [before, flat] = (await this.#redis.script(PLACE).run({ keys: this.#board(which), args })) ?? [0, []];
    return entries(flat, before);
  }

  /** @param {string} member @param {Which} [which] @returns {Promise<number | undefined>} */
  async rank(member, which) {
    const before = await this.#redis.script(PLACE).run({ keys: this.#board(which), args: [named("member", member)] });
    return before === null ? undefined : before + 1;
  }

  /** @param {string} member @param {Which} [which] @returns {Promise<number | undefined>} */
  async score(member, which) {
    const [hash] = this.#board(which);
    const own = await this.#redis.command("HGET", hash, named("member", member));
    return own === null ? undefined : Number(own.slice(TOKEN));
  }

  /** @param {Which} [which] @returns {Promise<number>} */
  async count(which) {
    const [, set] = this.#board(which);
    return this.#redis.command("ZCARD", set);
  }
}
