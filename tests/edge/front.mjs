// The Worker before an origin, in workerd, and raw requests to it.

import { connect } from "node:net";
import { after } from "node:test";
import { startGateway, startRedis, startWorker } from "../../scripts/stack.mjs";
import { stats } from "../worker/stack.mjs";

const TOKEN = "token-of-the-tests";
export const SECRET = "a secret of the tests that is 32 bytes long or more";

/** @param {Record<string, string>} vars */
export async function startFront(vars) {
  const redis = await startRedis();
  const gateway = await startGateway({ redisUrl: redis.url, token: TOKEN });
  const worker = await startWorker({ vars: { UPSTASH_REDIS_REST_URL: gateway.url, UPSTASH_REDIS_REST_TOKEN: TOKEN, ...vars } });
  after(async () => {
    await worker.stop();
    await gateway.stop();
    await redis.stop();
  });
  return { redis, gateway, worker, url: worker.url, port: worker.port };
}

let visitors = 0;

/** An address that nobody had before. */
export const address = () => `10.1.${(++visitors >> 8) & 255}.${visitors & 255}`;

/**
 * One request, by a visitor of its own unless it names an address.
 * @param {string} url @param {RequestInit & {headers?: Record<string, string>}} [init]
 */
export function ask(url, { headers, ...init } = {}) {
  return fetch(url, { redirect: "manual", ...init, headers: { "cf-connecting-ip": address(), ...headers } });
}

/** How many requests the gateway was asked while this ran, once it has been quiet. @param {string} gateway @param {() => Promise<unknown>} run */
export async function requests(gateway, run) {
  const before = await stats(gateway);
  await run();
  let now = await stats(gateway);
  for (let still = 0; still < 4; still++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const next = await stats(gateway);
    if (next.requests !== now.requests) still = 0;
    now = next;
  }
  return now.requests - before.requests;
}

/**
 * What comes back for these bytes, until the server ends the connection or is silent for a while.
 * @param {number} port @param {string} text @param {number} [silenceMs]
 * @returns {Promise<string>}
 */
export function raw(port, text, silenceMs = 1500) {
  return new Promise((resolve) => {
    let got = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text, "latin1"));
    socket.setTimeout(silenceMs, () => socket.destroy());
    socket.on("data", (data) => (got += data.toString("latin1")));
    socket.on("error", () => {});
    socket.on("close", () => resolve(got));
  });
}

/** Until it is so. @param {() => unknown} holds @param {number} [seconds] */
export async function until(holds, seconds = 6) {
  for (let tries = 0; tries < seconds * 50; tries++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`it did not come true within ${seconds} s`);
}
