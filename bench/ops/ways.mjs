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
 * @typedef {Record<"redis" | "allowing" | "refusing", any>} Clients
 */

/** None of these is allowed to answer from memory: each is a request. @type {Record<"get" | "set" | "limit" | "refused", {ours: (clients: Clients, n: number) => Promise<any>, peer: (clients: Clients, n: number) => Promise<any>}>} */
export const OPS = {
  get: { ours: ({ redis }, n) => redis.get(`bench:${n}`), peer: ({ redis }, n) => redis.get(`bench:${n}`) },
  set: { ours: ({ redis }, n) => redis.set(`bench:${n}`, "a small value"), peer: ({ redis }, n) => redis.set(`bench:${n}`, "a small value") },
  limit: { ours: ({ allowing }) => allowing.check("user"), peer: ({ allowing }) => allowing.limit("user") },
  refused: { ours: ({ refusing }) => refusing.check("user"), peer: ({ refusing }) => refusing.limit("user") },
};

/** @param {Ours} ours @param {Server} server @param {typeof globalThis.fetch} [fetch] @returns {Clients} */
export function oursOf({ Redis, RateLimiter, slidingWindow }, server, fetch) {
  const redis = new Redis({ ...server, fetch });
  const limiter = (/** @type {string} */ name, /** @type {number} */ limit) => new RateLimiter(redis, { name, limits: slidingWindow(limit, "1h"), memory: false, timeout: "5s" });
  return { redis, allowing: limiter("allowing", 1_000_000), refusing: limiter("refusing", 1) };
}

/** @param {Peers} peers @param {Server} server @returns {Clients} */
export function peersOf({ Redis, Ratelimit }, server) {
  const redis = new Redis({ ...server, enableTelemetry: false });
  const limiter = (/** @type {string} */ prefix, /** @type {number} */ limit) => new Ratelimit({ redis, prefix, limiter: Ratelimit.slidingWindow(limit, "1 h"), ephemeralCache: false });
  return { redis, allowing: limiter("peer-allowing", 1_000_000), refusing: limiter("peer-refusing", 1) };
}

/** @param {Asked} asked */
export async function bare({ url, headers, body }) {
  const answer = await fetch(url, { method: "POST", headers, body });
  return answer.arrayBuffer();
}

/** @param {"ours" | "peer"} way @param {Clients} clients @param {Op} op @param {number} tick */
export function ask(way, clients, op, tick) {
  const act = OPS[op][way];
  if (tick === 1) return act(clients, 0);
  const replies = [];
  for (let n = 0; n < tick; n++) replies.push(act(clients, n));
  return Promise.all(replies);
}

/** Does the work, with clients of its own, as handlers have them. @param {Work} work @param {Ours} ours @param {Peers} peers */
export async function run({ server, way, op, tick, times, asked }, ours, peers) {
  if (way === "bare") {
    for (let n = 0; n < times; n++) await bare(/** @type {Asked} */ (asked));
  } else {
    const clients = way === "ours" ? oursOf(ours, server) : peersOf(peers, server);
    for (let n = 0; n < times; n++) await ask(way, clients, op, tick);
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
  const clients = oursOf(ours, server, listening);
  for (let n = 0; n < 3; n++) await ask("ours", clients, op, tick);
  return last;
}
