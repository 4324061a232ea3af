// Next's "use cache" in Redis: what one process renders serves all, and what one invalidates is gone from all.

import { Cache, Redis } from "upstash-edge";
import { called } from "./made.js";
import { Marks, now, worth } from "./next-marks.js";

/** @typedef {import("../../adapters/next-cache-handler.js").CacheEntry} CacheEntry */
/** @typedef {{tags: string[], stale: number, timestamp: number, expire: number, revalidate: number, epoch: string, count: number}} Head */

/** Nothing is kept for longer, whatever `expire` says: memory is given back. */
const LONGEST_MS = 30 * 24 * 3600 * 1000;
/** JSON has no Infinity. */
const FOREVER_S = 2 ** 32 - 1;
/** For how long a Redis that did not answer is not asked. */
const PAUSE_MS = 2000;
/** Of how many keys a process remembers the tags. */
const REMEMBERED = 10_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A head, a line's end, and what it is of. @param {Head} head @param {Uint8Array} value */
function written(head, value) {
  const line = encoder.encode(`${JSON.stringify(head)}\n`);
  const bytes = new Uint8Array(line.length + value.length);
  bytes.set(line);
  bytes.set(value, line.length);
  return bytes;
}

/** @param {Uint8Array} bytes @returns {{head: Head, value: Uint8Array}} */
function read(bytes) {
  const end = bytes.indexOf(10);
  return { head: JSON.parse(decoder.decode(bytes.subarray(0, end))), value: bytes.subarray(end + 1) };
}

/** Each get's own. @param {Uint8Array} bytes */
const streamed = (bytes) =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });

/** @param {import("../../adapters/next-cache-handler.js").CacheHandlerOptions} [options] */
export function cacheHandler({ redis = Redis.fromEnv(), name = "next", timeout = "500ms", onError = () => {} } = {}) {
  called("onError", onError);
  const cache = new Cache(redis, { name, timeout, metrics: false });
  const marks = new Marks(redis.with({ timeout, idempotent: true }), `${name}:marks`);
  /** @type {Map<string, Promise<void>>} */
  const pending = new Map();
  /** The tags that an entry had when it was last seen: asked for along with it. @type {Map<string, string[]>} */
  const known = new Map();
  let awayUntil = 0;

  /** To Next it is a miss. @param {"read" | "store" | "invalidate"} operation @param {any} error */
  const failed = (operation, error) => {
    if (error?.retryable) awayUntil = Date.now() + PAUSE_MS;
    // What it throws changes nothing.
    (async () => onError({ operation, code: error?.code ?? "corrupt" }))().catch(() => {});
  };
  /** @param {string} key @param {string[]} tags */
  const remember = (key, tags) => {
    known.delete(key);
    known.set(key, tags);
    if (known.size > REMEMBERED) for (const oldest of known.keys()) return void known.delete(oldest);
  };

  return {
    /** @param {string} key @param {string[]} softTags @returns {Promise<CacheEntry | undefined>} */
    async get(key, softTags) {
      await pending.get(key);
      if (Date.now() < awayUntil) return undefined;
      try {
        const asked = [...new Set([...softTags, ...(known.get(key) ?? [])])];
        // The entry before its marks: one that is invalidated in between is seen to be.
        const [bytes, first] = await Promise.all([cache.getBytes(key), marks.look(asked)]);
        if (!bytes) return undefined;
        const { head, value } = read(bytes);
        const { epoch: _, count, ...entry } = head;
        const { tags } = entry;
        remember(key, tags);
        const all = [...new Set([...softTags, ...tags])];
        const is = worth(head, all, all.every((tag) => first.of.has(tag)) ? first : await marks.look(all));
        return is === "nothing" ? undefined : { ...entry, revalidate: is === "stale" ? -1 : entry.revalidate, value: streamed(value) };
      } catch (error) {
        return void failed("read", error);
      }
    },

    /** @param {string} key @param {Promise<CacheEntry>} pendingEntry */
    async set(key, pendingEntry) {
      let done = () => {};
      const turn = new Promise((/** @type {(_: void) => void} */ resolve) => (done = resolve));
      pending.set(key, turn);
      try {
        const { value, tags, stale, timestamp, expire, revalidate } = await pendingEntry;
        const seen = marks.before(timestamp);
        const ttlMs = Math.floor(Math.min(LONGEST_MS, timestamp + expire * 1000 - now()));
        // What began before Redis was asked is of an unknown age.
        if (!seen || ttlMs < 1 || Date.now() < awayUntil) return await value.cancel();
        const [bounded, renewed] = [expire, revalidate].map((seconds) => Math.min(seconds, FOREVER_S));
        const { epoch, count } = seen;
        const head = /** @type {Head} */ ({ tags, stale: Math.min(stale, FOREVER_S), timestamp, expire: bounded, revalidate: renewed, epoch, count });
        const bytes = new Uint8Array(await new Response(value).arrayBuffer());
        await cache.setBytes(key, written(head, bytes), { ttl: `${ttlMs}ms` });
        remember(key, tags);
      } catch (error) {
        failed("store", error);
      } finally {
        done();
        if (pending.get(key) === turn) pending.delete(key);
      }
    },

    /** Each look reads the marks that it needs. */
    async refreshTags() {},

    /** By `get`, in its one request. */
    async getExpiration() {
      return Infinity;
    },

    /** @param {string[]} tags @param {{expire?: number}} [durations] */
    async updateTags(tags, durations) {
      const { expire = FOREVER_S } = durations ?? {};
      marks.owe(tags, durations ? `${Math.round(Date.now() + Math.min(expire, FOREVER_S) * 1000)}` : "");
      try {
        await marks.settle();
      } catch (error) {
        failed("invalidate", error);
      }
    },
  };
}

/** @type {ReturnType<typeof cacheHandler> | undefined} */
let made;

/** By the variables of the environment, when Next first asks: a build may have none, and keeps nothing then. */
function own() {
  const { env } = process;
  const told = [env.UPSTASH_REDIS_REST_URL, env.KV_REST_API_URL].some(Boolean);
  return !told && env.NEXT_PHASE === "phase-production-build" ? undefined : (made ??= cacheHandler());
}

/** @type {ReturnType<typeof cacheHandler>} */
export default {
  get: async (key, softTags) => own()?.get(key, softTags),
  set: async (key, entry) => own()?.set(key, entry),
  refreshTags: async () => {},
  getExpiration: async () => Infinity,
  updateTags: async (tags, durations) => own()?.updateTags(tags, durations),
};
