// Three ways to ask for the same values. Runs in every runtime.

/**
 * @typedef {"bare" | "ours" | "peer"} Way
 * @typedef {"one" | "many"} Shape one get at a time, or `MANY` of them in one tick
 * @typedef {{url: string, headers: Record<string, string>, body: string}} Asked
 *
 * @typedef {object} Server
 * @property {string} url
 * @property {string} token
 * @property {Record<Shape, Asked>} asked what our client sends, for bare fetch to send the same
 *
 * @typedef {object} Work
 * @property {Server} server
 * @property {Way} way
 * @property {Shape} shape
 * @property {number} times
 *
 * @typedef {new (options: any) => {get(key: string): Promise<any>}} Client
 */

const KEY = "bench:ops";
/** @type {Record<Shape, number>} */
export const GETS = { one: 1, many: 100 };

/** Puts there what is asked for. @param {{url: string, token: string}} server */
export async function fill({ url, token }) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(["SET", KEY, "a small value"]) });
  if (!answer.ok) throw new Error(await answer.text());
}

/** @param {{get(key: string): Promise<unknown>}} client @param {Shape} shape */
export function ask(client, shape) {
  if (shape === "one") return client.get(KEY);
  const replies = [];
  for (let n = 0; n < GETS.many; n++) replies.push(client.get(KEY));
  return Promise.all(replies);
}

/** Does the work, one request after the other, with a client of its own. @param {Work} work @param {{ours: Client, peer: Client}} clients */
export async function run({ server, way, shape, times }, { ours, peer }) {
  const asking = way === "bare" ? bare(server, shape) : through(way === "ours" ? ours : peer, server, shape);
  for (let n = 0; n < times; n++) await asking();
}

/** @param {Server} server @param {Shape} shape */
export function bare({ asked }, shape) {
  const { url, headers, body } = asked[shape];
  return async () => {
    const answer = await fetch(url, { method: "POST", headers, body });
    return answer.arrayBuffer();
  };
}

/** @param {Client} Redis @param {Server} server @param {Shape} shape */
function through(Redis, { url, token }, shape) {
  const client = new Redis({ url, token, enableTelemetry: false });
  return () => ask(client, shape);
}

/** What our client sends once it has a sync token. @param {Client} Redis @param {{url: string, token: string}} server */
export async function captured(Redis, { url, token }) {
  /** @type {Asked} */
  let last = { url: "", headers: {}, body: "" };
  /** @param {string} input @param {any} init */
  const listening = (input, init) => {
    last = { url: input, headers: { ...init.headers }, body: new TextDecoder().decode(init.body) };
    return fetch(input, init);
  };
  const client = new Redis({ url, token, fetch: listening });
  await ask(client, "one");
  await ask(client, "one");
  const one = last;
  await ask(client, "many");
  return { one, many: last };
}
