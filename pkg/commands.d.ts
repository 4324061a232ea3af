// Every command that REST carries, as a method: on `Redis` it promises its reply, on a `Pipeline` it joins the queue.
// Options have Redis's own words, in lower case: `{ ex: 60, nx: true }` is sent as EX 60 NX, `{ limit: [0, 10] }` as
// LIMIT 0 10; `false` and `undefined` are not sent.

import type { SessionConflict } from "./session.js";

/** What Redis stores: text, bytes, or a number, which is sent in decimal. */
export type Value = string | Uint8Array | number | bigint;
/** A reply as Redis sends it. */
export type Reply = string | number | bigint | null | EdgeError | Reply[];
/** An argument of any command; an object is options. */
export type Arg = Value | Record<string, Value | boolean | undefined | readonly Value[]>;

export type ErrorCode =
  | "invalid_config" | "invalid_argument" | "unauthorized" | "forbidden" | "quota_exceeded" | "too_large" | "timeout"
  | "network" | "server_error" | "redis_error" | "unsupported" | "conflict" | "corrupt" | "aborted";

/** Every failure: match on `code`, never on the message, which holds no token, value or whole command. */
export declare class EdgeError extends Error {
  constructor(code: ErrorCode, message: string, cause?: unknown);
  readonly name: "EdgeError";
  readonly code: ErrorCode;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** Of a `conflict` that a session's save failed with, when other requests changed the same keys first. */
  readonly conflicts?: SessionConflict[];
}

/** How one command of a pipeline ended. */
export type Settled<R> = { ok: true; value: R } | { ok: false; error: EdgeError };

/** At most one of the options of `T`. */
type OneOf<T> = { [K in keyof T]: Partial<Pick<T, K>> & { [L in Exclude<keyof T, K>]?: never } }[keyof T];
/** Exactly one of the options of `T`. */
type ExactlyOneOf<T> = { [K in keyof T]: Pick<T, K> & { [L in Exclude<keyof T, K>]?: never } }[keyof T];

type Unit = "m" | "km" | "ft" | "mi";
/** A member with its score; `"+inf"` and `"-inf"` are scores. */
export interface ScoredMember { score: number | "+inf" | "-inf"; member: string }
/** A member as it is replied, its score a number (it may be `Infinity`). */
export interface Scored { member: string; score: number }
export interface GeoMember { longitude: number; latitude: number; member: string }
/** An entry of a stream: its id, then its fields and values by turns. */
export type StreamEntry = [id: string, fields: string[]];
/** A place with the distance, the hash and the position that were asked for, in this order. */
export type GeoFound = [member: string, ...(string | number | [longitude: string, latitude: string])[]];

interface Expiries {
  /** Seconds from now. */
  ex: number;
  /** Milliseconds from now. */
  px: number;
  /** Seconds since the epoch. */
  exat: number;
  /** Milliseconds since the epoch. */
  pxat: number;
}
interface KeepTtl {
  /** Leave the time to live as it is. */
  keepttl: boolean;
}
interface Persist {
  /** Take the time to live away. */
  persist: boolean;
}
interface Presence {
  /** Only where there is none yet. */
  nx: boolean;
  /** Only where there is one already. */
  xx: boolean;
}
interface Comparison {
  /** Only if the value is this. */
  ifeq: Value;
  /** Only if the value is another, or there is none. */
  ifne: Value;
  /** Only if the digest of the value is this. */
  ifdeq: string;
  /** Only if the digest of the value is another, or there is none. */
  ifdne: string;
}
interface Aim {
  /** Only if later than, or greater than, what is set. */
  gt: boolean;
  /** Only if earlier than, or less than, what is set. */
  lt: boolean;
}

type Lifetime = OneOf<Expiries & KeepTtl>;
type NoCondition = { [K in keyof (Presence & Comparison)]?: never };
/** A lifetime at most, a condition at most; `get` replies the value before. */
export type SetOptions = Lifetime & OneOf<Presence & Comparison> & { get?: boolean };
export type GetexOptions = OneOf<Expiries & Persist>;
/** One condition, or `xx` with `gt` or `lt`. */
export type ExpireOptions =
  | { /** Only where there is no expiry yet. */ nx?: boolean; xx?: never; gt?: never; lt?: never }
  | ({ nx?: never; /** Only where there is an expiry already. */ xx?: boolean } & OneOf<Aim>);
type FieldExpireOptions = OneOf<Presence & Aim>;
export type ScanOptions = {
  /** Glob-style pattern. */
  match?: string;
  /** About how many to look at; 10 when absent. */
  count?: number;
};
interface Limited {
  /** Offset, then count. */
  limit?: readonly [offset: number, count: number];
}
export interface SortOptions extends Limited {
  /** Pattern of the keys that hold the weights. */
  by?: string;
  /** Patterns of the keys to reply instead; `#` is the element. */
  get?: string | readonly string[];
  /** Compare as text. */
  alpha?: boolean;
}
type Order = OneOf<{
  /** Smallest, or nearest, first. */
  asc: boolean;
  /** Largest, or farthest, first. */
  desc: boolean;
}>;
interface TrimBy {
  /** How many entries to keep; `["~", n]` keeps a few more, at less cost. */
  maxlen: number | readonly ["~" | "=", number];
  /** The smallest id to keep; `["~", id]` keeps a few more, at less cost. */
  minid: string | readonly ["~" | "=", string];
}
interface TrimLimit {
  /** How many entries to drop at most; with `~` alone. */
  limit?: number;
}
type Trim = OneOf<TrimBy> & TrimLimit;
type Reference = OneOf<{
  /** Leave what consumer groups know of the entry (as is done without options). */
  keepref: boolean;
  /** Remove it from every group. */
  delref: boolean;
  /** Only what every group has acknowledged. */
  acked: boolean;
}>;
export type ZaddOptions = (
  | { /** Only add. */ nx?: boolean; xx?: never; gt?: never; lt?: never }
  | ({ nx?: never; /** Only update. */ xx?: boolean } & OneOf<Aim>)
) & { /** Count what changed, not only what was added. */ ch?: boolean };
type ByIndex = { /** From the highest. */ rev?: boolean; byscore?: never; bylex?: never; limit?: never };
type ByScore = Limited & { /** Start and stop are scores. */ byscore: true; bylex?: never; rev?: boolean };
type ByLex = Limited & {
  /** Start and stop are members: `"[a"`, `"(b"`, `"-"`, `"+"`. */
  bylex: true;
  byscore?: never;
  rev?: boolean;
};
export type ZrangeOptions = ByIndex | ByScore | ByLex;
interface WithScores { withscores: true }
interface WithoutScores { withscores?: false }
export interface CombineOptions {
  /** One factor a key. */
  weights?: readonly number[];
  /** What to do with the scores of one member; `"sum"` when absent. */
  aggregate?: "sum" | "min" | "max";
}
type GeoCount =
  | { /** How many at most. */ count?: number; any?: never }
  | { count: number; /** Any that fit, not the nearest. */ any?: boolean };
type GeoWith = { withcoord?: boolean; withdist?: boolean; withhash?: boolean };
type NoGeoWith = { [K in keyof GeoWith]?: false };
type GeoArea = ExactlyOneOf<{ frommember: string; fromlonlat: readonly [longitude: number, latitude: number] }> &
  ExactlyOneOf<{
    byradius: readonly [radius: number, unit: Unit];
    bybox: readonly [width: number, height: number, unit: Unit];
  }>;
