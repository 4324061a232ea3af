// The front's variables: what is wrong is told by name, before any request is served by it; and other policies than the usual.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { address, ask, requests, SECRET, startFront } from "./front.mjs";
import { startOrigin } from "./origin.mjs";

const origin = await startOrigin({ "/login": (_, response) => response.setHeader("upstash-edge-login", "ada").end("welcome") });

test("a wrong variable is named by every answer and in the log, and nothing reaches the origin", async () => {
  const front = await startFront({ ORIGIN_URL: origin.url, RATE_LIMIT: "many" });
  for (const path of ["/", "/api/health"]) {
    const answer = await ask(front.url + path);
    assert.equal(answer.status, 500);
    const { error } = await answer.json();
    assert.equal(error.code, "invalid_config");
    assert.match(error.message, /^RATE_LIMIT: /);
  }
  assert.match(front.worker.output(), /RATE_LIMIT: a limit is/);
  assert.equal(origin.seen.length, 0);
});

describe("by session, and strict", async () => {
  const strict = {
    ORIGIN_URL: origin.url,
    RATE_LIMIT: "3/1m",
    RATE_LIMIT_BY: "session",
    RATE_LIMIT_ON_FAILURE: "deny",
    SESSION_SECRETS: SECRET,
    SESSION_ON_FAILURE: "refuse",
    ADDRESS_HEADER: "X-Real-IP",
    RULES: JSON.stringify([{ path: "/unlimited", limit: false }]),
  };
  const front = await startFront(strict);
  /** @param {string} path @param {Record<string, string>} headers */
  const get = async (path, headers) => ask(front.url + path, { headers });

  test("a session counts wherever it comes from, and who has none by the configured header", async () => {
    const [cookie = ""] = (await get("/login", { "x-real-ip": address() })).headers.getSetCookie();
    const own = { cookie: cookie.split(";")[0] ?? "" };
    for (let n = 0; n < 3; n++) assert.equal((await get("/", { ...own, "x-real-ip": address() })).status, 200);
    assert.equal((await get("/", { ...own, "x-real-ip": address() })).status, 429);
    const from = address();
    for (let n = 0; n < 3; n++) assert.equal((await get("/", { "x-real-ip": from })).status, 200);
    assert.equal((await get("/", { "x-real-ip": from })).status, 429);
  });

  test("who cannot be told from others is refused, not counted with them", async () => {
    assert.equal((await get("/", {})).status, 400);
    assert.equal((await get("/", { "x-real-ip": "unknown" })).status, 400);
    // Where nobody is counted it does not matter.
    assert.equal((await get("/unlimited", {})).status, 200);
  });

  test("without Redis nobody passes where that is the policy", async () => {
    const [cookie = ""] = (await get("/login", { "x-real-ip": address() })).headers.getSetCookie();
    await front.redis.stop();
    assert.equal((await get("/", { "x-real-ip": address() })).status, 429);
    assert.equal((await get("/unlimited", { cookie: cookie.split(";")[0] ?? "" })).status, 503);
    assert.equal(await requests(front.gateway.url, () => get("/unlimited", {})), 0);
  });
});
