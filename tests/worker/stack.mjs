// One Redis, one gateway and one Worker for a test file.

import { after } from "node:test";
import { startGateway, startRedis, startWorker } from "../../scripts/stack.mjs";

export const TOKEN = "token-of-the-tests";

/** @param {Record<string, string>} [vars] */
export async function startStack(vars = { DEMO: "1" }) {
  const redis = await startRedis();
  const gateway = await startGateway({ redisUrl: redis.url, token: TOKEN });
  const secrets = {
    UPSTASH_REDIS_REST_URL: gateway.url,
    UPSTASH_REDIS_REST_TOKEN: TOKEN,
    SESSION_SECRETS: "a secret of the tests that is 32 bytes long or more",
  };
  const worker = await startWorker({ vars: { ...secrets, ...vars } });
  const stack = { redis, gateway, worker };
  after(async () => {
    await worker.stop();
    await gateway.stop();
    await stack.redis.stop();
  });
  return stack;
}

/** @param {string} url @returns {Promise<{requests: number, commands: number}>} */
export async function stats(url) {
  return (await fetch(`${url}/stats`)).json();
}

/**
 * Asks the Worker and gathers the answer.
 * @param {string} base @param {string} path @param {RequestInit} [init]
 */
export async function ask(base, path, init) {
  const started = performance.now();
  const response = await fetch(base + path, { redirect: "manual", ...init });
  const text = await response.text();
  const json = text && response.headers.get("content-type")?.startsWith("application/json") ? JSON.parse(text) : undefined;
  return { status: response.status, headers: response.headers, text, json, ms: performance.now() - started };
}

/** The `Cookie` header a browser sends back. @param {Headers} headers */
export function cookieOf(headers) {
  return headers.getSetCookie().map((cookie) => cookie.split(";")[0]).join("; ");
}
