// What a call takes of its runtime beyond bare fetch of the same bytes, so that it cannot grow unseen.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { counts } from "../../bench/ops/count.mjs";
import { captured, fill } from "../../bench/ops/ways.mjs";
import { startGateway, startRedis } from "../../scripts/stack.mjs";

// Built before the tests are run.
const path = "../../pkg/dist/inline.js";
/** @type {{Redis: import("../../bench/ops/ways.mjs").Client}} */
const { Redis } = await import(path);

const redis = await startRedis();
const gateway = await startGateway({ redisUrl: redis.url, token: "token-of-the-tests" });
after(async () => {
  await gateway.stop();
  await redis.stop();
});
const at = { url: gateway.url, token: "token-of-the-tests" };
await fill(at);
const server = { ...at, asked: await captured(Redis, at) };

/** @param {import("../../bench/ops/ways.mjs").Shape} shape @param {Partial<import("../../bench/ops/count.mjs").Counts>} most */
async function takes(shape, most) {
  const { own, whole } = await counts(server, shape);
  for (const [name, bound] of Object.entries(most)) {
    const taken = own[/** @type {keyof typeof own} */ (name)];
    assert.ok(taken <= bound, `${name}: ${taken} where at most ${bound} are allowed`);
    // Fetch alone takes some of each but crossings: none at all would be a count that counts nothing.
    assert.ok(whole[/** @type {keyof typeof own} */ (name)] > 0, `${name} are not counted`);
  }
}

test("one get takes no more than this of its runtime", () =>
  takes("one", { promises: 10, microtasks: 0, timers: 1, controllers: 1, crossings: 16 }));

test("100 gets of one tick take one promise each, but no timer, signal or microtask each", () =>
  takes("many", { promises: 210, microtasks: 0, timers: 1, controllers: 1, crossings: 214 }));
