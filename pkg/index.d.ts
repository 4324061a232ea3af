// The package's types, by hand.

import type { Arg, Commands, EdgeError, ErrorCode, Pipeline, Reply, ScanOptions, Scored, Value } from "./commands.js";

export type { MigrationOptions, MigrationStats, Quantiles, Store } from "./migration.js";
export { Migration } from "./migration.js";
export type { PromptAnswer, PromptCacheOptions, PromptQuestion } from "./prompt-cache.js";
export { PromptCache } from "./prompt-cache.js";
export type { LeaderboardOptions, LeaderboardWindow, RankedMember, WhichBoard } from "./leaderboard.js";
export { Leaderboard } from "./leaderboard.js";
export type { Arg, Commands, ErrorCode, Pipeline, Reply, Settled, Value } from "./commands.js";
export { EdgeError } from "./commands.js";
export type { CookieAttributes, CookieJar, LoginOptions, Session, SessionConflict, SessionInfo, SessionsOptions } from "./session.js";
export { Sessions } from "./session.js";
export type { EdgeOptions, EdgeVisit } from "./edge.js";
export { Edge } from "./edge.js";

/** A number and a unit: `"500ms"`, `"10s"`, `"1.5m"`, `"1h"`, `"7d"`. */
export type Duration = `${number}${"ms" | "s" | "m" | "h" | "d"}`;

export interface RedisOptions {
  /** The database's REST URL: `https://..` */
  url: string;
  /** Its REST token. */
  token: string;
  /** For a whole call, retries included. Default `"5s"`. */
  timeout?: Duration;
  /**
   * How what is harmless to repeat is sent again after network errors, HTTP 429 and 5xx: at most `attempts` times
   * (default 3), after a random wait of up to `base` (default `"50ms"`), doubled each time, up to `max` (default `"1s"`).
   * `false` sends exactly once.
   */
  retry?: { attempts?: number; base?: Duration; max?: Duration } | false;
  /** Send the sync token, so that a replica has caught up with this client's writes before it answers. Default `true`. */
  readYourWrites?: boolean;
  /**
   * What an integer past 2^53 in a reply becomes, whatever a method's type says: its digits as text, or a BigInt.
   * Default `"string"`; a lesser one is a number.
   */
  integers?: "string" | "bigint";
  /**
   * Commands of one tick share one request, in order; a script that the server does not have, or wants in its other form
   * (once for each server), runs behind the rest of its batch. Default `true`.
   */
  batching?: boolean;
  /** The `fetch` to use. Default: the global one, as it is at each call. */
  fetch?: typeof fetch;
  /** More headers for every request. */
  headers?: Record<string, string>;
  /** The cache mode of every request. Default `"no-store"` on Node, where frameworks make `fetch` cache; else not set. */
  cache?: RequestCache;
  /** Called after each request: names, counts and times, never keys or values. What it throws changes nothing. */
  onRequest?: (event: RequestEvent) => unknown;
}

export interface RequestEvent {
  /**
   * The names of the commands it carried, in order; `"OTHER"` for one that the package does not know. A subscription's
   * request carries one, and is told when it ends.
   */
  commands: string[];
  /** How many they are. */
  count: number;
  /** 1, and one more each time that what is left of the same batch is sent again. */
  attempt: number;
  /** From sending to the end of the answer. */
  durationMs: number;
  /** Bytes of the request's body. */
  bytesOut: number;
  /** Bytes of the answer's body, 0 when none came. */
  bytesIn: number;
  /** The code of an error that befell one of its commands, if one did. */
  error?: ErrorCode;
}

/** What {@link Redis.with} changes for the calls made through it. */
export interface CallOptions {
  /** Rejects with `aborted`; the request is aborted when nobody else waits for it. */
  signal?: AbortSignal;
  /** For a whole call. */
  timeout?: Duration;
  /** The caller vouches that repeating is harmless. */
  idempotent?: boolean;
  /** What an integer past 2^53 in a reply becomes. */
  integers?: "string" | "bigint";
}

export interface SubscribeOptions {
  /** The channels are patterns, such as `"news:*"`. Default `false`. */
  patterns?: boolean;
  /** Ends it, with `aborted`. */
  signal?: AbortSignal;
  /** A request that failed or was lost is made again. Default `true`; else its error ends the loop. */
  reconnect?: boolean;
}

