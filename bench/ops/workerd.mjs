// What is measured, in workerd; and what it costs there.

import { readFileSync, readdirSync } from "node:fs";
import { startWorkerd } from "../../scripts/workerd.mjs";

/** Does what it is told, and answers when that is done. */
const WORKER = `
import { Redis as peer } from "@upstash/redis/cloudflare";
import { Redis as ours } from "../../pkg/dist/workerd.js";
import { run } from "./ways.mjs";
export default {
  async fetch(request) {
    await run(await request.json(), { ours, peer });
    return new Response();
  },
};
`;

/** Starts it; when this returns, it answers. */
export const startMeasured = () => startWorkerd(WORKER, import.meta.dirname);

/** The time that all threads of a process have run, in microseconds. NaN where the system does not say. @param {number} pid */
export function cpuOf(pid) {
  try {
    const folder = `/proc/${pid}/task`;
    const times = readdirSync(folder).map((thread) => Number(readFileSync(`${folder}/${thread}/schedstat`, "utf8").split(" ")[0]));
    return times.reduce((sum, time) => sum + time) / 1000;
  } catch {
    return NaN;
  }
}
