// What a call takes of its runtime beyond bare fetch of the same bytes, so that it cannot grow unseen.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { counts } from "../../bench/ops/count.mjs";
import { startGateway, startRedis } from "../../scripts/stack.mjs";

const redis = await startRedis();
const gateway = await startGateway({ redisUrl: redis.url, token: "token-of-the-tests" });
after(async () => {
  await gateway.stop();
  await redis.stop();
});
const server = { url: gateway.url, token: "token-of-the-tests" };

/** @param {number} tick @param {Partial<import("../../bench/ops/count.mjs").Counts>} most */
async function takes(tick, most) {
  const { own, whole } = await counts(server, tick);
  for (const [name, bound] of Object.entries(most)) {
    const taken = own[/** @type {keyof typeof own} */ (name)];
    assert.ok(taken <= bound, `${name}: ${taken} where at most ${bound} are allowed`);
    // Fetch alone takes some of each but crossings: none at all would be a count that counts nothing.
    assert.ok(whole[/** @type {keyof typeof own} */ (name)] > 0, `${name} are not counted`);
  }
}

test("one get takes no more than this of its runtime", () =>
  takes(1, { promises: 5, microtasks: 0, timers: 1, controllers: 0, crossings: 15 }));

test("100 gets of one tick take one promise each, but no timer, signal or microtask each", () =>
  takes(100, { promises: 205, microtasks: 0, timers: 1, controllers: 0, crossings: 213 }));
