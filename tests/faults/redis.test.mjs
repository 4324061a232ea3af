// A Redis that fails in each of its own ways, and what every part of the package makes of it. With WRITE, the table of
// docs/reliability.md is what this run found; without, it must be what is there.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startGateway, startRedis } from "../../scripts/stack.mjs";
import { written } from "./reliability.mjs";

// Built before the tests are run, and typed by hand.
const path = "../../pkg/dist/inline.js";
/** @type {typeof import("../../pkg/index.js")} */
const { Cache, RateLimiter, Redis, Sessions, health, slidingWindow } = await import(path);

const token = "token-of-the-tests";
/** More than a loaded machine takes, and what who asks a frozen Redis waits. */
const PATIENCE = "3s";
const SECRET = "a secret of the tests that is 32 bytes long or more";
const folder = mkdtempSync(join(tmpdir(), "upstash-edge-redis-"));
const DURABLE = ["--dir", folder, "--appendonly", "yes", "--appendfsync", "always"];

/** @type {{url: string, token: string}} */
let at = { url: "", token };
/** What is ended with the tests, the last first. @type {(() => unknown)[]} */
const ends = [() => rmSync(folder, { recursive: true, force: true })];
after(async () => {
  for (const end of ends.reverse()) await end();
});

/** @param {string} redisUrl */
async function gatewayOf(redisUrl) {
  const gateway = await startGateway({ redisUrl, token });
  ends.push(() => gateway.stop());
  return gateway;
}

/** @param {string[]} [settings] @param {number} [port] */
async function redisWith(settings, port) {
  const redis = await startRedis({ settings, port });
  ends.push(() => redis.stop());
  return redis;
}

let redis = await redisWith(DURABLE);
const gateway = await gatewayOf(redis.url);
at.url = gateway.url;

/** A client that sends once: what it is told is what Redis said. @param {object} [options] */
const client = (options) => new Redis({ ...at, retry: false, timeout: PATIENCE, ...options });

/** What stands in Redis before it fails: a value, an entry of a cache, a session. */
async function furnish() {
  const redis = client();
  await redis.set("value", "kept");
  await new Cache(redis, { name: "warm" }).set("entry", "stored");
  const session = await new Sessions(redis, { secrets: [SECRET] }).load("");
  session.login("ada");
  return (await session.save()).map((cookie) => cookie.split(";")[0]).join("; ");
}

/** What each part does now. @param {string} cookie @param {{url: string, token: string}} [where] */
async function each(cookie, where = at) {
  // A client each: what one learns of its server is not the next one's affair.
  const redis = () => client(where);
  const id = crypto.randomUUID();
  const cache = new Cache(redis(), { name: "warm", metrics: false, timeout: PATIENCE });
  const checked = async (/** @type {"allow" | "deny" | "local"} */ onFailure) => {
    const limiter = new RateLimiter(redis(), { limits: [slidingWindow(5, "1h")], onFailure, timeout: PATIENCE });
    const { allowed, source } = await limiter.check(id);
    return `${allowed ? "allowed" : "refused"}, ${source}`;
  };
  const sessions = new Sessions(redis(), { secrets: [SECRET] });
  const saved = async () => {
    const session = await sessions.load("");
    session.login("grace");
    return (await session.save()).length ? "ok" : "nothing";
  };
  const asked = {
    get: redis().get("value").then((value) => (value === "kept" ? "ok" : `${value}`)),
    set: redis().set("other", "value").then(() => "ok"),
    "limiter: allow": checked("allow"),
    deny: checked("deny"),
    local: checked("local"),
    "cache: stored": cache.getOrFetch("entry", () => "fetched"),
    missing: cache.getOrFetch(id, () => "fetched"),
    "session: load": sessions.load(cookie).then(({ userId, status }) => (userId === "ada" ? "ok" : status)),
    login: saved(),
    health: health(redis(), { timeout: PATIENCE }).then(({ status }) => status),
  };
  const found = await Promise.all(Object.entries(asked).map(async ([part, told]) => [part, await told.catch(({ code }) => code)]));
  return /** @type {Record<keyof typeof asked, string>} */ (Object.fromEntries(found));
}

/** @typedef {Awaited<ReturnType<typeof each>>} Told */
/** @type {Told} */
const WELL = {
  get: "ok",
  set: "ok",
  "limiter: allow": "allowed, redis",
  deny: "allowed, redis",
  local: "allowed, redis",
  "cache: stored": "stored",
  missing: "fetched",
  "session: load": "ok",
  login: "ok",
  health: "healthy",
};
/** Nothing is served by Redis, for this reason. @param {string} code @returns {Told} */
const away = (code) => ({
  get: code,
  set: code,
  "limiter: allow": "allowed, failure",
  deny: "refused, failure",
  local: "allowed, local",
  "cache: stored": "fetched",
  missing: "fetched",
  "session: load": code,
  login: code,
  health: "unhealthy",
});

/** @type {[string, Told][]} */
const rows = [];

