// The cache handler by Next's interface: each handler here is what one process of Next has.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { startGateway } from "../../scripts/stack.mjs";
import { requests } from "../edge/front.mjs";
import { beside, packed, startStack } from "./stack.mjs";

const { redis: server, gateway, vars } = await startStack();
const path = beside();
const { Redis } = await packed(path, "inline.js");
const { cacheHandler, default: own } = await packed(path, "next-cache-handler.js");

/** @typedef {import("../../pkg/adapters/next-cache-handler.js").CacheHandler} Handler */

let names = 0;
const aName = () => `n${names++}`;
const now = () => performance.timeOrigin + performance.now();

/** One process. @param {string} name @param {object} [more] @returns {Handler} */
const aProcess = (name, more) => cacheHandler({ redis: Redis.fromEnv(vars), name, ...more });

/** What a process of Next does where it finds nothing. @param {Handler} process @param {string} key @param {string | Uint8Array<ArrayBuffer>} value @param {object} [more] */
async function make(process, key, value, more) {
  assert.equal(await process.get(key, []), undefined);
  await process.set(key, Promise.resolve(entry(value, more)));
}

/** @param {string | Uint8Array<ArrayBuffer>} value @param {object} [more] */
const entry = (value, more) => ({ value: /** @type {ReadableStream<Uint8Array>} */ (new Response(value).body), tags: [], stale: 300, timestamp: now(), expire: 3600, revalidate: 900, ...more });

/** Its text, and how long it may stay, or nothing. @param {Handler} process @param {string} key @param {string[]} [softTags] */
async function found(process, key, softTags = []) {
  const entry = await process.get(key, softTags);
  return entry && [await new Response(entry.value).text(), entry.revalidate];
}

test("what one process has made serves another, byte by byte and as it was described", async () => {
  const name = aName();
  const [one, two] = [aProcess(name), aProcess(name)];
  const bytes = crypto.getRandomValues(new Uint8Array(5000));
  const timestamp = now() + 60_000;
  await make(one, "key", bytes, { tags: ["a", "ä, b\n"], timestamp, expire: Infinity });
  for (const process of [one, two, two]) {
    const { value, ...rest } = /** @type {any} */ (await process.get("key", []));
    assert.deepEqual(new Uint8Array(await new Response(value).arrayBuffer()), bytes);
    assert.deepEqual(rest, { tags: ["a", "ä, b\n"], stale: 300, timestamp, expire: 2 ** 32 - 1, revalidate: 900 });
  }
});

test("a read is one request; two where this process has not seen the entry and it has tags", async () => {
  const name = aName();
  const [one, two] = [aProcess(name), aProcess(name)];
  await make(one, "key", "v", { tags: ["a"] });
  const reading = (/** @type {Handler} */ process) => requests(gateway.url, () => found(process, "key", ["_N_T_/", "_N_T_/layout"]));
  assert.deepEqual([await reading(one), await reading(two), await reading(two)], [1, 2, 1]);
  const several = () => Promise.all(["key", "key", "none"].map((key) => found(two, key)));
  assert.equal(await requests(gateway.url, several), 1);
});

test("an invalidation in one process is seen by the next read of another, by a tag and by a page's soft tag", async () => {
  const name = aName();
  const [one, two] = [aProcess(name), aProcess(name)];
  await make(one, "key", "1", { tags: ["a", "b"] });
  await make(one, "other", "2", { tags: ["c"] });
  assert.deepEqual(await found(two, "key"), ["1", 900]);
  await two.updateTags(["b"]);
  assert.equal(await found(one, "key"), undefined);
  assert.deepEqual(await found(one, "other", ["_N_T_/page"]), ["2", 900]);
  await one.updateTags(["_N_T_/page"]);
  assert.equal(await found(two, "other", ["_N_T_/page"]), undefined);
  assert.deepEqual(await found(two, "other", ["_N_T_/another"]), ["2", 900]);
  await make(two, "key", "3", { tags: ["b"] });
  assert.deepEqual(await found(one, "key"), ["3", 900]);
});

test("what is only stale is served to be made anew, until its profile's end", async () => {
  const name = aName();
  const [one, two] = [aProcess(name), aProcess(name)];
  await make(one, "key", "1", { tags: ["a"] });
  await one.updateTags(["a"], { expire: 3600 });
  assert.deepEqual(await found(two, "key"), ["1", -1]);
  await one.updateTags(["a"], {});
  assert.deepEqual(await found(two, "key"), ["1", -1]);
  await one.updateTags(["a"], { expire: 0 });
  assert.equal(await found(two, "key"), undefined);
  // What was gone at once does not come back because it becomes stale as well.
  await make(one, "key", "2", { tags: ["a"] });
  await one.updateTags(["a"]);
  await one.updateTags(["a"], { expire: 3600 });
  assert.equal(await found(two, "key"), undefined);
});

test("what was begun before an invalidation is not served after it, whoever stores it and whatever the clocks say", async () => {
  const name = aName();
  const [one, two] = [aProcess(name), aProcess(name)];
  assert.equal(await found(one, "key"), undefined);
  const begun = entry("old", { tags: ["a"] });
  await two.updateTags(["a"]);
  // It hears of it before it stores what it has begun before.
  assert.equal(await found(one, "another"), undefined);
  await one.set("key", Promise.resolve(begun));
  assert.equal(await found(two, "key"), undefined);
  assert.equal(await found(one, "key"), undefined);
  await one.set("key", Promise.resolve(entry("new", { tags: ["a"] })));
  assert.deepEqual(await found(two, "key"), ["new", 900]);
});