/** What {@link Redis.subscribe} tells. */
export type Message =
  | {
      type: "message";
      /**
       * Where. Of a pattern, the protocol does not say where the channel ends: it is taken to hold the commas of the
       * pattern and no other. Subscribe by name to channels with commas.
       */
      channel: string;
      /** The pattern that it matches, when patterns were asked for. */
      pattern?: string;
      /** What. Line breaks are line feeds, whatever they were: an event stream carries no others. */
      message: string;
    }
  | {
      /** From now on messages come; `reconnected` when some may have been missed before. */
      type: "subscribed" | "reconnected";
      /** The channel, or the pattern. */
      channel: string;
      /** The pattern, if it is one. */
      pattern?: string;
    };

/**
 * A client of one Upstash Redis database. Making one does nothing.
 *
 * Every failure is an {@link EdgeError}; methods never throw, they reject.
 */
export declare class Redis {
  /** @throws EdgeError `invalid_config`, naming the option */
  constructor(options: RedisOptions);
  /**
   * From `UPSTASH_REDIS_REST_URL` and `_TOKEN`, else from `KV_REST_API_URL` and `_TOKEN`, of `env` (default: `process.env`).
   * @throws EdgeError `invalid_config`, naming the variables that are missing
   */
  static fromEnv(env?: Record<string, unknown>, options?: Partial<RedisOptions>): Redis;
  /** A view of the same client: same batch, own deadline and abort. */
  with(options?: CallOptions): Redis;
  /**
   * Any command. Objects among the arguments are options: `{ex: 60, nx: true}` is `EX 60 NX`.
   * Bytes arrive as they are, as values; keys are text. Strings stay strings; for an integer past 2^53 see
   * {@link RedisOptions.integers}.
   */
  command<T = Reply>(name: string, ...args: Arg[]): Promise<T>;
  /** The same, its reply byte for byte. */
  commandBytes(name: string, ...args: Arg[]): Promise<Uint8Array | null>;
  /**
   * A Lua script: sent whole at its first use, by its SHA1 after that, and whole again when the server has lost it.
   * All keys it touches must be in KEYS, and in one slot of a cluster. A first line `#!lua flags=allow-key-locking` makes
   * Upstash lock those keys alone, in place of the database; it is left out for servers that refuse it. Where the server
   * has lost it, it runs behind the rest of its batch.
   * @throws EdgeError `invalid_argument` when the source is no well-formed string
   */
  script<K extends string[] = string[], A extends Value[] = Value[], R = Reply>(source: string): Script<K, A, R>;
  /**
   * All keys, by SCAN: one request a page of about `count` (default 10). A key may come twice when the server moves
   * keys meanwhile; `match` is a glob, `type` such as `"hash"`.
   */
  scan(options?: { match?: string; type?: string; count?: number }): AsyncIterable<string>;
  /** All fields of a hash, by HSCAN, in the same way. */
  hscanIterator(key: string, options?: ScanOptions): AsyncIterable<{ field: string; value: string }>;
  /** All members of a set, by SSCAN, in the same way. */
  sscanIterator(key: string, options?: ScanOptions): AsyncIterable<string>;
  /** All members of a sorted set, by ZSCAN, in the same way. */
  zscanIterator(key: string, options?: ScanOptions): AsyncIterable<Scored>;
  /**
   * What is published, as long as it is listened to: `for await (const message of redis.subscribe("chat"))`. Nothing is
   * sent before the loop begins; leaving it ends the subscription. Each iteration is a subscription of its own.
   *
   * - Each channel is told as `subscribed` first. That has the client's timeout, attempts after failures included.
   * - A connection that is lost is made anew for as long as somebody listens, after a random wait of up to 250 ms,
   *   doubled each time up to 30 s; each channel is then told as `reconnected`: messages may have been missed. What can
   *   never heal (a wrong token, an address where no Redis REST server is) ends the loop with its error.
   * - Silence is no failure. A connection that died without a word is noticed by the runtime, or not at all (Node's own
   *   `fetch` ends one after 5 silent minutes): where that matters, publish something every now and then, and subscribe
   *   anew when it stays away.
   * - Nothing is read faster than it is listened to. Who falls far behind is cut off by Redis, and told `reconnected`.
   * - Channels share one request, but for those with a comma in their name and those past 2 KB of path. A server that
   *   takes one channel a request is served so.
   *
   * Iterating rejects with `aborted`, with `too_large` for an event past 16 MiB, or with what befell the request.
   * An iterator that is dropped without `return()` keeps its connection until the server ends it.
   * @throws EdgeError `invalid_argument` at once, when no channel is named, or one is not a well-formed string, is empty,
   *   `.` or `..`, which no URL can carry, or holds a carriage return
   */
  subscribe(channels: string | string[], options?: SubscribeOptions): AsyncIterable<Message>;
  /** Commands that travel together when `exec` is called. */
  pipeline(): Pipeline;
  /** The same, as one transaction: all are applied at once, or, where one is not a command at all, none. */
  multi(): Pipeline;
}
export interface Redis extends Commands {}

