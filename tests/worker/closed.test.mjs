// A Worker as it is deployed: strangers find health, and nothing else.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, startStack, stats } from "./stack.mjs";

const { gateway, worker } = await startStack({});

test("without DEMO=1 there is only health", async () => {
  assert.equal((await ask(worker.url, "/api/health")).status, 200);
  const before = await stats(gateway.url);
  for (const [method, path] of [
    ["GET", "/"],
    ["GET", "/app.js"],
    ["GET", "/api/page"],
    ["GET", "/api/cache/a"],
    ["PUT", "/api/cache/a"],
    ["DELETE", "/api/cache/a"],
    ["GET", "/api/fetch/a"],
    ["POST", "/api/limit/a"],
    ["GET", "/api/session"],
    ["PUT", "/api/session"],
    ["POST", "/api/session/login"],
    ["POST", "/api/session/logout"],
  ]) {
    const answer = await ask(worker.url, path ?? "", { method });
    assert.deepEqual([answer.status, answer.json.error.code], [404, "not_found"], `${method} ${path}`);
  }
  assert.deepEqual(await stats(gateway.url), before);
});
