// The clients that others published, unchanged, on the gateway: it speaks the protocol they were written for.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis";
import { startGateway, startRedis } from "../../scripts/stack.mjs";

const token = "token-of-the-tests";
const server = await startRedis();
const gateway = await startGateway({ redisUrl: server.url, token });
after(async () => {
  await gateway.stop();
  await server.stop();
});
const redis = new Redis({ url: gateway.url, token, enableTelemetry: false });

test("@upstash/redis: values, hashes, sorted sets", async () => {
  assert.equal(await redis.set("k", { a: [1, "é😀"] }, { ex: 60 }), "OK");
  assert.deepEqual(await redis.get("k"), { a: [1, "é😀"] });
  assert.equal(await redis.hset("h", { f: "v", n: 1 }), 2);
  assert.deepEqual(await redis.hgetall("h"), { f: "v", n: 1 });
  assert.equal(await redis.zadd("z", { score: 1, member: "m" }), 1);
  assert.deepEqual(await redis.zrange("z", 0, -1, { withScores: true }), ["m", 1]);
  assert.equal(await redis.get("none"), null);
});

test("@upstash/redis: pipelines, transactions, auto-pipelining", async () => {
  assert.deepEqual(await redis.pipeline().set("p", 1).incr("p").get("p").exec(), ["OK", 2, 2]);
  assert.deepEqual(await redis.multi().set("m", "x").get("m").exec(), ["OK", "x"]);
  assert.deepEqual(await Promise.all([redis.incr("a"), redis.incr("a"), redis.incr("a")]), [1, 2, 3]);
  await assert.rejects(redis.multi().set("m", "x").lpush("m", "y").exec());
});

test("@upstash/redis: scripts, and errors in its own form", async () => {
  const script = redis.createScript("return { KEYS[1], ARGV[1] }");
  assert.deepEqual(await script.exec(["k"], ["v"]), ["k", "v"]);
  assert.deepEqual(await script.exec(["k"], ["w"]), ["k", "w"]);
  await redis.scriptFlush();
  assert.deepEqual(await script.exec(["k"], ["x"]), ["k", "x"]);
  await assert.rejects(redis.lpush("k", "v"), /WRONGTYPE/);
  await assert.rejects(new Redis({ url: gateway.url, token: "wrong", enableTelemetry: false }).get("k"), /[Uu]nauthorized|WRONGPASS/);
});

test("@upstash/redis: a subscription hears what is published", async () => {
  const subscription = redis.subscribe(["news"]);
  const heard = new Promise((resolve) => subscription.on("message", resolve));
  await new Promise((resolve) => subscription.on("subscribe", resolve));
  assert.equal(await redis.publish("news", { n: 1 }), 1);
  assert.deepEqual(/** @type {any} */ (await heard).message, { n: 1 });
  await subscription.unsubscribe(["news"]);
});

for (const [name, limiter] of Object.entries({
  "sliding window": Ratelimit.slidingWindow(3, "60 s"),
  "fixed window": Ratelimit.fixedWindow(3, "60 s"),
  "token bucket": Ratelimit.tokenBucket(3, "60 s", 3),
})) {
  test(`@upstash/ratelimit: ${name}`, async () => {
    const ratelimit = new Ratelimit({ redis, limiter, prefix: name, ephemeralCache: false });
    const answers = [];
    for (let n = 0; n < 5; n++) answers.push(await ratelimit.limit("ada"));
    assert.deepEqual(answers.map(({ success }) => success), [true, true, true, false, false]);
    assert.equal(answers[0]?.remaining, 2);
  });
}
