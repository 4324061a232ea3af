// The secrets of sessions are changed in the Worker while browsers go on asking it.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startGateway, startRedis, startWorker } from "../../scripts/stack.mjs";
import { ask, cookieOf, TOKEN } from "./stack.mjs";

const OLDER = "an older secret of the tests that is 32 bytes long or more";
const NEWER = "a newer secret of the tests that is 32 bytes long or more";

const redis = await startRedis();
const gateway = await startGateway({ redisUrl: redis.url, token: TOKEN });
const env = { DEMO: "1", UPSTASH_REDIS_REST_URL: gateway.url, UPSTASH_REDIS_REST_TOKEN: TOKEN };
const stages = [OLDER, `${OLDER},${NEWER}`, `${NEWER},${OLDER}`, NEWER];
const workers = await Promise.all(stages.map((secrets) => startWorker({ vars: { ...env, SESSION_SECRETS: secrets } })));
after(async () => {
  for (const worker of workers) await worker.stop();
  await gateway.stop();
  await redis.stop();
});

/** @param {number} stage @param {string} path @param {RequestInit} [init] */
const get = (stage, path, init) => ask(workers[stage]?.url ?? "", path, init);

test("secrets are changed under live traffic and nobody is logged out", async () => {
  const browsers = Array.from({ length: 8 }, async (_, n) => {
    const userId = `user ${n}`;
    const login = await get(0, "/api/session/login", { method: "POST", body: JSON.stringify({ userId }) });
    const first = cookieOf(login.headers);
    let cookie = first;
    for (let request = 0; request < 32; request++) {
      const stage = request >> 3;
      // While a change spreads, half of the isolates are still a stage behind.
      const behind = stage > 0 && stage < 3 && request % 8 < 4 && (request + n) % 2 === 0;
      const answer = await get(stage - Number(behind), "/api/session", { headers: { cookie } });
      assert.deepEqual([answer.json.userId, answer.headers.get("cache-control")], [userId, "no-store"], `request ${request}`);
      cookie = cookieOf(answer.headers) || cookie;
    }
    const replayed = await get(3, "/api/session", { headers: { cookie: first } });
    assert.equal(replayed.json.status, "invalid");
  });
  await Promise.all(browsers);
});
