// A migration from SQLite to a cache in Redis, from the first day to the rollback, with Redis gone in the middle.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { Cache, Migration, Redis } from "upstash-edge";
import { place } from "../../pkg/src/migration.js";
import { startGateway, startRedis } from "../../scripts/stack.mjs";

const redis = await startRedis();
const gateway = await startGateway({ redisUrl: redis.url, token: "token-of-the-tests" });
after(async () => {
  await gateway.stop();
  await redis.stop();
});

function sqlite() {
  const db = new DatabaseSync(":memory:");
  db.exec("CREATE TABLE cache (key TEXT PRIMARY KEY, value TEXT NOT NULL)");
  const [get, put, drop] = [db.prepare("SELECT value FROM cache WHERE key = ?"), db.prepare("INSERT OR REPLACE INTO cache VALUES (?, ?)"), db.prepare("DELETE FROM cache WHERE key = ?")];
  return {
    get: (/** @type {string} */ key) => {
      const row = get.get(key);
      return row && JSON.parse(String(row.value));
    },
    set: (/** @type {string} */ key, /** @type {unknown} */ value) => put.run(key, JSON.stringify(value)),
    delete: (/** @type {string} */ key) => drop.run(key),
  };
}

test("from SQLite: parallel, half, all, Redis gone, rolled back; every read is right", async () => {
  const env = { ENABLE_REDIS_CACHE: "true" };
  const cache = new Cache(new Redis({ url: gateway.url, token: "token-of-the-tests", retry: false }), { name: "moved", metrics: false });
  /** @type {Promise<unknown>[]} */
  const works = [];
  const migration = new Migration(sqlite(), cache, { env, compare: 100, timeout: "5s", waitUntil: (work) => void works.push(work) });
  const keys = Array.from({ length: 100 }, (_, n) => `report:${n}`);
  const read = async () => {
    for (const [n, key] of keys.entries()) assert.deepEqual(await migration.get(key), { n, list: [n, null] });
    await Promise.all(works.splice(0));
  };
  for (const [n, key] of keys.entries()) await migration.set(key, { n, list: [n, null] });
  await Promise.all(works.splice(0));

  await read();
  const parallel = migration.stats();
  assert.deepEqual([parallel.phase, parallel.reads.old, parallel.writes.both, parallel.compared.same], ["parallel", 100, 100, 100]);

  migration.share = 50;
  await read();
  const half = migration.stats();
  assert.ok(half.reads.new > 25 && half.reads.new < 75, `${half.reads.new} of 100 by the new store`);

  migration.share = 100;
  await read();
  const all = migration.stats();
  assert.equal(all.reads.new - half.reads.new, 100);
  assert.deepEqual(all.compared, { same: 300, different: 0, missing: 0, failed: 0 });

  await redis.stop();
  await read();
  const gone = migration.stats();
  assert.equal(gone.reads.new, all.reads.new);

  env.ENABLE_REDIS_CACHE = "false";
  const before = await (await fetch(`${gateway.url}/stats`)).json();
  await read();
  assert.deepEqual([migration.stats().phase, migration.stats().reads.switchedOff], ["off", 100]);
  assert.deepEqual(await (await fetch(`${gateway.url}/stats`)).json(), before);
});

test("a back-fill that a delete overtakes is undone", async () => {
  const [from, to] = [new Map([["k", 1]]), new Map()];
  const slow = { get: (/** @type {string} */ key) => to.get(key), delete: (/** @type {string} */ key) => to.delete(key), set: async (/** @type {string} */ key, /** @type {number} */ value) => {
    from.delete(key);
    to.set(key, value);
  } };
  const migration = new Migration(from, slow, { share: 100, env: {} });
  assert.equal(await migration.get("k"), 1);
  assert.deepEqual([await migration.get("k"), to.has("k")], [undefined, false]);
  assert.equal(migration.stats().backfills.undone, 1);
});

test("what only the old store took is read there until the new one has forgotten it", async () => {
  const [from, to] = [new Map(), new Map()];
  let ill = false;
  const guarded = (/** @type {"get" | "set" | "delete"} */ method) => async (/** @type {[any, any?]} */ ...args) => {
    if (ill) throw new Error("ill");
    return /** @type {any} */ (to)[method](...args);
  };
  const migration = new Migration(from, { get: guarded("get"), set: guarded("set"), delete: guarded("delete") }, { share: 100, env: {} });
  await migration.set("k", 1);
  ill = true;
  await migration.set("k", 2);
  ill = false;
  assert.deepEqual([to.get("k"), migration.stats().doubted], [1, 1]);
  assert.equal(await migration.get("k"), 2);
  assert.notEqual(to.get("k"), 1);
});

/**
 * A store that is asked, fails and answers late as a test wants it.
 * @param {Map<string, any>} [values]
 */
function played(values = new Map()) {
  const store = {
    values,
    asked: 0,
    ill: false,
    /** @type {Promise<unknown> | undefined} */
    held: undefined,
    /** @param {"get" | "set" | "delete"} method @param {any[]} args */
    async does(method, ...args) {
      store.asked += 1;
      await store.held;
      if (store.ill) throw new Error("ill");
      return /** @type {any} */ (values)[method](...args);
    },
    get: (/** @type {string} */ key) => store.does("get", key),
    set: (/** @type {string} */ key, /** @type {any} */ value) => store.does("set", key, value),
    delete: (/** @type {string} */ key) => store.does("delete", key),
  };
  return store;
}

