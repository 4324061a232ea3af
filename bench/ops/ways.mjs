// Three ways to do the same small operations: bare fetch of the bytes that our client sends, our client, and the peer's.
// Runs in every runtime.

/**
 * @typedef {"bare" | "ours" | "peer"} Way
 * @typedef {keyof typeof OPS} Op
 * @typedef {{url: string, headers: Record<string, string>, body: string}} Asked
 * @typedef {{url: string, token: string}} Server
 *
 * @typedef {object} Work
 * @property {Server} server
 * @property {Way} way
 * @property {Op} op
 * @property {number} tick how many of them in one tick
 * @property {number} times how often, one tick after the other
 * @property {Asked} [asked] what bare fetch sends
 *
 * @typedef {{Redis: any, RateLimiter: any, slidingWindow: any}} Ours
 * @typedef {{Redis: any, Ratelimit: any}} Peers
 * @typedef {(n: number) => Promise<any>} Act asks once, the n-th of its tick
 */

/** How each op is asked for, through a client and, where there is one, a limiter made for it. None of these may answer from memory: each is a request. @type {Record<"get" | "set" | "limit" | "refused", (redis: any, limiter: (limit: number) => Act) => Act>} */
export const OPS = {
  get: (redis) => (n) => redis.get(`bench:${n}`),
  set: (redis) => (n) => redis.set(`bench:${n}`, "a small value"),
  limit: (_, limiter) => limiter(1_000_000),
  refused: (_, limiter) => limiter(1),
};

/** @param {Ours} ours @param {Server} server @param {Op} op @param {typeof globalThis.fetch} [fetch] @returns {Act} */
export function oursOf({ Redis, RateLimiter, slidingWindow }, server, op, fetch) {
  const redis = new Redis({ ...server, fetch });
  return OPS[op](redis, (limit) => {
    const limiter = new RateLimiter(redis, { limits: slidingWindow(limit, "1h"), memory: false, timeout: "5s" });
    return () => limiter.check(op);
  });
}

/** @param {Peers} peers @param {Server} server @param {Op} op @returns {Act} */
export function peersOf({ Redis, Ratelimit }, server, op) {
  const redis = new Redis({ ...server, enableTelemetry: false });
  return OPS[op](redis, (limit) => {
    const limiter = new Ratelimit({ redis, prefix: "peer", limiter: Ratelimit.slidingWindow(limit, "1 h"), ephemeralCache: false });
    return () => limiter.limit(op);
  });
}

/** @param {Asked} asked */
export async function bare({ url, headers, body }) {
  const answer = await fetch(url, { method: "POST", headers, body });
  return answer.arrayBuffer();
}

/** @param {Act} act @param {number} tick */
export function ask(act, tick) {
  if (tick === 1) return act(0);
  const replies = [];
  for (let n = 0; n < tick; n++) replies.push(act(n));
  return Promise.all(replies);
}

/** Does the work, with clients of its own, as handlers have them. @param {Work} work @param {Ours} ours @param {Peers} peers */
export async function run({ server, way, op, tick, times, asked }, ours, peers) {
  if (way === "bare") {
    for (let n = 0; n < times; n++) await bare(/** @type {Asked} */ (asked));
  } else {
    const act = way === "ours" ? oursOf(ours, server, op) : peersOf(peers, server, op);
    for (let n = 0; n < times; n++) await ask(act, tick);
  }
}

/** What our client sends for an op, its script known and with a sync token. @param {Ours} ours @param {Server} server @param {Op} op @param {number} tick */
export async function captured(ours, server, op, tick) {
  /** @type {Asked} */
  let last = { url: "", headers: {}, body: "" };
  /** @type {any} */
  const listening = (/** @type {string} */ input, /** @type {any} */ init) => {
    last = { url: input, headers: { ...init.headers }, body: new TextDecoder().decode(init.body) };
    return fetch(input, init);
  };
  const act = oursOf(ours, server, op, listening);
  for (let n = 0; n < 3; n++) await ask(act, tick);
  return last;
}
