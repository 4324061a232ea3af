// A session whose first save was done, though its caller was told that it failed.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startGateway, startRedis } from "../../scripts/stack.mjs";
import { FATES, startProxy } from "./proxy.mjs";

// Built before the tests are run, and typed by hand.
const path = "../../pkg/dist/inline.js";
/** @type {typeof import("../../pkg/index.js")} */
const { Redis, Sessions } = await import(path);

const token = "token-of-the-tests";
const server = await startRedis();
const gateway = await startGateway({ redisUrl: server.url, token });
const proxy = await startProxy(gateway.url);
after(async () => {
  proxy.close();
  await gateway.stop();
  await server.stop();
});

test("saved again, it is as it is now", async () => {
  const redis = new Redis({ url: proxy.url, token, timeout: "5s", retry: false });
  const sessions = new Sessions(redis, { secrets: ["a secret of the tests, 32 bytes long or more"], timeout: "5s" });
  // The first use teaches the server the script.
  const first = await sessions.load("");
  first.set("k", 0);
  await first.save();

  const session = await sessions.load("");
  session.set("k", 1);
  session.set("gone", 1);
  proxy.fate = FATES["dropped after the commit"];
  await assert.rejects(session.save(), { code: "network" });
  session.set("k", 2);
  session.delete("gone");
  const [told = ""] = await session.save();
  const cookie = told.split(";")[0] ?? "";
  const found = await sessions.load(cookie);
  assert.deepEqual([found.get("k"), found.get("gone")], [2, undefined]);
  session.set("k", 3);
  await session.save();
  assert.equal((await sessions.load(cookie)).get("k"), 3);
});
