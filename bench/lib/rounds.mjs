// Ways of doing the same work, measured in turns, so that what else the machine does strikes all alike; and what is made of
// the measurements.

import { readdirSync, readFileSync } from "node:fs";

/** A short run: fewer rounds, less work in each, the same lines. */
export const QUICK = Boolean(process.env.QUICK);

/** @template T @param {T} full @param {T} quick */
export const sized = (full, quick) => (QUICK ? quick : full);

/**
 * Runs every way once a round, A B C, then B C A, and so on; what each measured, by round.
 * @template {string} W @template {Record<string, number>} M
 * @param {Record<W, () => Promise<M>>} ways @param {number} rounds
 * @param {number} [warm] rounds before them, for compilers, connections and scripts
 * @returns {Promise<Record<W, M[]>>}
 */
export async function inTurns(ways, rounds, warm = 2) {
  const names = /** @type {W[]} */ (Object.keys(ways));
  const measured = /** @type {Record<W, M[]>} */ (/** @type {unknown} */ (Object.fromEntries(names.map((name) => [name, []]))));
  for (let round = -warm; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = /** @type {W} */ (names[(turn + round + warm) % names.length]);
      const one = await ways[name]();
      if (round >= 0) measured[name].push(one);
    }
  }
  return measured;
}

/** @param {readonly number[]} numbers */
export const ascending = (numbers) => [...numbers].sort((a, b) => a - b);

/** @param {readonly number[]} sorted @param {number} share 0.5 is the median */
export const quantile = (sorted, share) => sorted[Math.floor((sorted.length - 1) * share)] ?? NaN;

/** @param {readonly number[]} numbers */
export const median = (numbers) => quantile(ascending(numbers), 0.5);

/** Half the distance between the quartiles, as a share of the median. @param {readonly number[]} numbers */
export function spread(numbers) {
  const sorted = ascending(numbers);
  return (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 2 / quantile(sorted, 0.5);
}

/**
 * The median of the rounds' ratios, and between what it lies, 95 times of 100, by the ranks of a binomial distribution.
 * @param {readonly number[]} ours @param {readonly number[]} theirs
 */
export function ratio(ours, theirs) {
  const ratios = ascending(ours.map((one, round) => one / (theirs[round] ?? NaN)));
  const rank = Math.max(0, Math.floor((ratios.length - 1.96 * Math.sqrt(ratios.length)) / 2));
  return { ratio: quantile(ratios, 0.5), low: ratios[rank] ?? NaN, high: ratios[ratios.length - 1 - rank] ?? NaN };
}

/**
 * Whether it cannot be told which is ahead, nor that the two are level to a twentieth.
 * @param {{low: number, high: number}} interval
 */
export const swamped = ({ low, high }) => !(high - low <= 0.1) && !(low > 1) && !(high < 1);

/** The time that all threads of a process have run, in microseconds. @param {number} pid */
export function cpuOf(pid) {
  const folder = `/proc/${pid}/task`;
  const times = readdirSync(folder).map((thread) => {
    try {
      return Number(readFileSync(`${folder}/${thread}/schedstat`, "utf8").split(" ")[0]);
    } catch {
      // It has ended in between.
      return 0;
    }
  });
  return times.reduce((sum, time) => sum + time, 0) / 1000;
}

/** What a process holds in memory, in bytes. @param {number} pid */
export const memoryOf = (pid) => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;

/**
 * Runs `act` so often from each of so many callers, one call after the other; microseconds of each, sorted, and all of it.
 * @param {number} callers @param {number} times @param {(n: number) => Promise<unknown>} act
 */
export async function called(callers, times, act) {
  /** @type {number[]} */
  const each = [];
  const began = performance.now();
  let next = 0;
  const caller = async () => {
    for (let n = 0; n < times; n++) {
      const start = performance.now();
      await act(next++);
      each.push((performance.now() - start) * 1000);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { sorted: ascending(each), us: (performance.now() - began) * 1000, calls: callers * times };
}