type GeoOptions = GeoCount & Order;
export type GeosearchOptions = GeoArea & GeoOptions;
type GeoStore = ExactlyOneOf<{
  /** The key to store the members in, scored by geohash. */
  store: string;
  /** The key to store the members in, scored by distance. */
  storedist: string;
}>;
type Flush = OneOf<{
  /** Free the memory in the background. */
  async: boolean;
  /** Free the memory before the reply. */
  sync: boolean;
}>;
/** `u` or `i` and how many bits, such as `"u8"`. */
type BitType = `${"u" | "i"}${number}`;
/** A bit, or `"#n"`: the nth of its type. */
type BitOffset = number | `#${number}`;
type BitfieldRead = { get: readonly [type: BitType, offset: BitOffset]; set?: never; incrby?: never; overflow?: never };
/** One step of a BITFIELD; `overflow` says what the steps after it do. */
export type BitfieldStep = BitfieldRead | ExactlyOneOf<{
  set: readonly [type: BitType, offset: BitOffset, value: number];
  incrby: readonly [type: BitType, offset: BitOffset, by: number];
  overflow: "wrap" | "sat" | "fail";
}>;
interface LcsMatches {
  idx: true;
  len?: never;
  /** Shorter matches are left out. */
  minmatchlen?: number;
  /** Each match with its length. */
  withmatchlen?: boolean;
}
interface LposOptions {
  /** Which match is the first; negative from the end. */
  rank?: number;
  /** How many elements to compare at most; 0 is all. */
  maxlen?: number;
}
interface FieldsPresence {
  /** Only if none of the fields is there. */
  fnx: boolean;
  /** Only if all of the fields are there. */
  fxx: boolean;
}
export type GeoaddOptions = OneOf<Presence> & { /** Count what moved, too. */ ch?: boolean };
interface GroupStart {
  /** How many entries count as read. */
  entriesread?: number;
}
interface ReadCount {
  /** How many entries a stream. */
  count?: number;
}
interface XsetidOptions {
  /** How many entries were ever added. */
  entriesadded?: number;
  /** The largest id ever deleted. */
  maxdeletedid?: string;
}
export interface JsonFormat {
  /** Put before each level. */
  indent?: string;
  /** Put after each line. */
  newline?: string;
  /** Put after each colon. */
  space?: string;
}
interface RestorePolicy {
  /** Delete what is there. */
  flush: boolean;
  /** Fail when one is there (as is done without options). */
  append: boolean;
  /** Also over those that are there. */
  replace: boolean;
}
interface CommandFilter {
  /** A module, an ACL category or a pattern. */
  filterby?: readonly ["module" | "aclcat" | "pattern", string];
}
interface LibraryFilter {
  /** Pattern. */
  libraryname?: string;
  /** With its source. */
  withcode?: boolean;
}
interface ClaimOptions {
  /** Counts as idle for so many milliseconds. */
  idle?: number;
  /** Last delivered then, in milliseconds since the epoch. */
  time?: number;
  /** How often it counts as delivered. */
  retrycount?: number;
  /** Also what is pending for nobody. */
  force?: boolean;
  /** The group's last id, if it is larger. */
  lastid?: string;
}
interface Usage {
  /** How many seconds it counts as unused. */
  idletime: number;
  /** How often it counts as used. */
  freq: number;
}
export type RestoreOptions = OneOf<Usage> & {
  /** Also over a key that is there. */
  replace?: boolean;
  /** The expiry is milliseconds since the epoch. */
  absttl?: boolean;
};
/** A path that begins with `$` has one reply a match; another has one. */
type ByPath<P extends string, R> = string extends P ? R | R[] | null : P extends `$${string}` ? R[] | null : R | null;

/** What a method gives: see {@link Commands} and {@link Pipeline}. */
type Answer<Mode extends keyof Answers<[], 0>, T extends unknown[], R> = Answers<T, R>[Mode];
interface Answers<T extends unknown[], R> {
  promise: Promise<R>;
  pipeline: Pipeline<[...T, R]>;
}

/** The methods of {@link Commands} and of {@link Pipeline}, which differ in what they give. */
export interface CommandMethods<M extends "promise" | "pipeline", T extends unknown[]> {
  // Strings
  /** The value's length after appending; a missing key is an empty one. */
  append(key: string, value: Value): Answer<M, T, number>;
  /** The value less one; a missing key is 0. */
  decr(key: string): Answer<M, T, number>;
  /** The value less `by`. */
  decrby(key: string, by: number): Answer<M, T, number>;
  /** 1 when the key was deleted, 0 when it was not there or the condition did not hold. */
  delex(key: string, options?: OneOf<Comparison>): Answer<M, T, number>;
  /** The digest of the value, in hexadecimal; `null` when there is none. */
  digest(key: string): Answer<M, T, string | null>;
  /** The value; `null` when there is none. */
  get(key: string): Answer<M, T, string | null>;
  /** The value, which is deleted; `null` when there was none. */
  getdel(key: string): Answer<M, T, string | null>;
  /** The value, whose expiry is changed; `null` when there is none. */
  getex(key: string, options?: GetexOptions): Answer<M, T, string | null>;
  /** The value read as JSON; `null` when there is none, as when it is JSON's `null`; `corrupt` when it is not JSON. */
  getJson<R = unknown>(key: string): Answer<M, T, R | null>;
  /** The part of the value from byte `start` to byte `end`, both included; negative ones count from the end. */
  getrange(key: string, start: number, end: number): Answer<M, T, string>;
  /** The value before; `null` when there was none. Redis prefers SET with `get`. */
  getset(key: string, value: Value): Answer<M, T, string | null>;
  /** The value plus one; a missing key is 0. */
  incr(key: string): Answer<M, T, number>;
  /** The value plus `by`. */
  incrby(key: string, by: number): Answer<M, T, number>;
  /** The value plus `by`, in decimal. */
  incrbyfloat(key: string, by: number): Answer<M, T, string>;
  /** The longest common subsequence: its text, its length (`len`), or where it is (`idx`). */
  lcs(key1: string, key2: string, options?: { len?: never; idx?: never }): Answer<M, T, string>;
  lcs(key1: string, key2: string, options: { len: true; idx?: never }): Answer<M, T, number>;
  lcs(key1: string, key2: string, options: LcsMatches): Answer<M, T, { matches: Reply[]; len: number }>;
  /** The values, in order; `null` where there is none. */
  mget(...keys: string[]): Answer<M, T, (string | null)[]>;
  /** "OK": all were set. */
  mset(entries: Record<string, Value>): Answer<M, T, "OK">;
  /** 1 when all were set, 0 when the condition held for one not. */
  msetex(entries: Record<string, Value>, options?: Lifetime & OneOf<Presence>): Answer<M, T, number>;
  /** 1 when all were set, 0 when one was there already and none was. */
  msetnx(entries: Record<string, Value>): Answer<M, T, number>;
  /** "OK"; `ms` is milliseconds from now. */
  psetex(key: string, ms: number, value: Value): Answer<M, T, "OK">;
  /** "OK"; with a condition `null` when it did not hold; with `get` the value before, `null` when there was none. */
  set(key: string, value: Value, options?: Lifetime & NoCondition & { get?: false }): Answer<M, T, "OK">;
  set(key: string, value: Value, options: SetOptions & { get?: false }): Answer<M, T, "OK" | null>;
  set(
    key: string,
    value: Value,
    options: SetOptions & { /** Reply the value before. */ get: true },
  ): Answer<M, T, string | null>;
  /** As `set`, the value written as JSON; `invalid_argument` where there is no JSON of it: a function, a BigInt, a cycle. */
  setJson(key: string, value: unknown, options?: Lifetime & NoCondition): Answer<M, T, "OK">;
  setJson(key: string, value: unknown, options: Lifetime & OneOf<Presence & Comparison>): Answer<M, T, "OK" | null>;
  /** "OK"; `seconds` is from now. */
  setex(key: string, seconds: number, value: Value): Answer<M, T, "OK">;
  /** 1 when it was set, 0 when the key was there already. */
  setnx(key: string, value: Value): Answer<M, T, number>;
  /** The value's length after writing from byte `offset` on. */
  setrange(key: string, offset: number, value: Value): Answer<M, T, number>;
  /** The value's length in bytes; 0 when there is none. */
  strlen(key: string): Answer<M, T, number>;
  /** As GETRANGE, which Redis prefers. */
  substr(key: string, start: number, end: number): Answer<M, T, string>;