/** See {@link Redis.script}. */
export interface Script<K extends string[] = string[], A extends Value[] = Value[], R = Reply> {
  /** Its KEYS and ARGV; bytes arrive as they are. Sent again after a lost answer only if its first line is `#!lua flags=no-writes`. */
  run(call?: { keys?: K; args?: A }): Promise<R>;
}

export interface Health {
  /** `degraded`: what was written came back after more than half of `timeout`, or was not what had been written. */
  status: "healthy" | "degraded" | "unhealthy";
  /** Of the round trip. */
  latencyMs: number;
  /** ISO 8601. */
  checkedAt: string;
  /** Why it is not healthy. */
  error?: ErrorCode;
}

/** Writes, reads back and compares, in one round trip of at most `timeout` (default `"2s"`): one SET, one GET. */
export declare function health(redis: Redis, options?: { timeout?: Duration }): Promise<Health>;

/** How much is allowed in how long; made by {@link slidingWindow}, {@link fixedWindow} or {@link tokenBucket}. */
export interface Limit {
  readonly name: string;
}

/**
 * At most `limit` (total cost, 1 to 2,147,483,647) within any `window` (1 ms to 366 days), wherever it begins.
 * Its name, default `"default"`, is 1 to 64 visible ASCII characters without quotes and backslashes.
 * @throws EdgeError `invalid_config`
 */
export declare const slidingWindow: (limit: number, window: Duration, name?: string) => Limit;
/** At most `limit` within each window; they follow each other from the epoch on. Twice as much can pass around the end of one. */
export declare const fixedWindow: (limit: number, window: Duration, name?: string) => Limit;
/** A bucket that holds `capacity` at most, full at first, into which `refill` flow evenly in each `every`. */
export declare const tokenBucket: (capacity: number, refill: number, every: Duration, name?: string) => Limit;

export interface RateLimiterOptions {
  /** Several: all must allow, and a refusal by one consumes from none. */
  limits: Limit | Limit[];
  /** The namespace of its keys. Default `"ratelimit"`. */
  name?: string;
  /**
   * What is answered when Redis is unreachable, too slow or over its quota: the request passes (the default), is refused,
   * or is counted by this isolate alone, from nothing.
   */
  onFailure?: "allow" | "deny" | "local";
  /** How long Redis is waited for. Default `"1s"`. */
  timeout?: Duration;
  /**
   * How many refused identifiers this isolate remembers for limiters of this name (default 10,000, about 150 bytes each;
   * for 1,000 names): a check of the same cost is refused without a request until the moment that Redis named, 5 s at most. Only of one limit, by the client's clock.
   */
  memory?: { maxEntries?: number } | false;
  /**
   * By whose time it counts. Clients whose clocks differ by some time can shorten a window by as much; the server's
   * costs one command more.
   */
  clock?: "client" | "server";
  /**
   * Count what is allowed and refused by the hour, for {@link RateLimiter.stats}. Default `false`. Every 10 s at most an
   * isolate sends its counts along with a check: one command, with 3 to 15 inner ones. Kept for 48 hours.
   */
  analytics?: boolean;
}

/** What was counted within one hour of the clock. */
export interface LimiterStats {
  /** When the hour began, in epoch milliseconds. */
  since: number;
  allowed: number;
  refused: number;
  /** Those refused most, with how often at most; 100 at most. Long identifiers are hashed. */
  mostRefused: { id: string; refused: number }[];
}

/** An identifier for all limits, or one for each by the limit's name. Any well-formed string is one. */
export type Identifier = string | Record<string, string>;

