// Several isolates on one identifier at once: together they admit the limit, and never one more.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Worker } from "node:worker_threads";
import { startGateway, startRedis } from "../../scripts/stack.mjs";

const ISOLATES = 4;
const CHECKS = 250;
const ROUNDS = 100;
const TOKEN = "token-of-the-tests";

const redis = await startRedis();
const gateway = await startGateway({ redisUrl: redis.url, token: TOKEN });

const program = `
import { parentPort, workerData } from "node:worker_threads";
const { RateLimiter, Redis, fixedWindow, slidingWindow, tokenBucket } = await import(workerData.path);
const redis = new Redis(workerData.at);
parentPort.on("message", async (round) => {
  const limit = [slidingWindow(100, "1h"), fixedWindow(100, "300d"), tokenBucket(100, 1, "1h"), slidingWindow(1000, "1h")][round % 4];
  // Another identifier a round; whoever waits too long for Redis is another test's.
  const limiter = new RateLimiter(redis, { limits: limit, name: "isolates", timeout: "60s", memory: round % 2 === 0 && {} });
  const decisions = await Promise.all(Array.from({ length: ${CHECKS} }, () => limiter.check("round-" + round, { cost: round % 4 === 3 ? 10 : 1 })));
  parentPort.postMessage(decisions.map(({ allowed, source }) => (source === "failure" ? NaN : Number(allowed))));
});
`;
const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`);
const workerData = { path: new URL("../../pkg/dist/inline.js", import.meta.url).href, at: { url: gateway.url, token: TOKEN, timeout: "60s" } };
const isolates = Array.from({ length: ISOLATES }, () => new Worker(url, { workerData }));
after(async () => {
  await Promise.all(isolates.map((isolate) => isolate.terminate()));
  await gateway.stop();
  await redis.stop();
});

/** @param {Worker} isolate @param {number} round @returns {Promise<number[]>} */
const asked = (isolate, round) =>
  new Promise((resolve, reject) => {
    isolate.once("error", reject);
    isolate.once("message", resolve);
    isolate.postMessage(round);
  });

test(`${ISOLATES} isolates, ${CHECKS} checks each at once, ${ROUNDS} rounds: exactly the limit each time`, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const allowed = (await Promise.all(isolates.map((isolate) => asked(isolate, round)))).flat();
    assert.equal(allowed.length, ISOLATES * CHECKS);
    assert.equal(allowed.reduce((sum, one) => sum + one, 0), 100, `round ${round}`);
    for (const isolate of isolates) isolate.removeAllListeners("error");
  }
});