  // Bits
  /** How many bits are 1, from `start` to `end`, both included, counted in bytes unless `unit` says bits. */
  bitcount(key: string, start?: number, end?: number, unit?: "byte" | "bit"): Answer<M, T, number>;
  /** One reply a step; `null` where an `overflow` of `"fail"` refused. `overflow` has none. */
  bitfield(key: string, ...steps: BitfieldStep[]): Answer<M, T, (number | null)[]>;
  /** One reply a step. */
  bitfieldRo(key: string, ...steps: BitfieldRead[]): Answer<M, T, number[]>;
  /** The length in bytes of what was stored in `destination`; `"not"` takes one key. */
  bitop(
    operation: "and" | "or" | "xor" | "not" | "diff" | "diff1" | "andor" | "one",
    destination: string,
    ...keys: string[],
  ): Answer<M, T, number>;
  /** The position of the first bit that is `bit`; -1 when there is none. */
  bitpos(key: string, bit: 0 | 1, start?: number, end?: number, unit?: "byte" | "bit"): Answer<M, T, number>;
  /** The bit at `offset`. */
  getbit(key: string, offset: number): Answer<M, T, 0 | 1>;
  /** The bit that was at `offset`. */
  setbit(key: string, offset: number, bit: 0 | 1): Answer<M, T, 0 | 1>;

  // HyperLogLog
  /** 1 when the estimate changed, else 0. */
  pfadd(key: string, ...elements: Value[]): Answer<M, T, number>;
  /** About how many different elements there are in the keys together. */
  pfcount(...keys: string[]): Answer<M, T, number>;
  /** "OK": `destination` holds them all. */
  pfmerge(destination: string, ...keys: string[]): Answer<M, T, "OK">;

  // Hashes
  /** How many fields were deleted. */
  hdel(key: string, ...fields: string[]): Answer<M, T, number>;
  /** 1 when the field is there, else 0. */
  hexists(key: string, field: string): Answer<M, T, number>;
  /** One reply a field: 1 set, 2 deleted at once, 0 the condition did not hold, -2 no such field. */
  hexpire(
    key: string,
    seconds: number,
    fields: readonly string[],
    options?: FieldExpireOptions,
  ): Answer<M, T, number[]>;
  /** As HEXPIRE, in seconds since the epoch. */
  hexpireat(
    key: string,
    seconds: number,
    fields: readonly string[],
    options?: FieldExpireOptions,
  ): Answer<M, T, number[]>;
  /** One reply a field: when it expires, in seconds since the epoch; -1 never, -2 no such field. */
  hexpiretime(key: string, fields: readonly string[]): Answer<M, T, number[]>;
  /** The field's value; `null` when there is none. */
  hget(key: string, field: string): Answer<M, T, string | null>;
  /** Every field with its value; empty when there is no such key. */
  hgetall(key: string): Answer<M, T, Record<string, string>>;
  /** The values, whose fields are deleted; `null` where there was none. */
  hgetdel(key: string, fields: readonly string[]): Answer<M, T, (string | null)[]>;
  /** The values, whose expiry is changed; `null` where there is none. */
  hgetex(key: string, fields: readonly string[], options?: GetexOptions): Answer<M, T, (string | null)[]>;
  /** The field's value plus `by`; a missing field is 0. */
  hincrby(key: string, field: string, by: number): Answer<M, T, number>;
  /** The field's value plus `by`, in decimal. */
  hincrbyfloat(key: string, field: string, by: number): Answer<M, T, string>;
  /** The fields. */
  hkeys(key: string): Answer<M, T, string[]>;
  /** How many fields there are. */
  hlen(key: string): Answer<M, T, number>;
  /** The values, in order; `null` where there is none. */
  hmget(key: string, ...fields: string[]): Answer<M, T, (string | null)[]>;
  /** "OK". Redis prefers HSET. */
  hmset(key: string, fields: Record<string, Value>): Answer<M, T, "OK">;
  /** One reply a field: 1 the expiry was taken away, -1 there was none, -2 no such field. */
  hpersist(key: string, fields: readonly string[]): Answer<M, T, number[]>;
  /** As HEXPIRE, in milliseconds. */
  hpexpire(key: string, ms: number, fields: readonly string[], options?: FieldExpireOptions): Answer<M, T, number[]>;
  /** As HEXPIRE, in milliseconds since the epoch. */
  hpexpireat(key: string, ms: number, fields: readonly string[], options?: FieldExpireOptions): Answer<M, T, number[]>;
  /** As HEXPIRETIME, in milliseconds since the epoch. */
  hpexpiretime(key: string, fields: readonly string[]): Answer<M, T, number[]>;
  /** One reply a field: how many milliseconds it has left; -1 no expiry, -2 no such field. */
  hpttl(key: string, fields: readonly string[]): Answer<M, T, number[]>;
  /** A field at random, `null` when there is none; with `count` several, all different unless it is negative. */
  hrandfield(key: string): Answer<M, T, string | null>;
  hrandfield(key: string, count: number, options?: { withvalues?: false }): Answer<M, T, string[]>;
  hrandfield(
    key: string,
    count: number,
    options: { withvalues: true },
  ): Answer<M, T, { field: string; value: string }[]>;
  /** The next cursor (`"0"` at the end), then fields and values by turns, or with `novalues` fields alone. */
  hscan(
    key: string,
    cursor: string | number,
    options?: ScanOptions & { novalues?: boolean },
  ): Answer<M, T, [cursor: string, items: string[]]>;
  /** How many fields are new. */
  hset(key: string, fields: Record<string, Value>): Answer<M, T, number>;
  /** 1 when all were set, 0 when the condition did not hold. */
  hsetex(key: string, fields: Record<string, Value>, options?: Lifetime & OneOf<FieldsPresence>): Answer<M, T, number>;
  /** 1 when it was set, 0 when the field was there already. */
  hsetnx(key: string, field: string, value: Value): Answer<M, T, number>;
  /** The length in bytes of the field's value; 0 when there is none. */
  hstrlen(key: string, field: string): Answer<M, T, number>;
  /** One reply a field: how many seconds it has left; -1 no expiry, -2 no such field. */
  httl(key: string, fields: readonly string[]): Answer<M, T, number[]>;
  /** The values. */
  hvals(key: string): Answer<M, T, string[]>;