export interface CheckOptions {
  /** How many places it takes; 0 looks only. Default 1. */
  cost?: number;
  /** Other limits than the limiter's. What was counted under the same name, algorithm and window counts. */
  limits?: Limit | Limit[];
}

export interface Policy {
  name: string;
  /** A token bucket's capacity. */
  limit: number;
  /** Of a token bucket the time from empty to full. */
  windowMs: number;
  /** How much may still pass at this moment. */
  remaining: number;
  /** When the full limit is back if nobody asks again, in epoch milliseconds. */
  resetAt: number;
}

export interface Decision {
  allowed: boolean;
  /** The limit of which least is left, as configured. */
  limit: number;
  /** How much of it may still pass at this moment. */
  remaining: number;
  /** Each limit, in the order they were given. */
  policies: Policy[];
  /** Until a check of this cost can pass if nobody else asks, not a millisecond earlier; 0 when it was allowed. */
  retryAfterMs: number;
  /** When every full limit is back if nobody asks again, in epoch milliseconds. */
  resetAt: number;
  /** The name of the limit that refused; of several the one that will for longest. */
  limitedBy?: string;
  /** `failure`: Redis did not answer, and `onFailure` decided; `local` when this isolate counted. */
  source: "redis" | "memory" | "local" | "failure";
  /** When it was decided, in epoch milliseconds, by the clock that decided. */
  decidedAt: number;
  /** By whose time it was decided: `client` although the limiter asks the server where Redis refused to tell its own. */
  clock: "client" | "server";
}

/** Limits how often an identifier may pass: exact, one command for a check. Making one does nothing. */
export declare class RateLimiter {
  /** @throws EdgeError `invalid_config`, naming the option */
  constructor(redis: Redis, options: RateLimiterOptions);
  /** Asks for places. Redis sees one EVALSHA, in it one GET, and one SET if they are granted. */
  check(id: Identifier, options?: CheckOptions): Promise<Decision>;
  /** Several in one round trip. With a bad one among them nothing is counted. */
  checkAll(requests: ({ id: Identifier } & CheckOptions)[]): Promise<Decision[]>;
  /** Looks, and takes nothing. */
  peek(id: Identifier): Promise<Decision>;
  /** Gives `cost` places (default 1) back, at most all that are taken: what was taken last first. */
  refund(id: Identifier, cost?: number): Promise<void>;
  /** Forgets what was counted. */
  reset(id: Identifier): Promise<void>;
  /**
   * Asks, and when it is refused asks again at the moment that was named, until it is granted or that moment is past
   * `timeout`: then the refusal is the answer, at once. Nobody stands in line: of two who wait either may come first.
   */
  wait(id: Identifier, options: { timeout: Duration; cost?: number; signal?: AbortSignal }): Promise<Decision>;
  /** What all isolates have counted of this limiter's name, if `analytics` is on, in this hour of the clock or some hours ago. */
  stats(options?: { hoursAgo?: number }): Promise<LimiterStats>;
  /**
   * A decision as HTTP headers; for a refusal with `Retry-After`. `draft-11` (the default) and `draft-6` of
   * draft-ietf-httpapi-ratelimit-headers, or `X-RateLimit-*` with the reset in epoch seconds.
   * `partitionKey` is draft 11's `pk`: see {@link partitionKey}.
   */
  static headers(decision: Omit<Decision, "decidedAt" | "clock"> & Partial<Decision>, options?: { style?: "draft-11" | "draft-6" | "x-ratelimit"; partitionKey?: string }): Headers;
}

/**
 * What tells one identifier's quota from another's in headers, and tells nobody the identifier: 128 bits of its
 * HMAC-SHA256 under `secret`, in base64url. Not a plain hash: addresses can be tried.
 */
export declare function partitionKey(secret: string, id: string): string;

