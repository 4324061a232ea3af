// Values of one size, read in each way: by bare fetch of what our client sends, by our client, and by the peer's at its best
// for that kind of value. Its path says which, and how often; a page is answered to the one who asks.

import { Redis as Peer } from "@upstash/redis/cloudflare";
import { Cache, Redis } from "upstash-edge";

/** What an API gives, so many bytes of JSON. @param {number} size */
function made(size) {
  const row = (/** @type {number} */ id) => ({ id, name: `name ${id}`, tags: ["one", "two"], at: 1_700_000_000_000 + id, text: `some words ${id}` });
  const rows = [];
  for (let length = 2; length < size; ) {
    const next = row(rows.length);
    rows.push(next);
    length += JSON.stringify(next).length + 1;
  }
  return rows;
}

/** A kind of value: who reads it, and how. @typedef {Record<string, (request: Request) => Promise<unknown>>} Kind */
/** @type {Record<string, Kind>} */
let kinds = {};

/** @param {{url: string, token: string, size: number}} begin */
async function begun({ url, token, size }) {
  /** @type {{input: string, init: RequestInit}} */
  let sent = { input: "", init: {} };
  const redis = new Redis({
    url,
    token,
    timeout: "30s",
    fetch: /** @type {typeof fetch} */ ((/** @type {string} */ input, /** @type {any} */ init) => {
      sent = { input, init: { method: "POST", headers: { ...init.headers }, body: init.body } };
      return fetch(input, init);
    }),
  });
  const quick = new Redis({ url, token, timeout: "9s" });
  const options = { url, token, enableTelemetry: false };
  const [plain, parsing] = [new Peer({ ...options, automaticDeserialization: false }), new Peer(options)];
  const value = made(size);
  const text = JSON.stringify(value);
  // Of noise, which nothing can shorten.
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  await Promise.all([redis.set("text", text), redis.set("bytes", bytes), redis.set("base64", bytes.toBase64())]);

  const cache = new Cache(redis, { timeout: "9s", metrics: false });
  const cached = new Cache(quick, { timeout: "9s", metrics: false });
  const key = "page";
  const page = async () => new Response(text, { headers: { "cache-control": "max-age=3600", "content-type": "application/json" } });
  /** Asked once more, what is sent is what will be. @param {() => Promise<unknown>} ask */
  const bare = async (ask) => {
    for (let n = 0; n < 3; n++) await ask();
    const { input, init } = sent;
    return async () => (await fetch(input, init)).arrayBuffer();
  };
  const get = await bare(() => redis.get("text"));
  const getBytes = await bare(() => redis.commandBytes("GET", "bytes"));
  const hit = await bare(async () => (await cache.respond(new Request("https://example.com/page"), page, { key })).arrayBuffer());
  const type = { headers: { "content-type": "application/json" } };
  kinds = {
    string: { bare: get, ours: () => quick.get("text"), peer: () => plain.get("text") },
    JSON: { bare: get, ours: () => quick.getJson("text"), peer: () => parsing.get("text") },
    bytes: { bare: getBytes, ours: () => quick.commandBytes("GET", "bytes"), peer: async () => Uint8Array.fromBase64(/** @type {string} */ (await plain.get("base64"))) },
    response: {
      bare: async () => new Response(await hit(), type),
      ours: (request) => cached.respond(request, () => Promise.reject(new Error("the handler was asked")), { key }),
      peer: async () => new Response(/** @type {string} */ (await plain.get("text")), type),
    },
  };
}

export default {
  /** @param {Request} request */
  async fetch(request) {
    if (request.method === "POST") {
      await begun(await request.json());
      return new Response();
    }
    const [, kind = "", way = "", times = ""] = new URL(request.url).pathname.split("/");
    const read = kinds[kind]?.[way];
    if (!read) return new Response();
    if (kind === "response") return read(request);
    for (let n = 0; n < Number(times); n++) await read(request);
    return new Response();
  },
};