  // Lists
  /** The element at `index`, negative from the end; `null` when there is none. */
  lindex(key: string, index: number): Answer<M, T, string | null>;
  /** The list's length after inserting; -1 when there is no `pivot`, 0 when there is no list. */
  linsert(key: string, where: "before" | "after", pivot: Value, element: Value): Answer<M, T, number>;
  /** The list's length. */
  llen(key: string): Answer<M, T, number>;
  /** The element that was moved; `null` when there was none. */
  lmove(source: string, destination: string, from: "left" | "right", to: "left" | "right"): Answer<M, T, string | null>;
  /** The first list that has elements, with those taken; `null` when all are empty. */
  lmpop(
    keys: readonly string[],
    from: "left" | "right",
    options?: { /** How many at most. */ count?: number },
  ): Answer<M, T, [key: string, elements: string[]] | null>;
  /** The first element; with `count` up to so many; `null` when there is no list. */
  lpop(key: string): Answer<M, T, string | null>;
  lpop(key: string, count: number): Answer<M, T, string[] | null>;
  /** Where the element is, `null` when nowhere; with `count` a list of places, and 0 is all. */
  lpos(key: string, element: Value, options?: LposOptions & { count?: never }): Answer<M, T, number | null>;
  lpos(
    key: string,
    element: Value,
    options: LposOptions & { /** How many places. */ count: number },
  ): Answer<M, T, number[]>;
  /** The list's length after putting each in front, so that the last given is the first. */
  lpush(key: string, ...elements: Value[]): Answer<M, T, number>;
  /** As LPUSH, when there is a list; else 0. */
  lpushx(key: string, ...elements: Value[]): Answer<M, T, number>;
  /** The elements from `start` to `stop`, both included; negative ones count from the end. */
  lrange(key: string, start: number, stop: number): Answer<M, T, string[]>;
  /** How many were removed: `count` from the front, from the end when negative, all when 0. */
  lrem(key: string, count: number, element: Value): Answer<M, T, number>;
  /** "OK". */
  lset(key: string, index: number, element: Value): Answer<M, T, "OK">;
  /** "OK": what is not from `start` to `stop` is gone. */
  ltrim(key: string, start: number, stop: number): Answer<M, T, "OK">;
  /** The last element; with `count` up to so many; `null` when there is no list. */
  rpop(key: string): Answer<M, T, string | null>;
  rpop(key: string, count: number): Answer<M, T, string[] | null>;
  /** The element that was moved; `null` when there was none. Redis prefers LMOVE. */
  rpoplpush(source: string, destination: string): Answer<M, T, string | null>;
  /** The list's length after appending. */
  rpush(key: string, ...elements: Value[]): Answer<M, T, number>;
  /** As RPUSH, when there is a list; else 0. */
  rpushx(key: string, ...elements: Value[]): Answer<M, T, number>;

  // Sets
  /** How many members are new. */
  sadd(key: string, ...members: Value[]): Answer<M, T, number>;
  /** How many members there are. */
  scard(key: string): Answer<M, T, number>;
  /** The members of the first key that no other has. */
  sdiff(...keys: string[]): Answer<M, T, string[]>;
  /** How many members were stored. */
  sdiffstore(destination: string, ...keys: string[]): Answer<M, T, number>;
  /** The members that all have. */
  sinter(...keys: string[]): Answer<M, T, string[]>;
  /** How many members all have. */
  sintercard(
    keys: readonly string[],
    options?: { /** Count no further; 0 is no limit. */ limit?: number },
  ): Answer<M, T, number>;
  /** How many members were stored. */
  sinterstore(destination: string, ...keys: string[]): Answer<M, T, number>;
  /** 1 when it is a member, else 0. */
  sismember(key: string, member: Value): Answer<M, T, number>;
  /** The members. */
  smembers(key: string): Answer<M, T, string[]>;
  /** One reply a member: 1 when it is one, else 0. */
  smismember(key: string, ...members: Value[]): Answer<M, T, number[]>;
  /** 1 when it was moved, 0 when it was no member. */
  smove(source: string, destination: string, member: Value): Answer<M, T, number>;
  /** A member at random, which is removed, `null` when there is none; with `count` up to so many. */
  spop(key: string): Answer<M, T, string | null>;
  spop(key: string, count: number): Answer<M, T, string[]>;
  /** A member at random, `null` when there is none; with `count` several, all different unless it is negative. */
  srandmember(key: string): Answer<M, T, string | null>;
  srandmember(key: string, count: number): Answer<M, T, string[]>;
  /** How many were removed. */
  srem(key: string, ...members: Value[]): Answer<M, T, number>;
  /** The next cursor (`"0"` at the end), then members. */
  sscan(key: string, cursor: string | number, options?: ScanOptions): Answer<M, T, [cursor: string, members: string[]]>;
  /** The members that any has. */
  sunion(...keys: string[]): Answer<M, T, string[]>;
  /** How many members were stored. */
  sunionstore(destination: string, ...keys: string[]): Answer<M, T, number>;

