// A Worker's fetch behind an edge, called here with an `env` and a context of its own.

import assert from "node:assert/strict";
import { test } from "node:test";
import { beside, packed, SECRET, startStack } from "./stack.mjs";

const { vars } = await startStack();
const path = beside();
const { Cache, Edge, Redis, Sessions } = await packed(path, "inline.js");
const { handler } = await packed(path, "workers.js");

/** @param {any} env */
function make(env) {
  const redis = Redis.fromEnv(env);
  return new Edge({ redis, sessions: new Sessions(redis, { secrets: SECRET }), cache: new Cache(redis, { name: env.NAME, metrics: false }) });
}

test("fetch is told the visit, env and context, and the store goes to waitUntil", async () => {
  /** @type {Promise<unknown>[]} */
  const works = [];
  const context = { waitUntil: (/** @type {Promise<unknown>} */ work) => void works.push(work) };
  const env = { ...vars, NAME: "one" };
  let asked = 0;
  const worker = handler(make, (/** @type {Request} */ request, /** @type {any} */ visit, /** @type {any} */ given, /** @type {any} */ ctx) => {
    assert.deepEqual([given, ctx, visit.decision], [env, context, undefined]);
    asked++;
    return new Response(new URL(request.url).pathname, { headers: { "cache-control": "max-age=60" } });
  });
  const get = async () => (await worker.fetch(new Request("http://a.test/page"), env, context)).text();
  const first = await get();
  assert.equal(works.length, 1);
  await Promise.all(works);
  assert.deepEqual([first, await get(), asked], ["/page", "/page", 1]);
});

test("one edge is made for an env, and a bad one is told", async () => {
  let made = 0;
  const worker = handler(
    (/** @type {any} */ env) => {
      made++;
      return make(env);
    },
    () => new Response("ok"),
  );
  const context = { waitUntil() {} };
  const [one, two] = [{ ...vars, NAME: "a" }, { ...vars, NAME: "b" }];
  for (const env of [one, one, two, one]) await worker.fetch(new Request("http://a.test/"), env, context);
  assert.equal(made, 2);
  await assert.rejects(worker.fetch(new Request("http://a.test/"), {}, context), { code: "invalid_config", message: /UPSTASH_REDIS_REST_URL/ });
  const wrong = handler(() => ({}), () => new Response());
  await assert.rejects(wrong.fetch(new Request("http://a.test/"), {}, context), { code: "invalid_argument", message: /edge must be/ });
  assert.throws(() => handler(make), { code: "invalid_argument", message: /fetch must be a function/ });
});