export interface CacheOptions {
  /** The namespace of its keys. Default `"cache"`. */
  name?: string;
  /** How long a value is fresh. Default `"1h"`. */
  ttl?: Duration;
  /** Which share of `ttl` is taken off at random, up to this (0 to 1): what was stored together does not end together. Default 0. */
  jitter?: number;
  /** For how long after `ttl` a value may be served while one caller refreshes it (RFC 5861). Default: not at all. */
  staleWhileRevalidate?: Duration;
  /** For how long after `ttl` it may be served when fetching fails (RFC 5861). Default: not at all. */
  staleIfError?: Duration;
  /** Over how many slots of a cluster it is spread, 1 to 1024. What concerns all keys costs a command for each. Default 1. */
  shards?: number;
  /** Asked of each value that is found; what it does not say yes to, or throws at, is a miss. */
  validate?: (value: unknown) => boolean | Promise<boolean>;
  /**
   * Values and bytes that are larger, in bytes, are stored deflated where the runtime has `CompressionStream` and it saves a
   * tenth. Default 1024; `false` never. They are sent when they are deflated, not with their tick, so that two writes of
   * one key must not overlap; and what is deflated travels as bytes do: see {@link Cache.setBytes}.
   */
  compressAbove?: number | false;
  /** For how long one caller fetches a missing value while those of all isolates wait, none of them longer than twice this. Default `"10s"`. */
  lock?: Duration | false;
  /** How eagerly a value is refreshed before it ends: the beta of XFetch. 1 is right for most; 0, the default, is never. */
  earlyRefresh?: number;
  /**
   * How long Redis is waited for, at most, at each step: then a read is a miss. The cache gives up 25 ms sooner, or a quarter of it if
   * that is less, since timers are late. Default `"500ms"`.
   */
  timeout?: Duration;
  /** Whether hits and misses are counted, for {@link Cache.stats}: every 10 s at most up to three HINCRBYs go along. Default `true`. */
  metrics?: boolean;
  /** The runtime's: what follows an answer goes there, and costs the caller no time. */
  waitUntil?: (promise: Promise<unknown>) => void;
  /** Told of each failure that a caller is not told of: for it that is a miss. What it throws changes nothing. */
  onError?: (failure: CacheFailure) => unknown;
}

/** What a cache could not do: never a key or a value. */
export interface CacheFailure {
  /**
   * A read of one key or of several; the look-up of a get-or-fetch, whose value was fetched then; or the store of what was
   * fetched.
   */
  operation: "read" | "lookup" | "store";
  /** Its error's; `skipped` where Redis was not asked, for it had failed repeatedly. */
  code: ErrorCode | "skipped";
}

export interface StoreOptions {
  /** In place of the cache's own. */
  ttl?: Duration;
  /** By which it can be invalidated; 64 at most. */
  tags?: string[];
}

/** What a fetcher may say of what it gives. */
export interface FetchContext {
  /** The caller's, if it gave one. */
  signal: AbortSignal;
  /** For how long the value is fresh. */
  setTtl(ttl: Duration): void;
  setTags(tags: string[]): void;
  /** The value is returned and not stored. `undefined` never is. */
  skip(): void;
}

export interface RespondOptions {
  /**
   * For an answer that states no lifetime itself (`max-age`, `s-maxage`, `Expires`), status 200, 203, 204, 300, 301, 308, 404
   * or 410. Default: it is not stored. Nor is it when the request has a `Cookie`, unless it says `Cache-Control: public`.
   */
  ttl?: Duration;
  /** By which it can be invalidated; 64 at most. */
  tags?: string[];
  /** In place of the URL (scheme, host, path and query): for `delete`, and where URLs differ in what means nothing. */
  key?: string;
  /** The largest body that is stored, in bytes; a larger one is passed on. Default 4194304, which fits Upstash's request of 10 MB. */
  maxBytes?: number;
  /** In place of the cache's own. */
  waitUntil?: (promise: Promise<unknown>) => void;
}

export interface FetchOptions extends StoreOptions {
  /** Fetches in any case; what others are fetching meanwhile is not stored. */
  refresh?: boolean;
  /** Ends the wait with `aborted`. */
  signal?: AbortSignal;
  /** In place of the cache's own. */
  waitUntil?: (promise: Promise<unknown>) => void;
}

/**
 * Values, as JSON, under keys, for a while: `null`, `0`, `false` and `""` are values. Making one does nothing.
 *
 * To who reads, a Redis that is slow or gone is a miss, never an error; after three failures in a row nobody asks it for
 * 2 s. Who writes is told: `set`, `delete` and the tags reject with what befell the request.
 */
