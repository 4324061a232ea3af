// Callers who hand over what is none of ours: each hears an EdgeError that names it, with a stack that points at them, and
// the instance goes on. And should the core trap all the same, the next call finds a fresh one.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startGateway, startRedis } from "../../scripts/stack.mjs";

const TOKEN = "token-of-the-tests";
const redis = await startRedis();
const gateway = await startGateway({ redisUrl: redis.url, token: TOKEN });
after(async () => {
  await gateway.stop();
  await redis.stop();
});
/** Under a name of its own, where another test wants an instance to itself. @param {string} [name] @returns {Promise<any>} */
const imported = (name = "") => import(new URL(`../../pkg/dist/inline.js${name}`, import.meta.url).href);
const edge = await imported();
const at = { url: gateway.url, token: TOKEN };
const client = new edge.Redis(at);

const thrower = new Proxy({}, {
  get() {
    throw new Error("a getter that throws");
  },
  ownKeys() {
    throw new Error("a trap that throws");
  },
});
const revoked = (() => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
})();
/** @type {any} */
const cyclic = {};
cyclic.self = cyclic;
/** Of no kind that anything here takes, whatever it is asked for. @type {Record<string, any>} */
const HOSTILE = { symbol: Symbol("s"), function: () => {}, "no prototype": Object.create(null), cyclic, date: new Date(), map: new Map([["a", 1]]), "lone surrogate": "\ud800", nan: NaN, negative: -1, bigint: 1n, null: null, true: true, "array of holes": new Array(3), thrower, revoked };

/** What a call makes of each of them: never more than an error of ours, or the caller's own. @param {(value: any) => unknown} call */
async function survives(call) {
  for (const [name, value] of Object.entries(HOSTILE)) {
    try {
      await call(value);
    } catch (error) {
      const own = value === thrower || value === revoked;
      const told = /** @type {any} */ (error);
      assert.ok(told instanceof edge.EdgeError || (own && /throws|revoked/.test(told.message)), `${name}: ${told?.stack}`);
      assert.notEqual(told.code, "corrupt", `${name}: ${told?.stack}`);
    }
  }
  assert.equal(await client.ping(), "PONG");
}

test("constructors take anything", async () => {
  await survives((value) => new edge.Redis(value));
  for (const option of ["url", "token", "timeout", "retry", "integers", "fetch", "headers", "onRequest"]) await survives((value) => new edge.Redis({ ...at, [option]: value }));
  for (const kind of [edge.RateLimiter, edge.Cache, edge.Sessions]) {
    await survives((value) => new kind(value));
    await survives((value) => new kind(client, value));
  }
  for (const option of ["limits", "name", "onFailure", "timeout", "memory", "clock"]) await survives((value) => new edge.RateLimiter(client, { limits: edge.slidingWindow(1, "1s"), [option]: value }));
  for (const option of ["name", "ttl", "jitter", "shards", "lock", "validate"]) await survives((value) => new edge.Cache(client, { [option]: value }));
  for (const option of ["secrets", "name", "cookie", "idle", "absolute"]) await survives((value) => new edge.Sessions(client, { secrets: "a secret of the tests, 32 bytes long or more", [option]: value }));
  for (const make of [edge.slidingWindow, edge.fixedWindow]) {
    await survives((value) => make(value, "1s"));
    await survives((value) => make(1, value));
    await survives((value) => make(1, "1s", value));
  }
});