  // Sorted sets
  /**
   * How many members are new (with `ch`: new or changed); with `incr` the new score, `null` when a condition did not
   * hold.
   */
  zadd(key: string, ...members: ScoredMember[]): Answer<M, T, number>;
  zadd(key: string, options: ZaddOptions | undefined, ...members: ScoredMember[]): Answer<M, T, number>;
  zadd(
    key: string,
    options: ZaddOptions & { /** Add to the score. */ incr: true },
    member: ScoredMember,
  ): Answer<M, T, string | null>;
  /** How many members there are. */
  zcard(key: string): Answer<M, T, number>;
  /** How many members have a score from `min` to `max`: a number, `"(1"` without it, `"-inf"`, `"+inf"`. */
  zcount(key: string, min: number | string, max: number | string): Answer<M, T, number>;
  /** The members of the first key that no other has. */
  zdiff(keys: readonly string[], options?: WithoutScores): Answer<M, T, string[]>;
  zdiff(keys: readonly string[], options: WithScores): Answer<M, T, Scored[]>;
  /** How many members were stored. */
  zdiffstore(destination: string, keys: readonly string[]): Answer<M, T, number>;
  /** The member's score plus `by`, in decimal. */
  zincrby(key: string, by: number, member: string): Answer<M, T, string>;
  /** The members that all have, scores combined. */
  zinter(keys: readonly string[], options?: CombineOptions & WithoutScores): Answer<M, T, string[]>;
  zinter(keys: readonly string[], options: CombineOptions & WithScores): Answer<M, T, Scored[]>;
  /** How many members all have. */
  zintercard(
    keys: readonly string[],
    options?: { /** Count no further; 0 is no limit. */ limit?: number },
  ): Answer<M, T, number>;
  /** How many members were stored. */
  zinterstore(destination: string, keys: readonly string[], options?: CombineOptions): Answer<M, T, number>;
  /** How many members are from `min` to `max`: `"[a"`, `"(b"`, `"-"`, `"+"`. */
  zlexcount(key: string, min: string, max: string): Answer<M, T, number>;
  /** The first key that has members, with those taken and their scores in decimal; `null` when all are empty. */
  zmpop(
    keys: readonly string[],
    which: "min" | "max",
    options?: { /** How many at most. */ count?: number },
  ): Answer<M, T, [key: string, members: [member: string, score: string][]] | null>;
  /** The scores in decimal, in order; `null` where there is no such member. */
  zmscore(key: string, ...members: string[]): Answer<M, T, (string | null)[]>;
  /** The members with the highest scores, which are removed; one without `count`. */
  zpopmax(key: string, count?: number): Answer<M, T, Scored[]>;
  /** The members with the lowest scores, which are removed; one without `count`. */
  zpopmin(key: string, count?: number): Answer<M, T, Scored[]>;
  /** A member at random, `null` when there is none; with `count` several, all different unless it is negative. */
  zrandmember(key: string): Answer<M, T, string | null>;
  zrandmember(key: string, count: number, options?: WithoutScores): Answer<M, T, string[]>;
  zrandmember(key: string, count: number, options: WithScores): Answer<M, T, Scored[]>;
  /** The members from `start` to `stop`: places, or what `byscore` or `bylex` say. */
  zrange(
    key: string,
    start: number | string,
    stop: number | string,
    options?: ZrangeOptions & WithoutScores,
  ): Answer<M, T, string[]>;
  zrange(
    key: string,
    start: number | string,
    stop: number | string,
    options: (ByIndex | ByScore) & WithScores,
  ): Answer<M, T, Scored[]>;
  /** The members from `min` to `max`. Redis prefers ZRANGE with `bylex`. */
  zrangebylex(key: string, min: string, max: string, options?: Limited): Answer<M, T, string[]>;
  /** The members with a score from `min` to `max`. Redis prefers ZRANGE with `byscore`. */
  zrangebyscore(
    key: string,
    min: number | string,
    max: number | string,
    options?: Limited & WithoutScores,
  ): Answer<M, T, string[]>;
  zrangebyscore(
    key: string,
    min: number | string,
    max: number | string,
    options: Limited & WithScores,
  ): Answer<M, T, Scored[]>;
  /** How many members were stored. */
  zrangestore(
    destination: string,
    source: string,
    start: number | string,
    stop: number | string,
    options?: ZrangeOptions,
  ): Answer<M, T, number>;
  /**
   * The member's place from the lowest score, 0 the first; with `withscore` also its score in decimal; `null` when there
   * is none.
   */
  zrank(key: string, member: string, options?: { withscore?: false }): Answer<M, T, number | null>;
  zrank(key: string, member: string, options: { withscore: true }): Answer<M, T, [rank: number, score: string] | null>;
  /** How many were removed. */
  zrem(key: string, ...members: string[]): Answer<M, T, number>;
  /** How many were removed. */
  zremrangebylex(key: string, min: string, max: string): Answer<M, T, number>;
  /** How many were removed. */
  zremrangebyrank(key: string, start: number, stop: number): Answer<M, T, number>;
  /** How many were removed. */
  zremrangebyscore(key: string, min: number | string, max: number | string): Answer<M, T, number>;
  /** The members from `start` to `stop`, the highest score first. Redis prefers ZRANGE with `rev`. */
  zrevrange(key: string, start: number, stop: number, options?: WithoutScores): Answer<M, T, string[]>;
  zrevrange(key: string, start: number, stop: number, options: WithScores): Answer<M, T, Scored[]>;
  /** The members from `max` down to `min`. Redis prefers ZRANGE with `bylex` and `rev`. */
  zrevrangebylex(key: string, max: string, min: string, options?: Limited): Answer<M, T, string[]>;
  /** The members with a score from `max` down to `min`. Redis prefers ZRANGE with `byscore` and `rev`. */
  zrevrangebyscore(
    key: string,
    max: number | string,
    min: number | string,
    options?: Limited & WithoutScores,
  ): Answer<M, T, string[]>;
  zrevrangebyscore(
    key: string,
    max: number | string,
    min: number | string,
    options: Limited & WithScores,
  ): Answer<M, T, Scored[]>;
  /**
   * The member's place from the highest score, 0 the first; with `withscore` also its score in decimal; `null` when
   * there is none.
   */
  zrevrank(key: string, member: string, options?: { withscore?: false }): Answer<M, T, number | null>;
  zrevrank(
    key: string,
    member: string,
    options: { withscore: true },
  ): Answer<M, T, [rank: number, score: string] | null>;
  /** The next cursor (`"0"` at the end), then members and scores by turns. */
  zscan(key: string, cursor: string | number, options?: ScanOptions): Answer<M, T, [cursor: string, items: string[]]>;
  /** The member's score in decimal; `null` when there is none. */
  zscore(key: string, member: string): Answer<M, T, string | null>;
  /** The members that any has, scores combined. */
  zunion(keys: readonly string[], options?: CombineOptions & WithoutScores): Answer<M, T, string[]>;
  zunion(keys: readonly string[], options: CombineOptions & WithScores): Answer<M, T, Scored[]>;
  /** How many members were stored. */
  zunionstore(destination: string, keys: readonly string[], options?: CombineOptions): Answer<M, T, number>;

  // Places
  /** How many members are new (with `ch`: new or moved). */
  geoadd(key: string, ...members: GeoMember[]): Answer<M, T, number>;
  geoadd(key: string, options: GeoaddOptions | undefined, ...members: GeoMember[]): Answer<M, T, number>;
  /** The distance in decimal, in metres unless `unit` says otherwise; `null` when one is missing. */
  geodist(key: string, member1: string, member2: string, unit?: Unit): Answer<M, T, string | null>;
  /** The geohashes, in order; `null` where there is no such member. */
  geohash(key: string, ...members: string[]): Answer<M, T, (string | null)[]>;
  /** Longitude and latitude in decimal, in order; `null` where there is no such member. */
  geopos(key: string, ...members: string[]): Answer<M, T, ([longitude: string, latitude: string] | null)[]>;
  /** The members within the radius, or how many were stored. Redis prefers GEOSEARCH. */
  georadius(
    key: string,
    longitude: number,
    latitude: number,
    radius: number,
    unit: Unit,
    options?: GeoOptions & NoGeoWith,
  ): Answer<M, T, string[]>;
  georadius(
    key: string,
    longitude: number,
    latitude: number,
    radius: number,
    unit: Unit,
    options: GeoOptions & GeoWith,
  ): Answer<M, T, GeoFound[]>;
  georadius(
    key: string,
    longitude: number,
    latitude: number,
    radius: number,
    unit: Unit,
    options: GeoOptions & GeoStore,
  ): Answer<M, T, number>;
  /** The members within the radius. Redis prefers GEOSEARCH. */
  georadiusRo(
    key: string,
    longitude: number,
    latitude: number,
    radius: number,
    unit: Unit,
    options?: GeoOptions & NoGeoWith,
  ): Answer<M, T, string[]>;
  georadiusRo(
    key: string,
    longitude: number,
    latitude: number,
    radius: number,
    unit: Unit,
    options: GeoOptions & GeoWith,
  ): Answer<M, T, GeoFound[]>;
  /** The members within the radius, or how many were stored. Redis prefers GEOSEARCH. */
  georadiusbymember(
    key: string,
    member: string,
    radius: number,
    unit: Unit,
    options?: GeoOptions & NoGeoWith,
  ): Answer<M, T, string[]>;
  georadiusbymember(
    key: string,
    member: string,
    radius: number,
    unit: Unit,
    options: GeoOptions & GeoWith,
  ): Answer<M, T, GeoFound[]>;
  georadiusbymember(
    key: string,
    member: string,
    radius: number,
    unit: Unit,
    options: GeoOptions & GeoStore,
  ): Answer<M, T, number>;
  /** The members within the radius. Redis prefers GEOSEARCH. */
  georadiusbymemberRo(
    key: string,
    member: string,
    radius: number,
    unit: Unit,
    options?: GeoOptions & NoGeoWith,
  ): Answer<M, T, string[]>;
  georadiusbymemberRo(
    key: string,
    member: string,
    radius: number,
    unit: Unit,
    options: GeoOptions & GeoWith,
  ): Answer<M, T, GeoFound[]>;
  /** The members within the area. */
  geosearch(key: string, options: GeosearchOptions & NoGeoWith): Answer<M, T, string[]>;
  geosearch(key: string, options: GeosearchOptions & GeoWith): Answer<M, T, GeoFound[]>;
  /** How many members were stored. */
  geosearchstore(
    destination: string,
    source: string,
    options: GeosearchOptions & { /** Scored by distance, not by geohash. */ storedist?: boolean },
  ): Answer<M, T, number>;

