// The types of leaderboards, by hand.

import type { Duration, Redis } from "./index.js";

/** Of what time a board's scores are: days of UTC, weeks of ISO 8601 (Monday to Sunday, in UTC). */
export type LeaderboardWindow = "all" | "day" | "week";

export interface LeaderboardOptions {
  /** Which boards each call writes. The first is the one that is told and read where no other is asked for. Default `["all"]`. */
  windows?: LeaderboardWindow[];
  /**
   * How long the board of a day or a week is kept beyond its end. Default `"7d"`. It holds for boards whose first score is
   * written after it is set.
   */
  keep?: Duration;
}

/** Which board is read. */
export interface WhichBoard {
  /** Default: the first of `windows`. */
  window?: LeaderboardWindow;
  /** The day or week of this moment, in epoch milliseconds. Default: now, by this clock. */
  at?: number;
}

export interface RankedMember {
  member: string;
  score: number;
  /** From 1, the highest score. */
  rank: number;
}

/**
 * Members by score, the highest first, on one board or on one for each window. Making one does nothing.
 *
 * Equal scores rank by who came to that score first, in the order in which Redis ran the calls: no clock is asked, and no two
 * come at once. A score that does not change keeps its place. One that changes, down or back to what it once was, comes anew,
 * behind those who stand there.
 *
 * Scores are any numbers from -(2^53 - 1) to 2^53 - 1, kept to the last bit; members have 1 to 128 bytes. Each call is one
 * request, and joins the others of its tick; one that writes writes all boards or none. It rejects with what befell the
 * request, and with `invalid_argument` for what is no score, member or count.
 *
 * ```ts
 * const quiz = new Leaderboard(redis, "quiz", { windows: ["all", "day"] });
 * const [score, rank] = await Promise.all([quiz.increment("ada", 10), quiz.rank("ada")]);
 * const today = await quiz.top(10, { window: "day" });
 * ```
 */
export declare class Leaderboard {
  /** @throws EdgeError `invalid_config` or `invalid_argument`, naming the option */
  constructor(redis: Redis, name: string, options?: LeaderboardOptions);
  /**
   * Sets a member's score on each board; with `best` only where its own is not greater. Resolves to the score that stands
   * then on the first. `at`: of which day and week the score is, in epoch milliseconds.
   */
  add(member: string, score: number, options?: { best?: boolean; at?: number }): Promise<number>;
  /**
   * Adds to a member's score on each board, from 0 on. Resolves to the sum on the first; one beyond 2^53 - 1 is
   * `invalid_argument`, and nothing is written. Sent again after a lost answer it is not added twice.
   */
  increment(member: string, by: number, options?: { at?: number }): Promise<number>;
  /** Takes a member off each board. */
  remove(member: string, options?: { at?: number }): Promise<void>;
  /** The best `n`, 1 to 1000. */
  top(n: number, which?: WhichBoard): Promise<RankedMember[]>;
  /** A member and up to `n`, 0 to 1000, to each side of it; `[]` when it is not on the board. */
  around(member: string, n: number, which?: WhichBoard): Promise<RankedMember[]>;
  /** A member's rank, from 1; `undefined` when it is not on the board. */
  rank(member: string, which?: WhichBoard): Promise<number | undefined>;
  /** A member's score; `undefined` when it is not on the board. */
  score(member: string, which?: WhichBoard): Promise<number | undefined>;
  /** How many members the board has. */
  count(which?: WhichBoard): Promise<number>;
}
