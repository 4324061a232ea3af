// A Worker as it is deployed: strangers find health and a page that says how to open the console, and nothing else.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, startStack, stats } from "./stack.mjs";

const { gateway, worker } = await startStack({});

test("without DEMO=1 and ADMIN_TOKEN there are only health and the page", async () => {
  assert.equal((await ask(worker.url, "/api/health")).status, 200);
  const before = await stats(gateway.url);
  for (const [method, path] of [
    ["GET", "/nothing"],
    ["GET", "/api/console/nothing"],
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
  for (const [method, path] of [
    ["GET", "/api/admin/session"],
    ["POST", "/api/admin/session"],
    ["DELETE", "/api/admin/session"],
    ["GET", "/api/admin/metrics"],
    ["GET", "/api/admin/cache"],
    ["POST", "/api/admin/limit"],
    ["POST", "/api/admin/sessions"],
  ]) {
    const answer = await ask(worker.url, path ?? "", { method });
    assert.deepEqual([answer.status, answer.json.error.code], [404, "not_configured"], `${method} ${path}`);
  }
  for (const path of ["/", "/api/console/"]) assert.equal((await ask(worker.url, path)).status, 200);
  assert.deepEqual(await stats(gateway.url), before);
});
