// The types of the prompt cache, by hand.

import type { Duration, Redis } from "./index.js";

export interface PromptCacheOptions {
  /** The namespace of its keys. Default `"prompts"`. */
  name?: string;
  /** How long an answer is kept. Default `"24h"`. */
  ttl?: Duration;
  /** Up to which temperature answers are kept: above it they are meant to vary. Default 0. */
  maxTemperature?: number;
  /** How long Redis is waited for: after it a read is a miss. Default `"500ms"`. */
  timeout?: Duration;
}

/**
 * What was asked: all of it counts. What differs in anything, a parameter or a space, is another question; the order of
 * properties is nothing, and one that is `undefined` is absent.
 */
export interface PromptQuestion {
  /** The prompt, or the messages. */
  prompt: unknown;
  model: string;
  /** Without one a question counts as one of temperature 0. */
  temperature?: number;
  /** Everything else that changes the answer: the system's prompt, tools, a seed. What JSON can hold. */
  [parameter: string]: unknown;
}

export interface PromptAnswer<T> {
  data: T;
  metadata: {
    /** How many tokens it took. */
    tokensUsed: number;
    /** When it was stored, in ISO 8601. */
    cachedAt: string;
    /** How often it was served, this time included. */
    hits: number;
  };
}

/**
 * Answers of a language model, found again by exactly the same question: by the SHA-256 of its canonical JSON (RFC 8785),
 * the same in the Rust crate. Making one does nothing. All answers of one name lie in one slot of a cluster.
 */
export declare class PromptCache {
  /** @throws EdgeError `invalid_config`, naming the option */
  constructor(redis: Redis, options?: PromptCacheOptions);
  /**
   * The answer, or `undefined`: where there is none, where the question is hotter than `maxTemperature`, with `bypass`, and
   * where Redis fails or is too slow. One EVALSHA, in it one HMGET, and three HINCRBYs for a hit or one for a miss. `bypass` asks nobody and counts
   * nothing: for an answer that is to be made anew, which `set` then puts in the place of the old one.
   *
   * Rejects with `invalid_argument` for what is no question.
   */
  get<T = unknown>(question: PromptQuestion, options?: { bypass?: boolean }): Promise<PromptAnswer<T> | undefined>;
  /**
   * Keeps an answer, in the place of an earlier one, unless its question is hotter than `maxTemperature`. One EVALSHA, in it
   * HSET and PEXPIRE. Who writes is told: it rejects with what befell the request.
   */
  set<T>(question: PromptQuestion, data: T, metadata: { tokensUsed: number }): Promise<void>;
  /**
   * What all isolates asked for and found since the name was first used. `hitRate` is 0 to 1, 0 when nothing was asked;
   * `tokensSaved` are the tokens that each answer had taken, each time it was found. One round trip.
   */
  stats(): Promise<{ hits: number; misses: number; hitRate: number; tokensSaved: number }>;
}
