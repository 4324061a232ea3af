// The types of `upstash-edge/queue`, by hand.

import type { Duration, Redis } from "./index.js";

export { EdgeError } from "./commands.js";

export interface QueueOptions {
  /** For how long who takes a job has it. Default `"30s"`. Work that takes longer extends its lease, or is done twice. */
  lease?: Duration;
  /** How often a job is taken at most before it is dead, 1 to 1000. Default 5. */
  attempts?: number;
  /**
   * How long a job that failed waits: a random half to whole of `base` (default `"1s"`), which doubles with each attempt up to
   * `max` (default `"1h"`).
   */
  backoff?: { base?: Duration; max?: Duration };
  /** How many dead jobs are kept, 1 to 1,000,000; beyond it the longest dead are deleted. Default 1000. */
  deadLimit?: number;
  /** For how long an idempotency key holds, from its first use on. Default `"24h"`. */
  keyWindow?: Duration;
  /** How long each call waits for Redis, `"30s"` at most: what is sent again is known for 60 s. Default `"5s"`. */
  timeout?: Duration;
}

/** When a job may be taken, at once if nothing is said, and its idempotency key. */
export type EnqueueOptions = {
  /** Of 1 to 128 bytes: while it holds no other job with it is added, whatever became of this one. */
  key?: string;
} & (
  | { /** After so long, by Redis's clock. */ delay?: Duration; at?: undefined }
  | { /** From this moment on, in epoch milliseconds. */ at?: number; delay?: undefined }
);

export interface Enqueued {
  /** The job's; where its key was there before, that of the job that came with it. */
  id: string;
  /** Whether it is this job's. */
  added: boolean;
}

/** A job in hand. */
export interface Job<T = unknown> {
  /** That of a job that repeats is `*` and the id it was scheduled by. */
  readonly id: string;
  readonly payload: T;
  /** How often it was taken, this time included. */
  readonly attempts: number;
  /** Until when it is leased, in epoch milliseconds of Redis's clock. */
  readonly leasedUntil: number;
}

export interface DeadJob<T = unknown> {
  id: string;
  payload: T;
  /** How often it was taken. */
  attempts: number;
  /** Since when it is dead, in epoch milliseconds of Redis's clock. */
  diedAt: number;
  /** Of what, as it was told; up to 200 bytes. */
  reason: string;
}

export interface QueueCounts {
  /** They wait no longer; those whose lease has ended are among them. */
  ready: number;
  /** They wait: for their time, another attempt, or their next turn. */
  delayed: number;
  /** They are worked on. */
  leased: number;
  dead: number;
  /** For how long the oldest has been ready, in milliseconds; 0 when none is. */
  oldestReadyMs: number;
}

export interface DrainOptions {
  /** So many jobs at most. Default: all that are ready. */
  limit?: number;
  /** So many at once, 1 to 1000. Default 10. */
  concurrency?: number;
  /** None is begun from this moment on, in epoch milliseconds. What is begun is finished. */
  until?: number;
  /** Keeps the runtime alive until it has ended: `(work) => context.waitUntil(work)`. */
  waitUntil?: (work: Promise<unknown>) => void;
}

/** What a handler is given beside its job. */
export interface JobContext {
  /** Aborts when the lease ends: another may have the job from then on. */
  signal: AbortSignal;
  /** Has the job for so long from now on; `false`: it is another's already. */
  extend(lease: Duration): Promise<boolean>;
}

/** What became of the jobs that were taken. */
export interface Drained {
  done: number;
  /** Failed, and to be taken again. */
  retried: number;
  /** Failed for the last time. */
  dead: number;
  /** Ended when their lease was another's already, or when Redis could not be told: they are done again, or were. */
  lost: number;
}

/**
 * A queue of jobs that are done at least once: who takes one has it on lease, and when the lease ends before the job is settled,
 * another takes it. Making one does nothing.
 *
 * Leases begin and end by Redis's clock. A payload is what JSON can hold, up to 64 KiB of it. Each call is one request, and joins
 * the others of its tick; it rejects with what befell the request, and with `invalid_argument` for what it is not for.
 *
 * ```ts
 * import { Redis } from "upstash-edge";
 * import { Queue } from "upstash-edge/queue";
 *
 * const mail = (env) => new Queue<{ to: string }>(Redis.fromEnv(env), "mail");
 * export default {
 *   async fetch(request, env) {
 *     await mail(env).enqueue({ to: "ada@example.com" }, { key: "welcome-ada" });
 *     return new Response("on its way");
 *   },
 *   async scheduled(event, env) {
 *     await mail(env).drain((job, { signal }) => send(job.payload, { signal }), { until: Date.now() + 25_000 });
 *   },
 * };
 * ```
 */
export declare class Queue<T = unknown> {
  /**
   * @param redis of any entry of this package
   * @param name of 1 to 128 bytes
   * @throws EdgeError `invalid_config` or `invalid_argument`, naming the option
   */
  constructor(redis: Redis, name: string, options?: QueueOptions);
  /** Adds a job. Sent again after a lost answer it is not added twice. */
  enqueue(payload: T, options?: EnqueueOptions): Promise<Enqueued>;
  /** Adds jobs, up to 1000, in their order: all of them or none. */
  enqueueMany(jobs: ({ payload: T } & EnqueueOptions)[]): Promise<Enqueued[]>;
  /** Leases up to `n` jobs, 1 to 1000: those whose lease has ended, then those that are ready, the longest first. */
  take(n: number): Promise<Job<T>[]>;
  /** It is done. `false`: its lease ended, and it is another's or gone; nothing was done to it. */
  ack(job: Job<T>): Promise<boolean>;
  /**
   * It is to be taken again after `delay` (default: the backoff); when it was taken for the last time it is dead, of `reason`.
   * `false` as of {@link ack}.
   */
  retry(job: Job<T>, options?: { delay?: Duration; reason?: string }): Promise<boolean>;
  /** It is dead, without another attempt. `false` as of {@link ack}. */
  bury(job: Job<T>, reason: string): Promise<boolean>;
  /** It is leased for so long from now on. `false` as of {@link ack}. */
  extend(job: Job<T>, lease: Duration): Promise<boolean>;
  /**
   * A job that repeats, by an `id` of 1 to 128 bytes: it is taken at the multiples of `every` since the epoch, by Redis's clock,
   * never while it is still worked on, and once for all that were missed. Said again, by each deploy, it is the same one;
   * another payload holds from the next time on, another interval at once.
   */
  schedule(id: string, every: Duration, payload: T): Promise<void>;
  /** Ends a job that repeats, also where it is worked on. */
  unschedule(id: string): Promise<void>;
  /** Dead jobs, up to `n`, 1 to 1000, the last to die first. */
  dead(n: number): Promise<DeadJob<T>[]>;
  /** Lets dead jobs be taken again, as if for the first time: those of these ids, or up to 1000, the longest dead first. How many. */
  requeue(ids?: string[]): Promise<number>;
  /** Deletes dead jobs: those of these ids, or up to 1000, the longest dead first. How many. */
  purge(ids?: string[]): Promise<number>;
  /** How many jobs there are of each kind, at one moment. */
  counts(): Promise<QueueCounts>;
  /**
   * Takes what is ready and has `handler` do it, several at once, until there is none or a bound is reached. A job whose handler
   * throws or rejects is retried, and in the end dead, of the error's message. Rejects when a take failed, after all that was
   * begun has ended.
   */
  drain(handler: (job: Job<T>, context: JobContext) => unknown, options?: DrainOptions): Promise<Drained>;
}
