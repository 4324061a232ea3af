// Each fault 200 times, on the way of one call: an INCR beside a SET and a GET. Nothing is doubled, nobody gets a
// wrong answer, every call ends, and what is harmless to repeat is answered where another attempt can answer it.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startGateway, startRedis } from "../../scripts/stack.mjs";
import { FATES, startProxy } from "./proxy.mjs";

// Built before the tests are run, and typed by hand.
const path = "../../pkg/dist/inline.js";
/** @type {typeof import("../../pkg/index.js")} */
const { Redis } = await import(path);

const CALLS = 200;
const token = "token-of-the-tests";
const redis = await startRedis();
const gateway = await startGateway({ redisUrl: redis.url, token });
const proxy = await startProxy(gateway.url);
const direct = new Redis({ url: gateway.url, token });
// A client of its own for each fault, with one URL each: what one learns of its server is not the next one's affair.
after(async () => {
  proxy.close();
  await gateway.stop();
  await redis.stop();
  console.log(["fault", "calls", "sends a call", "INCR twice", "wrong answers", "SET and GET answered"].join(" | "));
  for (const row of rows) console.log(row.join(" | "));
});

/** @type {(string | number)[][]} */
const rows = [];

for (const [name, fate] of Object.entries(FATES)) {
  test(`${name}: nothing doubled, no wrong answer`, async () => {
    const silent = name.startsWith("silence");
    const client = new Redis({ url: proxy.url, token, timeout: silent ? "30ms" : "5s", retry: { base: "1ms", max: "2ms" } });
    const seen = { doubled: 0, wrong: 0, answered: 0, before: proxy.requests };
    for (let n = 0; n < CALLS; n++) {
      const [counter, key, value] = [`${name}:n:${n}`, `${name}:k:${n}`, crypto.randomUUID()];
      proxy.fate = fate;
      const [set, incr, get] = await Promise.allSettled([client.set(key, value), client.incr(counter), client.get(key)]);
      const applied = Number((await direct.get(counter)) ?? 0);
      if (applied > 1) seen.doubled += 1;
      const right = set.status === "fulfilled" && set.value === "OK" && get.status === "fulfilled" && get.value === value;
      if (right) seen.answered += 1;
      const told = [set, incr, get].filter(({ status }) => status === "fulfilled").length;
      // An INCR that was answered would be a made-up answer: its own was lost.
      if (incr.status === "fulfilled" || (told > 0 && !right)) seen.wrong += 1;
    }
    const sends = (proxy.requests - seen.before) / CALLS;
    rows.push([name, CALLS, sends, seen.doubled, seen.wrong, seen.answered]);
    assert.deepEqual([seen.doubled, seen.wrong], [0, 0]);
    // A lost answer is asked for once more; an answer that cannot be believed, or that never comes, is told.
    const again = /dropped|half|429|503/.test(name);
    assert.equal(seen.answered, again ? CALLS : 0);
    if (again) assert.equal(sends, 2);
    // A deadline of 30 ms can pass before anything is sent.
    else assert.ok(sends <= 1);
  });
}