test("a read waits for what its process is about to store", async () => {
  const one = aProcess(aName());
  assert.equal(await found(one, "key"), undefined);
  let rendered = (/** @type {any} */ _) => {};
  const storing = one.set("key", new Promise((resolve) => (rendered = resolve)));
  const reading = found(one, "key");
  rendered(entry("late"));
  assert.deepEqual(await reading, ["late", 900]);
  await storing;
});

test("an entry is gone from Redis when it has expired, and what expires at once, or breaks off, is not kept", async () => {
  const name = aName();
  const [one, redis] = [aProcess(name), Redis.fromEnv(vars)];
  const keys = () => redis.keys(`*${name}*:e:*`);
  await make(one, "dynamic", "v", { expire: 0 });
  const broken = new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array(10));
      controller.error(new Error("the render failed"));
    },
  });
  await make(one, "broken", "", { value: broken });
  assert.deepEqual(await keys(), []);
  await make(one, "key", "v", { expire: 60 });
  await make(one, "long", "v", { expire: 2 ** 32 - 1 });
  const [short = 0, long = 0] = (await Promise.all((await keys()).sort().map((/** @type {string} */ key) => redis.pttl(key)))).sort((a, b) => a - b);
  assert.ok(short > 50_000 && short <= 60_000, `${short}`);
  assert.ok(long > 29 * 24 * 3600_000 && long <= 30 * 24 * 3600_000, `${long}`);
});

test("where the marks are lost nothing from before is served, and of many the oldest make room safely", async () => {
  const name = aName();
  const [one, redis] = [aProcess(name), Redis.fromEnv(vars)];
  await make(one, "key", "1", { tags: ["a"] });
  await one.updateTags(["other"]);
  assert.deepEqual(await found(one, "key"), ["1", 900]);
  await redis.del(`${name}:marks`);
  assert.equal(await found(one, "key"), undefined);
  await make(one, "key", "2", { tags: ["a"] });
  await one.updateTags(["a"]);
  for (let n = 0; n < 21; n++) await one.updateTags(Array.from({ length: 1000 }, (_, at) => `t${n}:${at}`));
  assert.ok((await redis.hlen(`${name}:marks`)) < 20_000);
  assert.equal(await redis.hexists(`${name}:marks`, "x:a"), 0);
  assert.equal(await found(one, "key"), undefined);
  await make(one, "key", "3", { tags: ["a"] });
  assert.deepEqual(await found(one, "key"), ["3", 900]);
});

test("a Redis that is away is a miss, asked once in 2 s; an invalidation is sent when it is back", async () => {
  const gateway = await startGateway({ redisUrl: server.url, token: vars.UPSTASH_REDIS_REST_TOKEN });
  const url = gateway.url;
  const name = aName();
  /** @type {string[]} */
  const failures = [];
  const onError = async (/** @type {any} */ { operation, code }) => {
    failures.push(`${operation} ${code}`);
    throw new Error("of the caller's own");
  };
  let asked = 0;
  const counting = (/** @type {string} */ url, /** @type {RequestInit} */ init) => (asked++, fetch(url, init));
  const away = new Redis({ url, token: vars.UPSTASH_REDIS_REST_TOKEN, fetch: counting, retry: false });
  const one = cacheHandler({ redis: away, name, onError });
  const two = aProcess(name);
  await make(one, "key", "1", { tags: ["a"] });
  await gateway.stop();
  asked = 0;
  await one.updateTags(["a"]);
  assert.equal(asked, 1);
  for (let n = 0; n < 5; n++) assert.equal(await found(one, "key"), undefined);
  await one.set("key", Promise.resolve(entry("lost", { tags: ["a"] })));
  assert.deepEqual([asked, failures], [1, ["invalidate network"]]);
  // The other, whose Redis is there, has not heard of it.
  assert.deepEqual(await found(two, "key"), ["1", 900]);
  const back = await startGateway({ redisUrl: server.url, token: vars.UPSTASH_REDIS_REST_TOKEN, port: Number(new URL(url).port) });
  after(() => back.stop());
  await new Promise((resolve) => setTimeout(resolve, 2100));
  assert.equal(await found(one, "key"), undefined);
  assert.equal(await found(two, "key"), undefined);
  assert.deepEqual(failures, ["invalidate network"]);
});

test("a file that a config names by require.resolve is the handler too, as Next imports it", async () => {
  const file = createRequire(join(path, "next.config.js")).resolve("upstash-edge/next-cache-handler");
  assert.match(file, /dist.cjs.next-cache-handler\.js$/);
  const { default: handler } = await import(pathToFileURL(file).href);
  for (const name of ["get", "set", "refreshTags", "getExpiration", "updateTags"]) assert.equal(typeof handler[name], "function", name);
  assert.equal(typeof handler.cacheHandler, "function");
});

test("the module itself goes by the environment, and keeps nothing in a build without it", async () => {
  const names = ["UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN", "KV_REST_API_URL", "NEXT_PHASE"];
  const before = names.map((name) => process.env[name]);
  after(() => names.forEach((name, at) => (before[at] === undefined ? delete process.env[name] : (process.env[name] = before[at]))));
  for (const name of names) delete process.env[name];
  await assert.rejects(own.get("key", []), { code: "invalid_config", message: /UPSTASH_REDIS_REST_URL/ });
  process.env.NEXT_PHASE = "phase-production-build";
  assert.equal(await own.get("key", []), undefined);
  await own.set("key", Promise.resolve(entry("v")));
  await own.updateTags(["a"]);
  Object.assign(process.env, vars);
  assert.equal(await own.getExpiration(["a"]), Infinity);
  await make(own, "key", "v");
  assert.deepEqual(await found(aProcess("next"), "key"), ["v", 900]);
});