/** @param {string} name @param {() => Promise<Told>} found @param {Partial<Told> & {}} expected */
function state(name, found, expected) {
  test(`${name}: each part does what it says`, async () => {
    const now = await found();
    rows.push([name, now]);
    assert.deepEqual(now, expected);
  });
}

state("well", async () => each(await furnish()), WELL);

state(
  "frozen (SIGSTOP)",
  async () => {
    const cookie = await furnish();
    process.kill(redis.pid, "SIGSTOP");
    try {
      return await each(cookie);
    } finally {
      process.kill(redis.pid, "SIGCONT");
    }
  },
  away("timeout"),
);
state("frozen no more", async () => each(await furnish()), WELL);

state(
  "killed",
  async () => {
    const cookie = await furnish();
    process.kill(redis.pid, "SIGKILL");
    await redis.exited;
    return each(cookie);
  },
  away("server_error"),
);

test("what was acknowledged is there after a kill -9 and a restart from its log, and nothing is there twice", async () => {
  redis = await redisWith(DURABLE, redis.port);
  const careful = client({ timeout: "5s", retry: { attempts: 6 } });
  const acknowledged = /** @type {Map<string, string>} */ (new Map());
  const counters = /** @type {Map<string, number>} */ (new Map());
  const seen = { sets: 0, counts: 0 };
  let going = true;
  const writers = Array.from({ length: 8 }, async (_, writer) => {
    for (let n = 0; going; n++) {
      const [key, value, counter] = [`w:${writer}:${n}`, crypto.randomUUID(), `c:${writer}:${n}`];
      const [set, count] = await Promise.allSettled([careful.set(key, value), careful.incr(counter)]);
      if (set.status === "fulfilled") acknowledged.set(key, value);
      else seen.sets += 1;
      if (count.status === "fulfilled") counters.set(counter, count.value);
      else seen.counts += 1;
    }
  });
  const reached = async (/** @type {number} */ count) => {
    while (acknowledged.size < count) await sleep(5);
  };
  await reached(300);
  process.kill(redis.pid, "SIGKILL");
  await redis.exited;
  redis = await redisWith(DURABLE, redis.port);
  await reached(acknowledged.size + 300);
  going = false;
  await Promise.all(writers);
  const keys = [...acknowledged.keys()];
  const values = await careful.mget(...keys);
  assert.deepEqual(keys.filter((key, n) => values[n] !== acknowledged.get(key)), []);
  const names = (await careful.keys("c:*")).sort();
  const counted = await careful.mget(...names);
  assert.deepEqual(names.filter((_, n) => counted[n] !== "1"), []);
  assert.deepEqual([...counters].filter(([, count]) => count !== 1), []);
  console.log(`killed under 8 writers: ${acknowledged.size} SETs acknowledged, 0 lost; ${names.length} INCRs applied, 0 twice; told an error: ${seen.sets} SETs, ${seen.counts} INCRs`);
});

state(
  "loading its data",
  async () => {
    const filling = client({ timeout: "10s" });
    await filling.flushall();
    const cookie = await furnish();
    // It looks up from loading after each KB: every key is one.
    const kilobyte = () => Buffer.from(crypto.getRandomValues(new Uint8Array(768))).toString("base64");
    await Promise.all(Array.from({ length: 800 }, (_, n) => filling.set(`filling:${n}`, kilobyte())));
    execFileSync("redis-cli", ["-p", `${redis.port}`, "SAVE"]);
    process.kill(redis.pid, "SIGKILL");
    await redis.exited;
    // From a snapshot: of a log it loads a thousand commands before it looks up.
    const slow = ["--dir", folder, "--key-load-delay", "5000", "--loading-process-events-interval-bytes", "1024"];
    const coming = redisWith(slow, redis.port);
    try {
      const asking = client();
      for (let tries = 0; ; tries++) {
        const answer = await asking.get("value").catch((error) => `${error.message}`);
        if (/LOADING/.test(`${answer}`)) break;
        assert.ok(tries < 500, `${answer}`);
        await sleep(10);
      }
      return await each(cookie);
    } finally {
      redis = await coming;
    }
  },
  away("server_error"),
);

state(
  "a replica (READONLY)",
  async () => {
    const cookie = await furnish();
    const replica = await redisWith(["--replicaof", "127.0.0.1", `${redis.port}`]);
    const url = (await gatewayOf(replica.url)).url;
    const reader = client({ url });
    for (let tries = 0; (await reader.get("value").catch(() => null)) !== "kept"; tries++) {
      assert.ok(tries < 200);
      await sleep(50);
    }
    return each(cookie, { url, token });
  },
  { ...away("server_error"), get: "ok", "cache: stored": "stored", "session: load": "ok" },
);

state(
  "full (noeviction)",
  async () => {
    const cookie = await furnish();
    await client().command("CONFIG", "SET", "maxmemory", "1");
    try {
      return await each(cookie);
    } finally {
      await client().command("CONFIG", "SET", "maxmemory", "0");
    }
  },
  { ...away("server_error"), get: "ok", "cache: stored": "stored", "session: load": "ok" },
);

