// 500 requests of one isolate at once, through one client made when it started: Workers forbid one request to await what
// another began, so each must have an I/O of its own, hear its own answers, and end.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { startGateway, startRedis } from "../../scripts/stack.mjs";
import { startWorkerd } from "../../scripts/workerd.mjs";

const REQUESTS = 500;
const TOKEN = "token-of-the-tests";

const redis = await startRedis();
const gateway = await startGateway({ redisUrl: redis.url, token: TOKEN });

/** Requests that wait for the others: passed on when all are in flight. @type {(() => void)[]} */
const held = [];
let holding = false;
let most = 0;
const front = createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  if (holding) {
    await new Promise((resolve) => {
      held.push(() => resolve(undefined));
      most = Math.max(most, held.length);
      if (held.length === REQUESTS) for (const go of held.splice(0)) go();
    });
  }
  const headers = /** @type {Record<string, string>} */ (request.headers);
  const { authorization = "", "content-type": type = "", "upstash-response-format": format = "" } = headers;
  const answer = await fetch(gateway.url + request.url, { method: "POST", headers: { authorization, "content-type": type, "upstash-response-format": format }, body: Buffer.concat(parts) });
  response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" }).end(Buffer.from(await answer.arrayBuffer()));
});
await new Promise((resolve) => front.listen(0, "127.0.0.1", () => resolve(undefined)));
const { port } = /** @type {import("node:net").AddressInfo} */ (front.address());

const worker = await startWorkerd(
  `import { Cache, RateLimiter, Redis, Sessions, slidingWindow } from "../../pkg/dist/workerd.js";
const redis = new Redis({ url: "http://127.0.0.1:${port}", token: "${TOKEN}", timeout: "60s" });
const limiter = new RateLimiter(redis, { limits: slidingWindow(10, "1h"), timeout: "60s" });
const cache = new Cache(redis, { timeout: "60s" });
const sessions = new Sessions(redis, { secrets: "a secret of the tests, 32 bytes long or more" });
export default {
  async fetch(request) {
    const id = new URL(request.url).pathname;
    if (id === "/") return new Response();
    const [set, own, decision, cached, session] = await Promise.all([
      redis.set(id, id), redis.get(id), limiter.check(id), cache.get(id), sessions.load(""),
    ]);
    return Response.json([set, own, decision.remaining, decision.source, cached ?? null, session.status]);
  },
};
`,
  import.meta.dirname,
);
after(async () => {
  await worker.stop();
  front.closeAllConnections();
  front.close();
  await gateway.stop();
  await redis.stop();
});

test(`${REQUESTS} requests in flight share one client: each has its own answers, none waits for another's`, async () => {
  holding = true;
  const ids = Array.from({ length: REQUESTS }, (_, n) => `/${n}`);
  const answers = await Promise.all(ids.map(async (id) => (await fetch(worker.url + id, { signal: AbortSignal.timeout(60_000) })).text()));
  // Held until each had sent one of its own: none shared another's, none sent two.
  assert.equal(most, REQUESTS);
  assert.deepEqual(answers.map((text) => JSON.parse(text)), ids.map((id) => ["OK", id, 9, "redis", null, "new"]));
});
