// The same from D1, in workerd: a Worker of two versions, the second of which is the rollback.

import assert from "node:assert/strict";
import { buildSync } from "esbuild";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { startGateway, startRedis } from "../../scripts/stack.mjs";

const ROOT = join(import.meta.dirname, "../..");
const TOKEN = "token-of-the-tests";

const PROGRAM = `import { Cache, Migration, Redis } from "upstash-edge";
const d1 = (db) => ({
  get: async (key) => {
    const row = await db.prepare("SELECT value FROM cache WHERE key = ?").bind(key).first();
    return row ? JSON.parse(row.value) : undefined;
  },
  set: (key, value) => db.prepare("INSERT OR REPLACE INTO cache VALUES (?, ?)").bind(key, JSON.stringify(value)).run(),
  delete: (key) => db.prepare("DELETE FROM cache WHERE key = ?").bind(key).run(),
});
let made;
export default {
  async fetch(request, env, context) {
    const { from, to } = { from: d1(env.DB), to: new Cache(Redis.fromEnv(env, { retry: false }), { name: "moved", metrics: false }) };
    made ??= new Migration(from, to, { compare: 100, timeout: "2s" });
    const store = made.with({ from, to, env, waitUntil: (work) => context.waitUntil(work) });
    const { pathname, searchParams } = new URL(request.url);
    const key = searchParams.get("key");
    if (pathname === "/share") made.share = Number(searchParams.get("to"));
    if (pathname === "/set") await store.set(key, await request.json());
    if (pathname === "/delete") await store.delete(key);
    if (pathname === "/get") return Response.json({ value: await store.get(key) });
    return Response.json(store.stats());
  },
};
`;

const redis = await startRedis();
const gateway = await startGateway({ redisUrl: redis.url, token: TOKEN });
const folder = mkdtempSync(join(tmpdir(), "upstash-edge-"));
const { outputFiles } = buildSync({ stdin: { contents: PROGRAM, resolveDir: ROOT }, bundle: true, format: "esm", target: "es2022", conditions: ["workerd"], external: ["./core.wasm?module"], write: false });

/** @param {string} enabled */
const options = (enabled) => convertV4MiniflareOptions({
  modules: [
    { type: /** @type {const} */ ("ESModule"), path: "main.mjs", contents: outputFiles[0]?.text ?? "" },
    { type: /** @type {const} */ ("CompiledWasm"), path: "core.wasm?module", contents: readFileSync(join(ROOT, "pkg/dist/core.wasm")) },
  ],
  compatibilityDate: "2026-10-20",
  d1Databases: ["DB"],
  d1Persist: folder,
  bindings: { UPSTASH_REDIS_REST_URL: gateway.url, UPSTASH_REDIS_REST_TOKEN: TOKEN, ENABLE_REDIS_CACHE: enabled },
});
const worker = new Miniflare(options("true"));
after(async () => {
  await worker.dispose();
  await gateway.stop();
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** @param {string} path @param {unknown} [body] @returns {Promise<any>} */
async function ask(path, body) {
  const answer = await worker.dispatchFetch(`http://site${path}`, body === undefined ? {} : { method: "POST", body: JSON.stringify(body) });
  assert.equal(answer.status, 200, path);
  return answer.json();
}

const keys = Array.from({ length: 40 }, (_, n) => `report:${n}`);
const value = (/** @type {number} */ n) => ({ n, list: [n, null] });
const read = async () => {
  for (const [n, key] of keys.entries()) assert.deepEqual((await ask(`/get?key=${key}`)).value, value(n), key);
};
/** What is behind answers is done when it is counted. @param {(stats: any) => boolean} isDone */
async function settled(isDone) {
  for (let tries = 0; ; tries++) {
    const stats = await ask("/stats");
    if (isDone(stats)) return stats;
    if (tries > 400) throw new Error(JSON.stringify(stats));
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

test("from D1: parallel, half, all, Redis gone, rolled back; every read is right", async () => {
  const db = await worker.getD1Database("DB");
  await db.prepare("CREATE TABLE cache (key TEXT PRIMARY KEY, value TEXT NOT NULL)").run();
  for (const [n, key] of keys.entries()) await ask(`/set?key=${key}`, value(n));
  await settled(({ writes }) => writes.both === 40);

  await read();
  const parallel = await settled(({ compared }) => compared.same === 40);
  assert.deepEqual([parallel.phase, parallel.reads.old, parallel.reads.new], ["parallel", 40, 0]);

  await ask("/share?to=50");
  await read();
  const half = await settled(({ compared }) => compared.same === 80);
  assert.ok(half.reads.new > 8 && half.reads.new < 32, `${half.reads.new} of 40 by the new store`);

  await ask("/share?to=100");
  await read();
  const all = await settled(({ compared }) => compared.same === 120);
  assert.equal(all.reads.new - half.reads.new, 40);
  assert.deepEqual(all.compared, { same: 120, different: 0, missing: 0, failed: 0 });

  await ask("/delete?key=report:0");
  assert.equal((await ask("/get?key=report:0")).value, undefined);
  await ask("/set?key=report:0", value(0));

  await redis.stop();
  await read();
  const gone = await ask("/stats");
  assert.equal(gone.reads.new, all.reads.new);

  await worker.setOptions(options("false"));
  const before = await (await fetch(`${gateway.url}/stats`)).json();
  await read();
  const back = await ask("/stats");
  assert.deepEqual([back.phase, back.reads.switchedOff], ["off", 40]);
  assert.deepEqual(await (await fetch(`${gateway.url}/stats`)).json(), before);
});