  // Streams
  /** How many entries were acknowledged. */
  xack(key: string, group: string, ...ids: string[]): Answer<M, T, number>;
  /** One reply an id: 1 acknowledged and deleted, 2 acknowledged and kept, -1 no such id. */
  xackdel(key: string, group: string, ids: readonly string[], options?: Reference): Answer<M, T, number[]>;
  /** The entry's id (`"*"` makes one); with `nomkstream` `null` when there is no such stream. */
  xadd(
    key: string,
    id: string,
    fields: Record<string, Value>,
    options?: Trim & { nomkstream?: false },
  ): Answer<M, T, string>;
  xadd(
    key: string,
    id: string,
    fields: Record<string, Value>,
    options: Trim & { /** Make no stream. */ nomkstream: true },
  ): Answer<M, T, string | null>;
  /**
   * Where to go on (`"0-0"` at the end), the entries that are the consumer's now, and the ids of those deleted
   * meanwhile.
   */
  xautoclaim(
    key: string,
    group: string,
    consumer: string,
    minIdleMs: number,
    start: string,
    options?: { count?: number; justid?: false },
  ): Answer<M, T, [next: string, entries: StreamEntry[], deleted: string[]]>;
  xautoclaim(
    key: string,
    group: string,
    consumer: string,
    minIdleMs: number,
    start: string,
    options: { count?: number; /** Ids alone. */ justid: true },
  ): Answer<M, T, [next: string, ids: string[], deleted: string[]]>;
  /** The entries that are the consumer's now. */
  xclaim(
    key: string,
    group: string,
    consumer: string,
    minIdleMs: number,
    ids: readonly string[],
    options?: ClaimOptions & { justid?: false },
  ): Answer<M, T, StreamEntry[]>;
  xclaim(
    key: string,
    group: string,
    consumer: string,
    minIdleMs: number,
    ids: readonly string[],
    options: ClaimOptions & { /** Ids alone. */ justid: true },
  ): Answer<M, T, string[]>;
  /** How many entries were deleted. */
  xdel(key: string, ...ids: string[]): Answer<M, T, number>;
  /** One reply an id: 1 deleted, 2 kept because it is not acknowledged, -1 no such id. */
  xdelex(key: string, ids: readonly string[], options?: Reference): Answer<M, T, number[]>;
  /** "OK"; `"$"` begins at what comes next, `"0"` at the start. */
  xgroupCreate(
    key: string,
    group: string,
    id: string,
    options?: GroupStart & { /** Make the stream when there is none. */ mkstream?: boolean },
  ): Answer<M, T, "OK">;
  /** 1 when the consumer is new, else 0. */
  xgroupCreateconsumer(key: string, group: string, consumer: string): Answer<M, T, number>;
  /** How many entries the consumer had pending. */
  xgroupDelconsumer(key: string, group: string, consumer: string): Answer<M, T, number>;
  /** 1 when there was such a group, else 0. */
  xgroupDestroy(key: string, group: string): Answer<M, T, number>;
  /** "OK". */
  xgroupSetid(key: string, group: string, id: string, options?: GroupStart): Answer<M, T, "OK">;
  /** What is known of each consumer: `name`, `pending`, `idle` (milliseconds), .. */
  xinfoConsumers(key: string, group: string): Answer<M, T, Record<string, string | number>[]>;
  /** What is known of each group: `name`, `consumers`, `pending`, `last-delivered-id`, .. */
  xinfoGroups(key: string): Answer<M, T, Record<string, string | number | null>[]>;
  /** What is known of the stream: `length`, `last-generated-id`, .. */
  xinfoStream(key: string): Answer<M, T, Record<string, Reply>>;
  xinfoStream(
    key: string,
    full: "full",
    options?: { /** How many entries; 10 when absent, 0 is all. */ count?: number },
  ): Answer<M, T, Record<string, Reply>>;
  /** How many entries there are. */
  xlen(key: string): Answer<M, T, number>;
  /**
   * How many are pending, the smallest and the largest id, and each consumer with its count; with a range, the entries.
   */
  xpending(
    key: string,
    group: string,
  ): Answer<M, T, [count: number, min: string | null, max: string | null, consumers: [name: string, count: string][] | null]>;
  xpending(
    key: string,
    group: string,
    start: string,
    end: string,
    count: number,
    consumer?: string,
    options?: { /** Idle for so many milliseconds at least. */ idle?: number },
  ): Answer<M, T, [id: string, consumer: string, idleMs: number, deliveries: number][]>;
  /** The entries from `start` to `end`: ids, `"(id"` without it, `"-"`, `"+"`. */
  xrange(key: string, start: string, end: string, options?: { count?: number }): Answer<M, T, StreamEntry[]>;
  /** Each stream with its entries after the id given for it; `null` when there are none. */
  xread(
    streams: Record<string, string>,
    options?: ReadCount,
  ): Answer<M, T, [key: string, entries: StreamEntry[]][] | null>;
  /**
   * Each stream with entries for this consumer: `">"` for new ones, an id for its pending ones, whose fields are `null`
   * when deleted.
   */
  xreadgroup(
    group: string,
    consumer: string,
    streams: Record<string, string>,
    options?: ReadCount & { /** Acknowledged at once. */ noack?: boolean },
  ): Answer<M, T, [key: string, entries: [id: string, fields: string[] | null][]][] | null>;
  /** The entries from `end` down to `start`. */
  xrevrange(key: string, end: string, start: string, options?: { count?: number }): Answer<M, T, StreamEntry[]>;
  /** "OK": the stream's last id is this. */
  xsetid(key: string, id: string, options?: XsetidOptions): Answer<M, T, "OK">;
  /** How many entries were dropped. */
  xtrim(key: string, options: ExactlyOneOf<TrimBy> & TrimLimit): Answer<M, T, number>;

  // JSON
  /** The array's length after appending; `null` where there is no array. Values are JSON text. */
  jsonArrappend<P extends string>(key: string, path: P, ...values: string[]): Answer<M, T, ByPath<P, number | null>>;
  /**
   * Where the value (JSON text) is in the array, from `start` up to `stop`; -1 when nowhere, `null` where there is no
   * array.
   */
  jsonArrindex<P extends string>(
    key: string,
    path: P,
    value: string,
    start?: number,
    stop?: number,
  ): Answer<M, T, ByPath<P, number | null>>;
  /** The array's length after inserting before `index`; `null` where there is no array. Values are JSON text. */
  jsonArrinsert<P extends string>(
    key: string,
    path: P,
    index: number,
    ...values: string[],
  ): Answer<M, T, ByPath<P, number | null>>;
  /** The array's length; `null` where there is no array. */
  jsonArrlen<P extends string>(key: string, path?: P): Answer<M, T, ByPath<P, number | null>>;
  /** The element at `index` (the last when absent) as JSON text, which is removed; `null` where there is none. */
  jsonArrpop<P extends string>(key: string, path?: P, index?: number): Answer<M, T, ByPath<P, string | null>>;
  /** The array's length after trimming to `start` and `stop`, both included; `null` where there is no array. */
  jsonArrtrim<P extends string>(
    key: string,
    path: P,
    start: number,
    stop: number,
  ): Answer<M, T, ByPath<P, number | null>>;
  /** How many arrays and objects were emptied and numbers set to 0. */
  jsonClear(key: string, path?: string): Answer<M, T, number>;
  /** The size in bytes. */
  jsonDebugMemory<P extends string>(key: string, path?: P): Answer<M, T, ByPath<P, number>>;
  /** How many values were deleted. */
  jsonDel(key: string, path?: string): Answer<M, T, number>;
  /** As JSON.DEL. */
  jsonForget(key: string, path?: string): Answer<M, T, number>;
  /**
   * JSON text: the value; with several paths an object by path; with a `$` path an array of matches; `null` when there
   * is no key.
   */
  jsonGet(key: string, ...paths: string[]): Answer<M, T, string | null>;
  jsonGet(key: string, options: JsonFormat | undefined, ...paths: string[]): Answer<M, T, string | null>;
  /** "OK": merged by RFC 7396. The value is JSON text. */
  jsonMerge(key: string, path: string, value: string): Answer<M, T, "OK">;
  /** JSON text for each key; `null` where there is none. */
  jsonMget(keys: readonly string[], path: string): Answer<M, T, (string | null)[]>;
  /** "OK": all were set. Values are JSON text. */
  jsonMset(...entries: { key: string; path: string; value: string }[]): Answer<M, T, "OK">;
  /** JSON text: the new number, or an array of them for a `$` path. */
  jsonNumincrby(key: string, path: string, by: number): Answer<M, T, string | null>;
  /** JSON text: the new number, or an array of them for a `$` path. */
  jsonNummultby(key: string, path: string, by: number): Answer<M, T, string | null>;
  /** The object's keys; `null` where there is no object. */
  jsonObjkeys<P extends string>(key: string, path?: P): Answer<M, T, ByPath<P, string[] | null>>;
  /** How many keys the object has; `null` where there is no object. */
  jsonObjlen<P extends string>(key: string, path?: P): Answer<M, T, ByPath<P, number | null>>;
  /** The value as nested replies. */
  jsonResp(key: string, path?: string): Answer<M, T, Reply>;
  /** "OK"; `null` when the condition did not hold. The value is JSON text. */
  jsonSet(key: string, path: string, value: string): Answer<M, T, "OK">;
  jsonSet(key: string, path: string, value: string, options: OneOf<Presence> | undefined): Answer<M, T, "OK" | null>;
  /** The string's length after appending, which is JSON text; `null` where there is no string. */
  jsonStrappend<P extends string>(key: string, path: P, value: string): Answer<M, T, ByPath<P, number | null>>;
  /** The string's length; `null` where there is no string. */
  jsonStrlen<P extends string>(key: string, path?: P): Answer<M, T, ByPath<P, number | null>>;
  /** 1 for true now, 0 for false (without `$` the words), `null` where there is no boolean. */
  jsonToggle<P extends string>(key: string, path: P): Answer<M, T, ByPath<P, number | string | null>>;
  /** The type's name. */
  jsonType<P extends string>(key: string, path?: P): Answer<M, T, ByPath<P, string>>;