export declare class Cache {
  /** @throws EdgeError `invalid_config`, naming the option */
  constructor(redis: Redis, options?: CacheOptions);
  /** The value, if it is fresh. Redis sees one EVALSHA, in it one MGET, and one HMGET if it has tags. */
  get<T = unknown>(key: string): Promise<T | undefined>;
  /** Each as `get` gives it, in one round trip. */
  getMany<T = unknown>(keys: string[]): Promise<(T | undefined)[]>;
  /**
   * The bytes that `setBytes` put there, or all of what another client wrote; a copy, the caller's own. What `set` put
   * there is a miss, as bytes are to `get`.
   */
  getBytes(key: string): Promise<Uint8Array | undefined>;
  /** Whether there is a fresh value, or bytes. None travel, and none are validated. */
  has(key: string): Promise<boolean>;
  /**
   * Puts a value under a key; a fetch of it that is on its way will not overwrite it. One EVALSHA, in it two SETs.
   * Rejects with `invalid_argument` for what JSON cannot hold.
   */
  set<T>(key: string, value: T, options?: StoreOptions): Promise<void>;
  /**
   * Puts bytes, a copy of them, under a key, with no JSON and no text in between. Alone in its tick they travel as they are,
   * in company at about twice their size.
   */
  setBytes(key: string, bytes: Uint8Array, options?: StoreOptions): Promise<void>;
  /** The same for several in one round trip; those of one shard at once. */
  setMany<T>(entries: Iterable<readonly [string, T]>, options?: StoreOptions): Promise<void>;
  /** Removes keys in one round trip; how many were there. A fetch of one that is on its way will not be stored. */
  delete(...keys: string[]): Promise<number>;
  /**
   * The value, else what `fetcher` gives, which is then stored. One round trip for a hit.
   *
   * - Of all callers that miss at once, in all isolates, one fetches, and the others wait for what it stores, at most
   *   twice `lock`. When Redis does not answer in time, the fetcher runs.
   * - A stale value is answered at once and refreshed behind it where there is a `waitUntil`. Without one the refresh,
   *   and every store, is waited for.
   * - A fetcher that throws gives what may be served in place of an error, else its own error. Nothing is stored then.
   */
  getOrFetch<T>(key: string, fetcher: (context: FetchContext) => T | Promise<T>, options?: FetchOptions): Promise<T>;
  /**
   * The stored answer to a request, or else the handler's, which is stored if it may be: RFC 9111, as a shared cache. One
   * round trip for a hit (one EVALSHA, in it one HMGET, one more where the answer varies), and its bytes go from Redis's
   * reply to the `Response` as they are.
   *
   * - Stored is what states a lifetime, or `ttl` gives one; never with `Set-Cookie`, `private`, `no-store`, `no-cache` or
   *   `Vary: *`, nor for a request with `Authorization` unless it says that it is for all. Of each URL 16 variants at most.
   * - The handler is asked for the whole answer, or whether a stale one is still true, whatever the client's own conditions;
   *   who has the answer already gets a 304. With `Range`, `If-Match`, a body or an override of its method or URL the
   *   request goes to the handler as it is.
   * - One caller asks the handler for all, and a stale answer is served, as by {@link Cache.getOrFetch}; also in place of a
   *   500, 502, 503 or 504.
   * - A method that is not safe and succeeds makes its URL, and those that its answer names, invalid.
   * - The body streams to the client while it is read to be stored; without a `waitUntil` its end waits for the store. What
   *   breaks off is not stored.
   * - `Cache-Status` (RFC 9211) says what happened.
   *
   * Rejects with what the handler throws, when nothing may be served in its place; `invalid_argument` when it gives no
   * `Response`.
   */
  respond(request: Request, handler: (request: Request) => Response | Promise<Response>, options?: RespondOptions): Promise<Response>;
  /** Makes all that was stored with one of these tags gone, also what is being fetched. One round trip, whatever their number. */
  invalidateTags(...tags: string[]): Promise<void>;
  /** Makes it stale: it may still be served while it is refreshed. */
  expireTags(...tags: string[]): Promise<void>;
  /**
   * How often this cache was asked, by all isolates, since it was first used. `hitRate` is the share it answered, stale
   * values included: 0 to 1, 0 when nothing was asked. One round trip. What an isolate has not sent yet is not counted.
   */
  stats(): Promise<{ hits: number; misses: number; stale: number; hitRate: number }>;
  /** How many keys there are, by SCAN over the whole database: one request a page of some 1,000. */
  countKeys(): Promise<number>;
}