test("methods take anything, and reject where they promise", async () => {
  const limiter = new edge.RateLimiter(client, { limits: edge.slidingWindow(100, "1s"), timeout: "60s" });
  const cache = new edge.Cache(client, { timeout: "60s" });
  const sessions = new edge.Sessions(client, { secrets: "a secret of the tests, 32 bytes long or more", timeout: "60s" });
  /** @type {((value: any) => any)[]} */
  const calls = [
    (value) => client.get(value), (value) => client.set("k", value), (value) => client.set("k", "v", value), (value) => client.command(value), (value) => client.command("SET", "k", value),
    (value) => limiter.check(value), (value) => limiter.check("id", value), (value) => limiter.check("id", { cost: value }), (value) => limiter.checkAll(value), (value) => limiter.refund("id", value),
    (value) => cache.get(value), (value) => cache.set(value, 1), (value) => cache.set("k", value), (value) => cache.set("k", 1, value), (value) => cache.getMany(value), (value) => cache.invalidateTags(value),
    (value) => sessions.load(value), (value) => sessions.list(value), (value) => sessions.revokeAll(value),
  ];
  for (const call of calls) {
    await survives(async (value) => {
      const promise = call(value);
      assert.ok(promise instanceof Promise, "it promises");
      await promise;
    });
  }
});

test("options that are frozen, or have their values by getters or a prototype, are read", async () => {
  const frozen = Object.freeze({ ...at, retry: Object.freeze({ attempts: 1 }) });
  const inherited = Object.create(at);
  const got = { get url() { return at.url; }, get token() { return at.token; } };
  for (const options of [frozen, inherited, got, new Proxy(at, {})]) assert.equal(await new edge.Redis(options).ping(), "PONG");
});

test("a class without new, or a method on another's object, is told so", async () => {
  for (const name of ["Redis", "RateLimiter", "Cache", "Sessions"]) assert.throws(() => edge[name](at), TypeError);
  assert.throws(() => edge.Redis.prototype.with.call({}, {}), TypeError);
  await assert.rejects(async () => edge.Redis.prototype.get.call({}, "k"), TypeError);
});

test("an error's stack begins in the package and leads to the caller", async () => {
  function aCallerOfMine() {
    return new edge.Redis({ url: "no url", token: "t" });
  }
  assert.throws(aCallerOfMine, (error) => error instanceof edge.EdgeError && /aCallerOfMine/.test(/** @type {any} */ (error).stack));
});

test("after a trap a fresh instance serves, and what was under way is told", async () => {
  const { Instance } = WebAssembly;
  let trap = false;
  // (module (func (export "trap") unreachable)): traps as a defect of the core would.
  const unreachable = "AGFzbQEAAAABBAFgAAADAgEABwgBBHRyYXAAAAoFAQMAAAs=";
  const trapped = /** @type {any} */ (new Instance(new WebAssembly.Module(Buffer.from(unreachable, "base64"))).exports).trap;
  WebAssembly.Instance = /** @type {any} */ (
    function (/** @type {WebAssembly.Module} */ module, /** @type {any} */ imports) {
      const { exports } = new Instance(module, imports);
      const own = Object.entries(exports).map(([name, value]) => {
        const call = /** @type {any} */ (value);
        return [name, typeof call === "function" ? (/** @type {any[]} */ ...args) => (trap ? trapped() : call(...args)) : call];
      });
      return { exports: Object.fromEntries(own) };
    }
  );
  const own = await imported("?trapped").finally(() => (WebAssembly.Instance = Instance));
  const redis = new own.Redis(at);
  assert.equal(await redis.set("trap", "1"), "OK");
  let release = () => {};
  const held = new Promise((resolve) => (release = () => resolve(undefined)));
  const slow = new own.Redis({ ...at, fetch: (/** @type {string} */ url, /** @type {object} */ init) => held.then(() => fetch(url, init)) });
  const underWay = slow.get("trap");
  await new Promise((resolve) => setTimeout(resolve, 10));
  trap = true;
  const [lost] = await Promise.allSettled([redis.incr("trap")]);
  assert.equal(lost.status, "rejected");
  const { reason } = /** @type {PromiseRejectedResult} */ (lost);
  assert.deepEqual([reason instanceof own.EdgeError, reason.code, reason.cause instanceof WebAssembly.RuntimeError], [true, "corrupt", true]);
  // Its handle is no handle of the fresh instance, whatever that one has begun meanwhile.
  const next = redis.incr("trap");
  release();
  await assert.rejects(underWay, { code: "corrupt" });
  assert.equal(await next, 2);
});
