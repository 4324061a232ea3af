// `make bench-cache`: what calls of the cache cost in requests, commands and time inside Redis, and what entries and tags
// take in memory: a million entries, a thousand tags. With QUICK=1 a tenth of the entries.

import { startGateway, startRedis } from "../scripts/stack.mjs";
import { client } from "./lib/redis.mjs";
import { bench } from "./lib/report.mjs";
import { QUICK, quantile } from "./lib/rounds.mjs";

// Built before this is run.
const path = "../pkg/dist/inline.js";
/** @type {typeof import("../pkg/index.js")} */
const { Cache, Redis } = await import(path);

const ENTRIES = QUICK ? 100_000 : 1_000_000;
const CALLS = QUICK ? 300 : 1_000;
const TOKEN = "token-of-the-bench";

/** Puts a copy of KEYS[1] under each of so many keys. */
const COPIES = `
local value, ttl = redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])
for n = ARGV[1], ARGV[2] do redis.call('SET', KEYS[1] .. n, value, 'PX', ttl) end`;

/** @param {number} number */
const shown = (number) => Math.round(number).toLocaleString("en");

await bench("what calls of the cache cost, and what entries and tags take", async (report) => {
  /** @type {string[][]} */
  const calls = [];
  /** @type {string[][]} */
  const sizes = [];
  const take = (/** @type {string} */ what, /** @type {string} */ figures) => void sizes.push([what, figures]);
  const redis = await startRedis();
  const gateway = await startGateway({ redisUrl: redis.url, token: TOKEN });
  const { send, end } = client(redis.port);
  let requests = 0;
  /** @type {typeof fetch} */
  const counted = (input, init) => {
    requests += 1;
    return fetch(input, init);
  };
  const edge = new Redis({ url: gateway.url, token: TOKEN, fetch: counted, timeout: "60s" });
  /** @param {object} [options] */
  const cacheOf = (options) => new Cache(edge, { name: "bench", timeout: "60s", metrics: false, ...options });
  const cache = cacheOf();
  const tags = Array.from({ length: 1_000 }, (_, n) => `tag-${n}`);
  const value = "x".repeat(98);

  await send("CONFIG", "SET", "slowlog-max-len", "100000");

  /** What `act` cost, called so often: requests and commands a call, and how long its scripts ran. @param {string} name @param {(n: number) => Promise<unknown>} act */
  async function cost(name, act) {
    // The scripts are learnt.
    await act(-1);
    await send("CONFIG", "RESETSTAT");
    await send("CONFIG", "SET", "slowlog-log-slower-than", "0");
    const before = requests;
    for (let n = 0; n < CALLS; n++) await act(n);
    const trips = (requests - before) / CALLS;
    const stats = await send("INFO", "commandstats");
    const inside = [...stats.matchAll(/cmdstat_([a-z]+):calls=(\d+)/g)].flatMap(([, command, count]) =>
      /^(evalsha|info|slowlog|config)$/.test(command) ? [] : [`${Number((count / CALLS).toFixed(2))} ${command.toUpperCase()}`],
    );
    const log = await send("SLOWLOG", "GET", 100_000);
    // It would take memory of its own, for the commands inside scripts too.
    await send("CONFIG", "SET", "slowlog-log-slower-than", "-1");
    await send("SLOWLOG", "RESET");
    const times = log.filter((/** @type {any} */ entry) => entry[3][0] === "EVALSHA").map((/** @type {any} */ entry) => entry[2]);
    times.sort((/** @type {number} */ a, /** @type {number} */ b) => a - b);
    calls.push([name, `${trips}`, inside.sort().join(", "), `${quantile(times, 0.5)}`, `${quantile(times, 0.99)}`]);
  }

  const stale = cacheOf({ name: "stale", ttl: "1ms", staleWhileRevalidate: "1h" });
  await cache.set("hit", value);
  await cache.set("tagged", value, { tags: tags.slice(0, 3) });
  await cost("hit", () => cache.getOrFetch("hit", () => value));
  await cost("hit of 3 tags", () => cache.getOrFetch("tagged", () => value));
  await stale.set("stale", value);
  await cost("stale hit, refreshed behind the answer", async () => {
    /** @type {Promise<unknown>[]} */
    const rest = [];
    await stale.getOrFetch("stale", () => value, { waitUntil: (promise) => void rest.push(promise) });
    await Promise.all(rest);
    await new Promise((resolve) => setTimeout(resolve, 2));
  });
  await cost("miss", (n) => cache.getOrFetch(`miss ${n}`, () => value));
  await cost("miss of 3 tags", (n) => cache.getOrFetch(`tagged miss ${n}`, () => value, { tags: tags.slice(0, 3) }));
  await cost("set", () => cache.set("set", value));
  await cost("set of 3 tags", () => cache.set("set", value, { tags: tags.slice(0, 3) }));
  await cost("delete", () => cache.delete("set"));

  for (const size of [100, 1_000, 10_000]) {
    const text = "x".repeat(size - 2);
    const plain = cacheOf({ name: "size", compressAbove: false });
    await send("SET", "{size:0}:e:bare", JSON.stringify(text), "PX", 3_600_000);
    await plain.set("0tags", text);
    await plain.set("1tags", text, { tags: tags.slice(0, 1) });
    await plain.set("3tags", text, { tags: tags.slice(0, 3) });
    const key = (/** @type {string} */ name) => `{size:0}:e:${name}`;
    const bytes = await Promise.all(["bare", "0tags", "1tags", "3tags"].map((name) => send("MEMORY", "USAGE", key(name))));
    const header = await Promise.all(["0tags", "1tags", "3tags"].map(async (name) => (await send("STRLEN", key(name))) - size));
    take(`an entry of ${shown(size)} bytes`, `${bytes[0]} bytes of memory bare, ${bytes.slice(1).join(", ")} with 0, 1, 3 tags; header ${header.join(", ")} bytes`);
  }

  await send("FLUSHALL");
  await cache.invalidateTags(...tags);
  take("the hash of tags, 1,000 invalidated", `${shown(await send("MEMORY", "USAGE", "{bench:0}:t", "SAMPLES", "0"))} bytes`);
  for (let n = 0; n < 12; n++) await cache.invalidateTags(...tags.map((tag) => `${tag} ${n}`));
  const fields = await send("HLEN", "{bench:0}:t");
  take("the hash of tags, after 13,000", `${shown(fields)} fields, ${shown(await send("MEMORY", "USAGE", "{bench:0}:t", "SAMPLES", "0"))} bytes`);

  await send("FLUSHALL");
  await cache.set("k", value, { tags: ["all", ...tags.slice(0, 2)] });
  const memory = async () => Number(/used_memory:(\d+)/.exec(await send("INFO", "memory"))?.[1]);
  let held = 1;
  for (const entries of [1_000, ENTRIES / 10, ENTRIES]) {
    const [before, more] = [await memory(), entries - held];
    for (; held < entries; ) {
      const last = Math.min(entries, held + 10_000);
      await send("EVAL", COPIES, 1, "{bench:0}:e:k", held, last - 1);
      held = last;
    }
    const each = ((await memory()) - before) / more;
    take(`${shown(entries)} entries`, `${Math.round(each)} bytes of memory each of 100 bytes of JSON with 3 tags, key and expiry included`);
    await cost(`invalidating 1 tag of ${shown(entries)} entries`, () => cache.invalidateTags("all"));
    await cost(`invalidating 1,000 tags of ${shown(entries)} entries`, () => cache.invalidateTags(...tags));
    const keys = Array.from({ length: 500 }, (_, n) => `k${1 + Math.floor((n * (entries - 1)) / 500)}`);
    const served = (await cache.getMany(keys)).filter((value) => value !== undefined).length;
    if (served > 0) throw new Error(`${served} of what was invalidated is served`);
  }
  report.table("What a call costs", ["", "round trips", "commands inside", "script p50 us", "p99"], calls);
  report.table("What is held", ["", ""], sizes);
  end();
});
