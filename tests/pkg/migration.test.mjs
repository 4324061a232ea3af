// A migration from SQLite to a cache in Redis, from the first day to the rollback, with Redis gone in the middle.

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { Cache, Migration, Redis } from "upstash-edge";
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
