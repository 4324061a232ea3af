import * as core from "#core";
import { milliseconds } from "./duration.js";
import { ask } from "./redis.js";

/** @param {import("./redis.js").Redis} redis @param {{timeout?: string}} [options] */
export async function health(redis, options) {
  const { timeout = "2s" } = options ?? {};
  const timeoutMs = milliseconds("timeout", timeout);
  const found = await ask(redis, (handle) => core.push_health(handle, Date.now(), timeoutMs), timeoutMs);
  return { ...found, checkedAt: new Date(found.checkedAt).toISOString() };
}
