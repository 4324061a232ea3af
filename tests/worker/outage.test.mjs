// Redis is killed and frozen while the Worker runs: nobody hangs, each part follows its policy, all recovers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startRedis } from "../../scripts/stack.mjs";
import { ask, cookieOf, startStack } from "./stack.mjs";

const stack = await startStack();
const { worker } = stack;
/** @param {string} path @param {RequestInit} [init] */
const get = (path, init) => ask(worker.url, path, init);

/** What every route answers while Redis is away, and that it is quick about it. @param {string} cookie */
async function expectPolicies(cookie) {
  const headers = { cookie };
  const health = await get("/api/health");
  assert.deepEqual([health.status, health.json.status], [503, "unhealthy"]);
  const limit = await get("/api/limit/ada?limit=1&window=10s", { method: "POST" });
  assert.deepEqual([limit.status, limit.json.source], [200, "failure"]);
  const cached = await get("/api/cache/kept");
  assert.equal(cached.status, 404);
  const put = await get("/api/cache/kept", { method: "PUT", body: "2" });
  assert.equal(put.status, 503);
  const fetched = await get("/api/fetch/kept?ms=50");
  assert.deepEqual([fetched.status, fetched.headers.get("cache-status")], [200, "upstash-edge; fwd=miss"]);
  const session = await get("/api/session", { headers });
  assert.equal(session.status, 503);
  const logout = await get("/api/session/logout", { method: "POST", headers });
  assert.equal(logout.status, 503);
  const page = await get("/api/page", { headers });
  assert.deepEqual([page.status, page.json.userId], [200, null]);
  for (const answer of [health, limit, cached, put, fetched, session, logout, page]) {
    assert.ok(answer.ms < 3_000, `${Math.round(answer.ms)} ms`);
  }
}

async function expectRecovery() {
  for (let tries = 0; (await get("/api/health")).json.status !== "healthy"; tries++) {
    assert.ok(tries < 100, "it did not recover");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal((await get("/api/limit/back?limit=1&window=10s", { method: "POST" })).json.source, "redis");
  assert.equal((await get("/api/limit/back?limit=1&window=10s", { method: "POST" })).status, 429);
  assert.equal((await get("/api/cache/again", { method: "PUT", body: "3" })).status, 200);
  // Reads begin again within the 2 s for which a cache does not ask a Redis that kept failing.
  for (let tries = 0; (await get("/api/cache/again")).json !== 3; tries++) {
    assert.ok(tries < 50, "the cache did not recover");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test("Redis frozen: everybody is answered by the deadline, and it goes on when Redis does", async () => {
  const cookie = cookieOf((await get("/api/session/login", { method: "POST", body: '{"userId":"ada"}' })).headers);
  await get("/api/cache/kept", { method: "PUT", body: "1" });
  process.kill(stack.redis.pid, "SIGSTOP");
  try {
    await expectPolicies(cookie);
  } finally {
    process.kill(stack.redis.pid, "SIGCONT");
  }
  await expectRecovery();
  assert.equal((await get("/api/session", { headers: { cookie } })).json.userId, "ada");
});

test("Redis killed: everybody is answered at once, and a new Redis is taken without a restart", async () => {
  const cookie = cookieOf((await get("/api/session/login", { method: "POST", body: '{"userId":"ada"}' })).headers);
  const { port } = stack.redis;
  await stack.redis.stop();
  await expectPolicies(cookie);
  stack.redis = await startRedis({ port });
  await expectRecovery();
  assert.equal((await get("/api/session", { headers: { cookie } })).json.status, "expired");
});
