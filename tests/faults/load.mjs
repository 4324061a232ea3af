// Callers of a cache, some in every tick whether those before them have their values or not. Runs in Node and in workerd.

const KEYS = 10;
/** Between two ticks, and what the origin takes. */
export const TICK_MS = 20;

const sleep = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * What became of the callers of `ms` milliseconds; of each, how long it waited beside the origin's own time.
 * @param {Pick<typeof import("../../pkg/index.js"), "Cache" | "Redis">} edge
 * @param {{at: {url: string, token: string}, name: string, timeoutMs: number, ms: number}} how
 */
export async function load({ Cache, Redis }, { at, name, timeoutMs, ms }) {
  // Sent once: so each request is one look of a tick.
  const redis = new Redis({ ...at, timeout: "60s", retry: false });
  const cache = new Cache(redis, { name, timeout: /** @type {`${number}ms`} */ (`${timeoutMs}ms`), metrics: false });
  const seen = { callers: 0, hits: 0, withoutValue: 0, added: /** @type {number[]} */ ([]) };
  const ask = async (/** @type {string} */ key) => {
    const started = Date.now();
    let fetching = 0;
    const value = await cache
      .getOrFetch(key, async () => {
        const began = Date.now();
        await sleep(TICK_MS);
        fetching = Date.now() - began;
        return "value";
      })
      .catch(() => undefined);
    seen.callers += 1;
    if (value !== "value") seen.withoutValue += 1;
    else if (fetching === 0) seen.hits += 1;
    seen.added.push(Date.now() - started - fetching);
  };
  const all = [];
  for (const end = Date.now() + ms; Date.now() < end; ) {
    for (let key = 0; key < KEYS; key++) all.push(ask(`${key}`));
    await sleep(TICK_MS);
  }
  await Promise.all(all);
  return seen;
}