state(
  "another token",
  async () => each(await furnish(), { url: at.url, token: "a-token-of-yesterday" }),
  // No outage: who deploys this must hear of it, whatever the limiter does when Redis is away.
  { ...away("unauthorized"), "limiter: allow": "unauthorized", deny: "unauthorized", local: "unauthorized" },
);

for (const [name, text] of Object.entries({
  "over its requests of the day": "ERR max daily request limit exceeded. Limit: 10000, Usage: 10001.",
  "over its requests": "ERR max requests limit exceeded. Limit: 500000, Usage: 500001.",
})) {
  state(
    name,
    async () => {
      const cookie = await furnish();
      // Upstash's own words, for its own limits cannot be had here.
      const server = createServer((request, out) => request.resume().on("end", () => out.writeHead(400, { "content-type": "application/json" }).end(JSON.stringify({ error: text }))));
      await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
      try {
        const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
        return await each(cookie, { url: `http://127.0.0.1:${port}`, token });
      } finally {
        server.close();
        server.closeAllConnections();
      }
    },
    away("quota_exceeded"),
  );
}

test("scripts are flushed all the time: a limit is kept to the last, and a lease is held by one", async () => {
  let flushes = 0;
  let going = true;
  const flushing = (async () => {
    for (const flusher = client(); going; flushes++) await flusher.command("SCRIPT", "FLUSH").catch(() => {});
  })();
  const limiter = new RateLimiter(client({ timeout: "20s" }), { limits: [slidingWindow(100, "1h")], timeout: "20s" });
  const decisions = [];
  for (let n = 0; n < 30; n++) decisions.push(...(await Promise.all(Array.from({ length: 10 }, () => limiter.check("flushed")))));
  const cache = new Cache(client({ timeout: "20s" }), { name: "flushed", timeout: "20s", metrics: false });
  let fetched = 0;
  for (let n = 0; n < 30; n++) await Promise.all(Array.from({ length: 4 }, () => cache.getOrFetch(`${n}`, () => ++fetched)));
  going = false;
  await flushing;
  assert.deepEqual([...new Set(decisions.map(({ source }) => source))].filter((source) => source !== "redis" && source !== "memory"), []);
  assert.equal(decisions.filter(({ allowed }) => allowed).length, 100);
  assert.equal(fetched, 30);
  assert.ok(flushes > 30, `${flushes}`);
  console.log(`SCRIPT FLUSH ${flushes} times: 100 of 300 checks allowed at a limit of 100, 30 keys fetched ${fetched} times by 120 callers`);
});

test("keys are evicted (allkeys-lru): who was logged in is a stranger, nobody is another, and nothing invalidated comes back", async () => {
  const small = await redisWith(["--maxmemory", "4mb", "--maxmemory-policy", "allkeys-lru"]);
  const { url } = await gatewayOf(small.url);
  const redis = client({ url, timeout: "10s" });
  const sessions = new Sessions(redis, { secrets: [SECRET] });
  const cache = new Cache(redis, { name: "small", metrics: false, timeout: "10s" });
  const cookies = [];
  for (let n = 0; n < 40; n++) {
    const session = await sessions.load("");
    session.login(`user-${n}`);
    cookies.push((await session.save()).map((cookie) => cookie.split(";")[0]).join("; "));
    await cache.set(`entry-${n}`, "old", { tags: ["all"] });
  }
  await cache.expireTags("all");
  await Promise.all(Array.from({ length: 60 }, (_, n) => redis.set(`filling:${n}`, "x".repeat(60_000))));
  const evicted = Number(/evicted_keys:(\d+)/.exec(`${await redis.command("INFO", "stats")}`)?.[1]);
  const seen = { kept: 0, strangers: 0, others: 0, stale: 0 };
  for (const [n, cookie] of cookies.entries()) {
    const { userId } = await sessions.load(cookie);
    if (userId === `user-${n}`) seen.kept += 1;
    else if (userId === undefined) seen.strangers += 1;
    else seen.others += 1;
    if ((await cache.getOrFetch(`entry-${n}`, () => "new")) === "old") seen.stale += 1;
  }
  assert.ok(evicted > 40 && seen.strangers > 0, `${evicted} evicted, ${seen.strangers} strangers`);
  assert.deepEqual([seen.others, seen.stale], [0, 0]);
  console.log(`allkeys-lru: ${evicted} keys evicted; of 40 sessions ${seen.kept} kept, ${seen.strangers} begun anew, 0 another's; of 40 invalidated entries 0 served`);
});

test("docs/reliability.md has what was found", () => {
  const parts = /** @type {(keyof Told)[]} */ (Object.keys(WELL));
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(" | ")} |\n`;
  const table = line(["Redis is", ...parts]) + line(["---", ...parts.map(() => "---")]) + rows.map(([name, now]) => line([name, ...parts.map((part) => now[part])])).join("");
  const [before, fresh] = written("a failing Redis: `make reliability` writes this", table);
  assert.equal(before, fresh);
});
