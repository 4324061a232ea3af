// From traffic to commands and dollars. The counts are those that tests/docs/cost.test.mjs reads from a Redis after each call.

/** Commands as a database bills them: those inside a script too. */
export const COMMANDS = {
  ours: { allowed: 3, refused: 2, remembered: 0, hit: 2, miss: 8, load: 4, save: 4 },
  peers: { allowed: 4, refused: 3, remembered: 0, hit: 1, miss: 2, load: 1, save: 1 },
};

/** Upstash's pay-as-you-go plan as its page had it in November 2026, in dollars. */
export const PRICES = { per100k: 0.2, perGb: 0.25, freeGb: 1, perTrafficGb: 0.03, freeTrafficGb: 200 };

/** What a month brings. Shares are in percent. */
export const TRAFFIC = { requests: 10_000_000, refused: 2, remembered: 50, cached: 100, hits: 90, sessions: 40, saves: 5, storedGb: 1, kilobytes: 4 };

/**
 * @param {typeof COMMANDS.ours} commands @param {typeof TRAFFIC} traffic @param {typeof PRICES} prices
 * @returns {{limits: number, cache: number, sessions: number, commands: number, dollars: number}}
 */
export function cost(commands, traffic, prices) {
  const part = (/** @type {number} */ of, /** @type {number} */ percent) => (of * percent) / 100;
  const refused = part(traffic.requests, traffic.refused);
  const remembered = part(refused, traffic.remembered);
  // A request that is refused asks nothing else.
  const served = traffic.requests - refused;
  const limits = served * commands.allowed + (refused - remembered) * commands.refused + remembered * commands.remembered;
  const cached = part(served, traffic.cached);
  const hits = part(cached, traffic.hits);
  const cache = hits * commands.hit + (cached - hits) * commands.miss;
  const sessions = part(served, traffic.sessions) * commands.load + part(served, traffic.saves) * commands.save;
  const total = limits + cache + sessions;
  const trafficGb = (cached * traffic.kilobytes) / 1_000_000;
  const dollars =
    (total / 100_000) * prices.per100k +
    Math.max(0, traffic.storedGb - prices.freeGb) * prices.perGb +
    Math.max(0, trafficGb - prices.freeTrafficGb) * prices.perTrafficGb;
  return { limits, cache, sessions, commands: total, dollars };
}