test("a new store that never answers keeps no read and no write waiting past the deadline", async () => {
  const to = played();
  to.held = new Promise(() => {});
  const migration = new Migration(new Map([["k", 1]]), to, { share: 100, timeout: "20ms", env: {} });
  assert.equal(await migration.get("k"), 1);
  await migration.set("k", 2);
  assert.equal(await migration.get("k"), 2);
  const { reads, writes, doubted } = migration.stats();
  // After the write the key is in doubt, and the old store's.
  assert.deepEqual([reads.failed, reads.old, writes.late, doubted], [1, 1, 1, 1]);
});

test("a write that comes late is looked at before the new store is believed again", async () => {
  const to = played();
  let release = () => {};
  to.held = new Promise((resolve) => (release = () => resolve(undefined)));
  /** @type {Promise<unknown>[]} */
  const works = [];
  const migration = new Migration(new Map(), to, { share: 100, timeout: "20ms", env: {}, waitUntil: (work) => void works.push(work) });
  await migration.set("k", 1);
  assert.equal(await migration.get("k"), 1);
  assert.equal(migration.stats().reads.old, 1);
  release();
  await Promise.all(works);
  assert.equal(await migration.get("k"), 1);
  const { reads, writes, doubted } = migration.stats();
  assert.deepEqual([reads.new, writes.both, writes.late, doubted], [1, 1, 1, 0]);
});

test("after three failures in a row the new store is left alone, and no read fails", async () => {
  const to = played();
  to.ill = true;
  const migration = new Migration(new Map([["k", 1]]), to, { share: 100, env: {} });
  for (let n = 0; n < 20; n++) assert.equal(await migration.get("k"), 1);
  assert.equal(to.asked, 3);
  await migration.set("other", 2);
  assert.deepEqual([to.asked, migration.stats().writes.failed, migration.stats().doubted], [3, 1, 1]);
});

test("of two writers in different orders the new store keeps neither that is wrong", async () => {
  const from = new Map();
  const to = played();
  const migration = new Migration(from, to, { share: 100, env: {} });
  // The old store has taken the second one's value when the first one's arrives in the new one.
  let release = () => {};
  to.held = new Promise((resolve) => (release = () => resolve(undefined)));
  const first = migration.set("k", "first");
  from.set("k", "second");
  release();
  await first;
  assert.deepEqual([to.values.has("k"), await migration.get("k")], [false, "second"]);
});

test("a write that the old store refuses is the caller's, and nothing of the new one's is believed", async () => {
  const from = played(new Map([["k", 1]]));
  const to = new Map([["k", 1]]);
  const migration = new Migration(from, to, { share: 100, env: {} });
  from.ill = true;
  await assert.rejects(migration.set("k", 2), /ill/);
  assert.deepEqual([to.has("k"), migration.stats().writes], [false, { both: 0, late: 0, failed: 0, switchedOff: 0 }]);
  await assert.rejects(migration.delete("k"), /ill/);
  await assert.rejects(migration.get("k"), /ill/);
});

test("a comparison tells what differs, whatever the order of keys, and deletes it in the new store", async () => {
  const from = new Map(Object.entries({ a: { x: 1, y: [{ p: 1, q: 2 }] }, b: 1, c: null, d: 4 }));
  const to = new Map(Object.entries({ a: { y: [{ q: 2, p: 1 }], x: 1 }, b: 2, c: null }));
  const migration = new Migration(/** @type {any} */ (from), /** @type {any} */ (to), { compare: 100, env: {}, backfill: false });
  for (const key of from.keys()) assert.equal(await migration.get(key), from.get(key));
  assert.deepEqual(migration.stats().compared, { same: 2, different: 1, missing: 1, failed: 0 });
  assert.deepEqual([...to.keys()], ["a", "c"]);
});

test("the switch is looked at at each call, and anything but on is off", async () => {
  const to = played(new Map([["k", "new"]]));
  /** @type {Record<string, string>} */
  const env = {};
  const migration = new Migration(new Map([["k", "old"]]), to, { share: 100, env });
  for (const [value, read] of /** @type {const} */ ([["true", "new"], ["false", "old"], ["1", "new"], ["0", "old"], [" TRUE ", "new"], ["flase", "old"], ["", "new"]])) {
    env.ENABLE_REDIS_CACHE = value;
    const before = to.asked;
    assert.equal(await migration.get("k"), read, value);
    assert.equal(to.asked - before, read === "new" ? 1 : 0);
  }
});

test("a greater share moves more keys and none back, the same keys everywhere", () => {
  const vectors = JSON.parse(readFileSync(join(import.meta.dirname, "../vectors/places.json"), "utf8"));
  for (const [key, expected] of vectors) assert.equal(place(key), expected, key);
  const below = (/** @type {number} */ share) => Array.from({ length: 10_000 }, (_, n) => `key:${n}`).filter((key) => place(key) < share * 100).length;
  assert.equal(below(0), 0);
  assert.equal(below(100), 10_000);
  for (const share of [1, 10, 50]) assert.ok(Math.abs(below(share) - share * 100) < 200, `${share}: ${below(share)}`);
});