  // Keys
  /** 1 when it was copied, 0 when there is no source or the destination is there. */
  copy(
    source: string,
    destination: string,
    options?: { /** Also over a destination that is there. */ replace?: boolean },
  ): Answer<M, T, number>;
  /** How many keys there are. */
  dbsize(): Answer<M, T, number>;
  /** How many keys were deleted. */
  del(...keys: string[]): Answer<M, T, number>;
  /** The value in Redis's own form, for RESTORE; `null` when there is none. */
  dump(key: string): Answer<M, T, Uint8Array | null>;
  /** How many of the keys are there; one named twice counts twice. */
  exists(...keys: string[]): Answer<M, T, number>;
  /** 1 when the expiry was set, else 0. */
  expire(key: string, seconds: number, options?: ExpireOptions): Answer<M, T, number>;
  /** As EXPIRE, in seconds since the epoch. */
  expireat(key: string, seconds: number, options?: ExpireOptions): Answer<M, T, number>;
  /** When it expires, in seconds since the epoch; -1 never, -2 no such key. */
  expiretime(key: string): Answer<M, T, number>;
  /** "OK": every database is empty. */
  flushall(options?: Flush): Answer<M, T, "OK">;
  /** "OK": the database is empty. */
  flushdb(options?: Flush): Answer<M, T, "OK">;
  /** Every key that matches the pattern; it blocks the server, which SCAN does not. */
  keys(pattern: string): Answer<M, T, string[]>;
  /** How it is stored; `null` when there is no such key. */
  objectEncoding(key: string): Answer<M, T, string | null>;
  /** How often it is used, on a logarithmic scale; `null` when there is no such key. */
  objectFreq(key: string): Answer<M, T, number | null>;
  /** How many seconds it was not used; `null` when there is no such key. */
  objectIdletime(key: string): Answer<M, T, number | null>;
  /** How often it is referred to; `null` when there is no such key. */
  objectRefcount(key: string): Answer<M, T, number | null>;
  /** 1 when the expiry was taken away, else 0. */
  persist(key: string): Answer<M, T, number>;
  /** As EXPIRE, in milliseconds. */
  pexpire(key: string, ms: number, options?: ExpireOptions): Answer<M, T, number>;
  /** As EXPIRE, in milliseconds since the epoch. */
  pexpireat(key: string, ms: number, options?: ExpireOptions): Answer<M, T, number>;
  /** When it expires, in milliseconds since the epoch; -1 never, -2 no such key. */
  pexpiretime(key: string): Answer<M, T, number>;
  /** How many milliseconds it has left; -1 no expiry, -2 no such key. */
  pttl(key: string): Answer<M, T, number>;
  /** A key at random; `null` when there is none. */
  randomkey(): Answer<M, T, string | null>;
  /** "OK"; a value under the new name is gone. */
  rename(key: string, newKey: string): Answer<M, T, "OK">;
  /** 1 when it was renamed, 0 when the new name is taken. */
  renamenx(key: string, newKey: string): Answer<M, T, number>;
  /** "OK"; `ttlMs` is milliseconds from now, 0 no expiry. */
  restore(key: string, ttlMs: number, dumped: Uint8Array, options?: RestoreOptions): Answer<M, T, "OK">;
  /**
   * The elements in order; with patterns in `get` `null` where there is no such key; with `store` how many were stored.
   */
  sort(key: string, options?: SortOptions & Order & { store?: never; get?: never }): Answer<M, T, string[]>;
  sort(key: string, options: SortOptions & Order & { store?: never }): Answer<M, T, (string | null)[]>;
  sort(
    key: string,
    options: SortOptions & Order & { /** The key to store them in. */ store: string },
  ): Answer<M, T, number>;
  /** As SORT. */
  sortRo(key: string, options?: SortOptions & Order & { get?: never }): Answer<M, T, string[]>;
  sortRo(key: string, options: SortOptions & Order): Answer<M, T, (string | null)[]>;
  /** How many of the keys are there; they count as used. */
  touch(...keys: string[]): Answer<M, T, number>;
  /** How many seconds it has left; -1 no expiry, -2 no such key. */
  ttl(key: string): Answer<M, T, number>;
  /** The type's name; "none" when there is no such key. */
  type(key: string): Answer<M, T, string>;
  /** How many keys were deleted, their memory freed in the background. */
  unlink(...keys: string[]): Answer<M, T, number>;

  // Scripts
  /** What the script returns. */
  eval<R = Reply>(source: string, keys: readonly string[], args?: readonly Value[]): Answer<M, T, R>;
  /** What the script returns, which may not write. */
  evalRo<R = Reply>(source: string, keys: readonly string[], args?: readonly Value[]): Answer<M, T, R>;
  /** What the script of this SHA-1 returns; an error when the server does not have it. */
  evalsha<R = Reply>(sha1: string, keys: readonly string[], args?: readonly Value[]): Answer<M, T, R>;
  /** What the script of this SHA-1 returns, which may not write. */
  evalshaRo<R = Reply>(sha1: string, keys: readonly string[], args?: readonly Value[]): Answer<M, T, R>;
  /** What the function returns. */
  fcall<R = Reply>(name: string, keys: readonly string[], args?: readonly Value[]): Answer<M, T, R>;
  /** What the function returns, which may not write. */
  fcallRo<R = Reply>(name: string, keys: readonly string[], args?: readonly Value[]): Answer<M, T, R>;
  /** "OK". */
  functionDelete(library: string): Answer<M, T, "OK">;
  /** The libraries in Redis's own form, for FUNCTION RESTORE. */
  functionDump(): Answer<M, T, Uint8Array>;
  /** "OK": there is no library. */
  functionFlush(options?: Flush): Answer<M, T, "OK">;
  /** "OK": the function that runs is stopped. */
  functionKill(): Answer<M, T, "OK">;
  /** What is known of each library: `library_name`, `engine`, `functions`, .. */
  functionList(options?: LibraryFilter): Answer<M, T, Record<string, Reply>[]>;
  /** The library's name. */
  functionLoad(
    source: string,
    options?: { /** Also over one that is there. */ replace?: boolean },
  ): Answer<M, T, string>;
  /** "OK". */
  functionRestore(dumped: Uint8Array, options?: OneOf<RestorePolicy>): Answer<M, T, "OK">;
  /** What runs now, and the engines. */
  functionStats(): Answer<M, T, Record<string, Reply>>;
  /** One reply a SHA-1: 1 when the server has it, else 0. */
  scriptExists(...sha1s: string[]): Answer<M, T, number[]>;
  /** "OK": the server has no script. */
  scriptFlush(options?: Flush): Answer<M, T, "OK">;
  /** "OK": the script that runs is stopped. */
  scriptKill(): Answer<M, T, "OK">;
  /** The script's SHA-1. */
  scriptLoad(source: string): Answer<M, T, string>;

