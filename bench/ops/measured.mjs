// The three ways in workerd and in Node, each in turns: what an operation takes of time, and of the processor.

import { Ratelimit } from "@upstash/ratelimit";
import { Redis as Peer } from "@upstash/redis";
import { randomBytes } from "node:crypto";
import { startGateway, startRedis } from "../../scripts/stack.mjs";
import { startWorkerd } from "../../scripts/workerd.mjs";
import { cpuOf, inTurns, sized } from "../lib/rounds.mjs";
import { captured, run } from "./ways.mjs";

// Built before this is run.
const path = "../../pkg/dist/inline.js";
export const ours = await import(path);
const peers = { Redis: Peer, Ratelimit };

/** Does what it is told, and answers when that is done. */
const WORKER = `
import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis/cloudflare";
import * as ours from "../../pkg/dist/workerd.js";
import { run } from "./ways.mjs";
export default {
  async fetch(request) {
    await run(await request.json(), ours, { Redis, Ratelimit });
    return new Response();
  },
};
`;

/** @typedef {import("./ways.mjs").Op} Op */
/** @typedef {import("./ways.mjs").Way} Way */
/** @typedef {{op: Op, tick?: number, callers: number, times: number}} Case callers that are there at once, each with its own request to the Worker; ticks of each */
/** @typedef {"workerd" | "node"} Runtime */

/** A Redis, a gateway and a workerd, and what measures in them. */
export async function started() {
  const redis = await startRedis();
  const token = randomBytes(24).toString("hex");
  const gateway = await startGateway({ redisUrl: redis.url, token });
  const workerd = await startWorkerd(WORKER, import.meta.dirname);
  const server = { url: gateway.url, token };
  // What is asked for is there.
  await run({ server, way: "ours", op: "set", tick: 1_000, times: 1 }, ours, peers);

  /** @param {import("./ways.mjs").Work} work */
  const inWorkerd = async (work) => {
    const answer = await fetch(workerd.url, { method: "POST", body: JSON.stringify(work) });
    if (!answer.ok) throw new Error(`the Worker failed: ${await answer.text()}\n${workerd.output()}`);
  };
  const own = () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  };
  const runtimes = {
    workerd: { act: inWorkerd, cpu: () => cpuOf(workerd.pid) },
    node: { act: (/** @type {import("./ways.mjs").Work} */ work) => run(work, ours, peers), cpu: own },
  };

  /**
   * Each way's operations a second, and microseconds of the processor an operation, by round.
   * @param {Runtime} runtime @param {Case} one @param {number} rounds
   */
  async function measured(runtime, { op, tick = 1, callers, times }, rounds) {
    const asked = await captured(ours, server, op, tick);
    const { act, cpu } = runtimes[runtime];
    const way = (/** @type {Way} */ way) => async () => {
      const [time, before] = [performance.now(), cpu()];
      await Promise.all(Array.from({ length: callers }, () => act({ server, way, op, tick, times, asked })));
      const done = callers * times * tick;
      return { rate: done / ((performance.now() - time) / 1000), cpu: (cpu() - before) / done };
    };
    return inTurns({ bare: way("bare"), ours: way("ours"), peer: way("peer") }, rounds, sized(5, 3));
  }
  const requests = async () => (await (await fetch(`${gateway.url}/stats`)).json()).requests;
  return { server, measured, requests, act: inWorkerd };
}
