// The types of migrations, by hand.

import type { Duration } from "./index.js";

/**
 * Any store: what is absent is `undefined`, and `null` is a value. Its methods may be synchronous; a failure is what they
 * throw. A `Cache` is one; a D1 table or a `Map` becomes one by a few lines.
 */
export interface Store<T> {
  get(key: string): T | undefined | Promise<T | undefined>;
  /** `options` is what `Migration.set` was given; a back-fill has none. */
  set(key: string, value: T, options?: any): unknown;
  delete(key: string): unknown;
}

export interface MigrationOptions {
  /** Of which share of the keys the new store answers reads, in percent, 0 to 100 and parts thereof. Default 0. */
  share?: number;
  /** Which share of the reads asks both stores and compares, in percent. Default 0. */
  compare?: number;
  /** Whether what only the old store has is put into the new one. Default `true`. */
  backfill?: boolean;
  /** How long the new store may keep a read or a write waiting; the old store then decides. Default `"500ms"`. */
  timeout?: Duration;
  /**
   * Where `ENABLE_REDIS_CACHE` is looked up, at each call: unset, empty, `true` and `1` are on, anything else is off, and off
   * the new store is asked nothing. Default `process.env` where there is one.
   */
  env?: object;
  /**
   * Takes what need not be waited for: back-fills, comparisons, writes of keys that the old store answers. Without one a
   * call waits for them, within `timeout`. In a server of Node: `(work) => void work`.
   */
  waitUntil?: (promise: Promise<unknown>) => void;
}

export interface Quantiles {
  count: number;
  /** A fifth too much at most; 0 when nothing was counted. */
  p50Ms: number;
  p99Ms: number;
}

/** What this isolate has counted since the migration was made. */
export interface MigrationStats {
  /** `off` by the switch, `parallel` at 0 %, `shift` between, `cutover` at 100 %. */
  phase: "off" | "parallel" | "shift" | "cutover";
  share: number;
  /**
   * By who answered: the old store for its own keys, the new one, the old one where the new one `missed`, where it `failed`
   * or was late, and where the switch is off.
   */
  reads: { old: number; new: number; missed: number; failed: number; switchedOff: number };
  /**
   * Writes and deletes that the old store took: `both` took, those the new one `failed`, those the switch kept from it; `late`
   * ones count as either, too, once they have ended.
   */
  writes: { both: number; late: number; failed: number; switchedOff: number };
  /** `undone`: a write overtook it, and it was deleted again. */
  backfills: { done: number; undone: number; failed: number };
  /** Comparisons: `missing` in the new store alone; `different` ones were deleted there. */
  compared: { same: number; different: number; missing: number; failed: number };
  /** Of how many keys the new store may hold what is overtaken: the old one answers them, until they are deleted in the new one. */
  doubted: number;
  /** Of how many more that had to be forgotten: above 10,000 the oldest are. */
  forgotten: number;
  /** Of reads, asked for or to compare. */
  latency: { old: Quantiles; new: Quantiles };
}

/**
 * An old store beside a new one, usually a `Cache`: writes go to both, reads to the new one by a share of the keys, the rest
 * and whatever it cannot answer to the old one. Until the migration is over the old store is right: what it took is done,
 * what it answers stands, its failures are the caller's; the new one's never are. Making one does nothing.
 *
 * Which key is read where is told by a hash of it, everywhere the same, also in the Rust crate: a greater share moves more
 * keys, and none back.
 */
export declare class Migration<T = any> {
  /** @throws EdgeError `invalid_config`, naming the argument */
  constructor(from: Store<T>, to: Store<NoInfer<T>>, options?: MigrationOptions);
  /** The same migration, its share and its counts, for one request: with stores, an `env` or a `waitUntil` of its own. */
  with(view: { from?: Store<T>; to?: Store<T>; env?: object; waitUntil?: (promise: Promise<unknown>) => void }): Migration<T>;
  /** In percent; may be set at any time, for this isolate. @throws EdgeError `invalid_config` */
  share: number;
  readonly phase: MigrationStats["phase"];
  /** Rejects with what the old store rejects with, when it had to be asked. */
  get(key: string): Promise<T | undefined>;
  /**
   * Writes to the old store, then to the new one, then looks whether the old one still has it. Rejects when the old store does;
   * the new store's entry is then deleted, for nobody knows what the old one has.
   */
  set(key: string, value: T, options?: any): Promise<void>;
  /** The same of a deletion. */
  delete(key: string): Promise<void>;
  /** Plain data. */
  stats(): MigrationStats;
}