  // Messages
  /** How many received it. */
  publish(channel: string, message: Value): Answer<M, T, number>;
  /** The channels that have subscribers. */
  pubsubChannels(pattern?: string): Answer<M, T, string[]>;
  /** How many patterns are subscribed to. */
  pubsubNumpat(): Answer<M, T, number>;
  /** Each channel with how many subscribers it has. */
  pubsubNumsub(...channels: string[]): Answer<M, T, Record<string, number>>;
  /** The shard channels that have subscribers. */
  pubsubShardchannels(pattern?: string): Answer<M, T, string[]>;
  /** Each shard channel with how many subscribers it has. */
  pubsubShardnumsub(...channels: string[]): Answer<M, T, Record<string, number>>;
  /** How many received it. */
  spublish(channel: string, message: Value): Answer<M, T, number>;

  // Server
  /** The categories, or the commands of one. */
  aclCat(category?: string): Answer<M, T, string[]>;
  /** How many users were deleted. */
  aclDeluser(...users: string[]): Answer<M, T, number>;
  /** "OK", or why the user may not. */
  aclDryrun(user: string, command: string, ...args: Value[]): Answer<M, T, string>;
  /** A password of `bits` bits (256 when absent), in hexadecimal. */
  aclGenpass(bits?: number): Answer<M, T, string>;
  /** What is known of the user; `null` when there is none. */
  aclGetuser(user: string): Answer<M, T, Record<string, Reply> | null>;
  /** One line a user. */
  aclList(): Answer<M, T, string[]>;
  /** "OK": read from the file. */
  aclLoad(): Answer<M, T, "OK">;
  /** What was refused lately; `"reset"` forgets it. */
  aclLog(count?: number): Answer<M, T, Record<string, Reply>[]>;
  aclLog(reset: "reset"): Answer<M, T, "OK">;
  /** A REST token for the user (Upstash). */
  aclResttoken(user: string, password: string): Answer<M, T, string>;
  /** "OK": written to the file. */
  aclSave(): Answer<M, T, "OK">;
  /** "OK". */
  aclSetuser(user: string, ...rules: string[]): Answer<M, T, "OK">;
  /** The users. */
  aclUsers(): Answer<M, T, string[]>;
  /** The user of this token. */
  aclWhoami(): Answer<M, T, string>;
  /** How many commands the server has. */
  commandCount(): Answer<M, T, number>;
  /** The documentation of each command, by turns with its name. */
  commandDocs(...names: string[]): Answer<M, T, Reply[]>;
  /** The keys of this command. */
  commandGetkeys(name: string, ...args: Value[]): Answer<M, T, string[]>;
  /** The keys of this command, each with what is done with it. */
  commandGetkeysandflags(name: string, ...args: Value[]): Answer<M, T, [key: string, flags: string[]][]>;
  /** What is known of each command; `null` where there is none. */
  commandInfo(...names: string[]): Answer<M, T, Reply[]>;
  /** The names. */
  commandList(options?: CommandFilter): Answer<M, T, string[]>;
  /** The settings that match the patterns. */
  configGet(...patterns: string[]): Answer<M, T, Record<string, string>>;
  /** "OK": the statistics begin anew. */
  configResetstat(): Answer<M, T, "OK">;
  /** "OK": written to the file. */
  configRewrite(): Answer<M, T, "OK">;
  /** "OK". */
  configSet(settings: Record<string, Value>): Answer<M, T, "OK">;
  /** The message. */
  echo(message: Value): Answer<M, T, string>;
  /** What is known of the server, one `name:value` a line. */
  info(...sections: string[]): Answer<M, T, string>;
  /** When the database was saved, in seconds since the epoch. */
  lastsave(): Answer<M, T, number>;
  /** A report. */
  latencyDoctor(): Answer<M, T, string>;
  /** A graph of the event. */
  latencyGraph(event: string): Answer<M, T, string>;
  /** Each command by turns with its histogram. */
  latencyHistogram(...names: string[]): Answer<M, T, Reply[]>;
  /** The event's last latencies. */
  latencyHistory(event: string): Answer<M, T, [seconds: number, ms: number][]>;
  /** Each event with its last and its largest latency. */
  latencyLatest(): Answer<M, T, [event: string, seconds: number, ms: number, maxMs: number][]>;
  /** How many events were forgotten. */
  latencyReset(...events: string[]): Answer<M, T, number>;
  /** A drawing, and the version. */
  lolwut(options?: { version?: number }): Answer<M, T, string>;
  /** A report. */
  memoryDoctor(): Answer<M, T, string>;
  /** What the allocator tells. */
  memoryMallocStats(): Answer<M, T, string>;
  /** "OK": memory that is not needed was given back. */
  memoryPurge(): Answer<M, T, "OK">;
  /** How much memory is used, and for what, in bytes. */
  memoryStats(): Answer<M, T, Record<string, Reply>>;
  /** How many bytes the key takes; `null` when there is none. */
  memoryUsage(
    key: string,
    options?: { /** How many nested values to measure; 5 when absent, 0 is all. */ samples?: number },
  ): Answer<M, T, number | null>;
  /** "PONG", or the message. */
  ping(message?: Value): Answer<M, T, string>;
  /** The server's role in replication. */
  role(): Answer<M, T, Reply[]>;
  /** The slowest commands of late. */
  slowlogGet(count?: number): Answer<M, T, Reply[]>;
  /** How many there are. */
  slowlogLen(): Answer<M, T, number>;
  /** "OK": they are forgotten. */
  slowlogReset(): Answer<M, T, "OK">;
  /** The server's time: seconds since the epoch, and microseconds of this second. */
  time(): Answer<M, T, [seconds: string, microseconds: string]>;
}

/** One method for each command; each promises the reply. */
export interface Commands extends CommandMethods<"promise", []> {}

/** Commands that travel together; `T` is the tuple of their replies. */
export interface Pipeline<T extends unknown[] = []> extends CommandMethods<"pipeline", T> {
  /** Any command; a reply as Redis sends it, or what the caller says it is. */
  command<R = Reply>(name: string, ...args: Arg[]): Pipeline<[...T, R]>;
  /** The same, its strings byte for byte. */
  commandBytes(name: string, ...args: Arg[]): Pipeline<[...T, Uint8Array | null]>;
  /** Sends all in one request and promises the replies in order; rejects with the first error if a command failed. */
  exec<R extends unknown[] = T>(): Promise<[...R]>;
  /** Sends all in one request and promises how each ended, in order. */
  execSettled<R extends unknown[] = T>(): Promise<{ [I in keyof R]: Settled<R[I]> }>;
}
