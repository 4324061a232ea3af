// A worker of a queue, in a process of its own: `node queue-worker.mjs URL TOKEN QUEUE LEASE TAKES-MS`. It writes down each job
// that it begins and each that it has done, where whoever started it looks, and drains until nothing is left.

import { setTimeout as sleep } from "node:timers/promises";

/** What is built, with the types that are written by hand. @param {string} file */
const built = (file) => import(new URL(`../../pkg/dist/${file}`, import.meta.url).href);
/** @type {typeof import("../../pkg/index.js")} */
const { Redis } = await built("inline.js");
/** @type {typeof import("../../pkg/queue.js")} */
const { Queue } = await built("queue.js");

const [url = "", token = "", name = "", lease = "", takesMs = "0"] = process.argv.slice(2);
const redis = new Redis({ url, token, timeout: "30s" });
const queue = new Queue(redis, name, { lease: /** @type {any} */ (lease), attempts: 100, timeout: "30s", backoff: { base: "1ms", max: "1ms" } });

/** @param {import("../../pkg/queue.js").Job} job */
async function work({ payload }) {
  await redis.rpush(`${name}:begun`, `${payload} ${process.pid}`);
  await sleep(Number(takesMs));
  await redis.rpush(`${name}:done`, `${payload} ${process.pid}`);
}

for (;;) {
  const drained = await queue.drain(work, { concurrency: 20 }).catch(() => undefined);
  if (drained) console.log(JSON.stringify(drained));
  const counts = await queue.counts().catch(() => undefined);
  if (counts && counts.ready + counts.delayed + counts.leased === 0) break;
  await sleep(20);
}
