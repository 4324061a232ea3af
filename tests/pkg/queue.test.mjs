// What a queue promises when things go wrong: who works is killed, Redis is restarted, answers are lost, two are at it at once.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "../../scripts/processes.mjs";
import { startGateway, startRedis } from "../../scripts/stack.mjs";

/** What is built, with the types that are written by hand. @param {string} file */
const built = (file) => import(new URL(`../../pkg/dist/${file}`, import.meta.url).href);
/** @type {typeof import("../../pkg/index.js")} */
const { Redis } = await built("inline.js");
/** @type {typeof import("../../pkg/entries/limiter.js")} */
const { Redis: LimiterRedis } = await built("limiter/inline.js");
/** @type {typeof import("../../pkg/queue.js")} */
const { EdgeError, Queue } = await built("queue.js");

const TOKEN = "token-of-the-tests";

/** A Redis of this part's own, behind a gateway. @param {string[]} [settings] */
async function stack(settings) {
  const redis = await startRedis({ settings });
  const gateway = await startGateway({ redisUrl: redis.url, token: TOKEN });
  after(async () => {
    await gateway.stop();
    await redis.stop();
  });
  return { redis, gateway, client: new Redis({ url: gateway.url, token: TOKEN, timeout: "30s" }) };
}

/** @param {string} url @param {string} name @param {string} lease @param {number} takesMs */
function startWorker(url, name, lease, takesMs) {
  const child = start("node", [join(import.meta.dirname, "queue-worker.mjs"), url, TOKEN, name, lease, `${takesMs}`]);
  after(() => child.stop());
  return child;
}

/** Until it is so. @param {() => Promise<boolean>} so */
async function until(so) {
  for (const began = Date.now(); !(await so()); ) {
    if (Date.now() - began > 120_000) throw new Error("it is not so after two minutes");
    await sleep(20);
  }
}

/** @param {import("../../pkg/queue.js").Queue} queue @param {number} count */
async function filled(queue, count) {
  for (let from = 0; from < count; from += 1000) {
    await queue.enqueueMany(Array.from({ length: Math.min(1000, count - from) }, (_, at) => ({ payload: from + at })));
  }
}

/** Which jobs, by how often they were begun or done. @param {import("../../pkg/index.js").Redis} client @param {string} list */
async function times(client, list) {
  /** @type {Map<string, string[]>} */
  const jobs = new Map();
  for (const line of await client.lrange(list, 0, -1)) {
    const [job = "", pid = ""] = line.split(" ");
    jobs.set(job, [...(jobs.get(job) ?? []), pid]);
  }
  return jobs;
}

describe("jobs", async () => {
  const { client, gateway } = await stack();
  const queue = (/** @type {string} */ name, /** @type {any} */ options = {}) => /** @type {import("../../pkg/queue.js").Queue<any>} */ (new Queue(client, name, options));

  test("are taken in their order, and gone when done", async () => {
    const mail = queue("order");
    const [first] = await mail.enqueueMany([{ payload: { to: "é😀" } }, { payload: null }, { payload: [1.5, "x"] }]);
    const jobs = await mail.take(10);
    assert.deepEqual(jobs.map(({ payload, attempts }) => [payload, attempts]), [[{ to: "é😀" }, 1], [null, 1], [[1.5, "x"], 1]]);
    assert.deepEqual([jobs[0]?.id, first?.added], [first?.id, true]);
    assert.ok(Math.abs((jobs[0]?.leasedUntil ?? 0) - Date.now() - 30_000) < 20_000);
    assert.deepEqual(await Promise.all(jobs.map((job) => mail.ack(job))), [true, true, true]);
    assert.deepEqual(await mail.counts(), { ready: 0, delayed: 0, leased: 0, dead: 0, oldestReadyMs: 0 });
    assert.equal(await mail.ack(/** @type {any} */ (jobs[0])), false);
  });

  test("wait, are retried, die, and live again", async () => {
    const mail = queue("lives", { attempts: 2, backoff: { base: "1ms", max: "1ms" } });
    await mail.enqueue("late", { delay: "1h" });
    await mail.enqueue("later", { at: Date.now() + 3_600_000 });
    await mail.enqueue("now");
    const [job] = await mail.take(9);
    assert.equal(job?.payload, "now");
    assert.deepEqual(await mail.counts(), { ready: 0, delayed: 2, leased: 1, dead: 0, oldestReadyMs: 0 });
    assert.equal(await mail.extend(/** @type {any} */ (job), "1m"), true);
    assert.equal(await mail.retry(/** @type {any} */ (job)), true);
    /** @type {any[]} */
    let again = [];
    await until(async () => (again = await mail.take(9)).length > 0);
    assert.deepEqual([again[0].payload, again[0].attempts], ["now", 2]);
    assert.equal(await mail.retry(again[0], { delay: "1s", reason: "é".repeat(200) }), true);
    const [dead] = await mail.dead(9);
    assert.deepEqual([dead?.payload, dead?.attempts, dead?.reason], ["now", 2, "é".repeat(100)]);
    assert.equal(await mail.requeue([]), 0);
    assert.equal(await mail.requeue([dead?.id ?? "", "nobody"]), 1);
    const [third] = await mail.take(9);
    assert.deepEqual([third?.id, third?.attempts], [dead?.id, 1]);
    assert.equal(await mail.bury(/** @type {any} */ (third), "nobody can"), true);
    assert.deepEqual([await mail.purge(), (await mail.counts()).dead], [1, 0]);
  });

  test("with a key are added once, and by each deploy a repeated one is the same", async () => {
    const mail = queue("keys");
    const first = await mail.enqueue(1, { key: "a {b}" });
    const second = await mail.enqueue(2, { key: "a {b}" });
    assert.deepEqual(second, { id: first.id, added: false });
    for (let deploy = 0; deploy < 3; deploy++) await mail.schedule("digest", "1d", "all");
    assert.deepEqual([(await mail.counts()).ready, (await mail.counts()).delayed], [1, 1]);
    await mail.schedule("digest", "1ms", "all");
    /** @type {any} */
    let job;
    await mail.ack((await mail.take(1))[0] ?? assert.fail());
    await until(async () => Boolean([job] = await mail.take(1)) && Boolean(job));
    assert.deepEqual([job.id, job.payload], ["*digest", "all"]);
    await mail.unschedule("digest");
    assert.deepEqual([await mail.ack(job), (await mail.counts()).delayed], [false, 0]);
  });

  test("stand where the crate finds them", async () => {
    await queue("a b:c").enqueue({ n: 1 }, { key: "k:1" });
    const keys = await client.keys("{a%20b%3Ac:q}:*");
    assert.deepEqual(keys.map((key) => key.replace(/:n:.*/, ":n")).sort(), ["j", "k:k%3A1", "n", "r"].map((end) => `{a%20b%3Ac:q}:${end}`));
  });

  test("of any entry's Redis, and what is none is refused", async () => {
    const other = new Queue(new LimiterRedis({ url: gateway.url, token: TOKEN }), "entry");
    assert.equal((await other.enqueue(1)).added, true);
    for (const options of [{ lease: 5 }, { attempts: 0 }, { attempts: 1.5 }, { backoff: { base: "2s", max: "1s" } }, { deadLimit: 0 }, { keyWindow: "0s" }, { timeout: "31s" }]) {
      assert.throws(() => queue("a", options), (/** @type {any} */ error) => error instanceof EdgeError && error.code === "invalid_config", JSON.stringify(options));
    }
    assert.throws(() => new Queue(/** @type {any} */ ({}), "a"), { code: "invalid_config" });
    for (const name of ["", "x".repeat(129), "\ud800", undefined]) assert.throws(() => queue(/** @type {any} */ (name)), { code: "invalid_argument" });
    const mail = /** @type {any} */ (queue("bad"));
    const cycle = /** @type {any} */ ({});
    cycle.cycle = cycle;
    const bads = [mail.enqueue(), mail.enqueue(() => {}), mail.enqueue(cycle), mail.enqueue("x".repeat(65_535)), mail.enqueue(1, { delay: "1s", at: 5 }), mail.enqueue(1, { at: -1 }), mail.enqueue(1, { at: 1e15 }), mail.enqueue(1, { key: "" }), mail.enqueueMany("a"), mail.enqueueMany(Array(1001).fill({ payload: 1 })), mail.take(0), mail.take(1001), mail.take("1"), mail.ack({ id: "a" }), mail.schedule("", "1s", 1), mail.dead(0), mail.purge([5]), mail.purge("a"), mail.drain(), mail.drain(() => {}, { concurrency: 0 }), mail.drain(() => {}, { limit: 0 }), mail.drain(() => {}, { until: "now" }), mail.drain(() => {}, { waitUntil: 5 })];
    for (const [at, bad] of bads.entries()) await assert.rejects(bad, { code: "invalid_argument" }, `number ${at}`);
    for (const bad of [mail.enqueue(1, { delay: 5 }), mail.schedule("a", 5, 1)]) await assert.rejects(bad, { code: "invalid_config" });
    assert.equal((await mail.counts()).ready, 0);
  });

  /** A fetch whose `lost`th answer is lost. @param {number} lost */
  function lossy(lost) {
    let asked = 0;
    /** @type {typeof fetch} */
    const lossy = async (input, init) => {
      const answer = await fetch(input, init);
      asked += 1;
      if (asked === lost) throw new TypeError("lost");
      return answer;
    };
    return { fetch: lossy, asked: () => asked };
  }

  test("are neither lost nor made two by answers that are lost", async () => {
    const warm = new Queue(new Redis({ url: gateway.url, token: TOKEN }), "lost");
    await warm.enqueue("warm");
    for (const job of await warm.take(1)) await warm.ack(job);
    for (let lost = 1; lost <= 5; lost++) {
      const { fetch, asked } = lossy(lost);
      const mail = new Queue(new Redis({ url: gateway.url, token: TOKEN, timeout: "30s", fetch }), "lost", { timeout: "30s" });
      const added = await mail.enqueueMany([{ payload: 1 }, { payload: 2 }]);
      const jobs = await mail.take(9);
      assert.deepEqual(jobs.map(({ id }) => id).sort(), added.map(({ id }) => id).sort());
      assert.ok(added.every((one) => one.added) && jobs.every(({ attempts }) => attempts === 1));
      assert.deepEqual([await mail.ack(/** @type {any} */ (jobs[0])), await mail.bury(/** @type {any} */ (jobs[1]), "x")], [true, true]);
      assert.deepEqual({ ...(await mail.counts()), dead: 0 }, { ready: 0, delayed: 0, leased: 0, dead: 0, oldestReadyMs: 0 });
      assert.ok(asked() >= 6, "one was sent again");
    }
    assert.equal((await warm.counts()).dead, 5);
  });

  test("are drained within bounds, with a signal that says when the lease is over", async () => {
    const mail = queue("drain", { attempts: 1, lease: "30s" });
    await filled(mail, 30);
    let [now, most] = [0, 0];
    /** @type {Promise<unknown>[]} */
    const waits = [];
    const work = async (/** @type {any} */ { payload }) => {
      most = Math.max(most, ++now);
      await sleep(1);
      now -= 1;
      if (payload % 5 === 0) throw new Error(`no ${payload}`);
    };
    const some = await mail.drain(work, { limit: 10, concurrency: 4, waitUntil: (work) => void waits.push(work) });
    assert.deepEqual([some, most <= 4, waits.length], [{ done: 8, retried: 0, dead: 2, lost: 0 }, true, 1]);
    assert.deepEqual(await mail.drain(work, { until: Date.now() }), { done: 0, retried: 0, dead: 0, lost: 0 });
    assert.deepEqual(await mail.drain(work), { done: 16, retried: 0, dead: 4, lost: 0 });
    assert.equal((await mail.dead(1))[0]?.reason, "no 25");
    // A lease that ends while it is worked on: it is said, and the job is another's.
    const short = queue("short", { lease: "50ms" });
    await short.enqueue("slow");
    /** @type {any[]} */
    const seen = [];
    const drained = await short.drain(async (_, { signal, extend }) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      seen.push(signal.reason.code);
      await until(async () => (await short.take(1)).length === 1);
      seen.push(await extend("1s"));
    }, { limit: 1 });
    assert.deepEqual([seen, drained.lost], [["aborted", false], 1]);
    const long = queue("long", { lease: "2s" });
    await long.enqueue("slow");
    const extended = await long.drain(async (_, { signal, extend }) => {
      seen.push(await extend("1h"));
      await sleep(2_100);
      seen.push(signal.aborted, (await long.take(1)).length);
    });
    assert.deepEqual([seen.slice(2), extended.done], [[true, false, 0], 1]);
  });
});

describe("a worker that is killed", async () => {
  const { gateway, client } = await stack();
  test("loses no job", async () => {
    const JOBS = 400;
    const queue = new Queue(client, "killed", { timeout: "30s" });
    await filled(queue, JOBS);
    const first = startWorker(gateway.url, "killed", "10s", 5);
    await until(async () => (await client.llen("killed:done")) >= 100);
    process.kill(first.pid, "SIGKILL");
    await first.exited;
    const [begun, done] = [await client.llen("killed:begun"), await client.llen("killed:done")];
    assert.ok(done < JOBS, "it was killed midway");
    const second = startWorker(gateway.url, "killed", "10s", 5);
    assert.equal(await second.exited, 0);
    const [ran, ends] = [await times(client, "killed:begun"), await times(client, "killed:done")];
    const twice = [...ran.values()].filter((pids) => pids.length > 1);
    const doneTwice = [...ends.values()].filter((pids) => pids.length > 1);
    console.log(`killed at ${begun} begun and ${done} done of ${JOBS}: lost ${JOBS - ends.size}; begun twice ${twice.length} (their leases were the dead worker's), done twice ${doneTwice.length} (done, and not yet settled)`);
    assert.equal(ends.size, JOBS);
    // Only what the first had on lease.
    assert.ok(twice.every(([pid]) => pid === `${first.pid}`));
    assert.deepEqual(await queue.counts(), { ready: 0, delayed: 0, leased: 0, dead: 0, oldestReadyMs: 0 });
  });
});

describe("two workers at once", async () => {
  const { gateway, client } = await stack();
  test("do ten thousand jobs, none of them both", async () => {
    const JOBS = 10_000;
    const queue = new Queue(client, "race", { timeout: "30s" });
    await filled(queue, JOBS);
    // A lease that no slow machine outlives.
    const workers = [1, 2].map(() => startWorker(gateway.url, "race", "10m", 0));
    assert.deepEqual(await Promise.all(workers.map(({ exited }) => exited)), [0, 0]);
    const begun = await times(client, "race:begun");
    assert.equal(begun.size, JOBS);
    assert.ok([...begun.values()].every((pids) => pids.length === 1));
    const shares = workers.map(({ pid }) => [...begun.values()].filter(([one]) => one === `${pid}`).length);
    assert.ok(shares.every((share) => share > 0), "both worked");
    console.log(`two workers did ${shares.join(" and ")} of ${JOBS}`);
    assert.deepEqual(await queue.counts(), { ready: 0, delayed: 0, leased: 0, dead: 0, oldestReadyMs: 0 });
  });
});

describe("a Redis that is restarted", async () => {
  const folder = mkdtempSync(join(tmpdir(), "upstash-edge-queue-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  // Each write is on its disk before it is answered.
  const settings = ["--dir", folder, "--appendonly", "yes", "--appendfsync", "always"];
  const first = await startRedis({ settings });
  const gateway = await startGateway({ redisUrl: first.url, token: TOKEN });
  after(() => gateway.stop());
  test("has what it said it had", async () => {
    const JOBS = 300;
    const client = new Redis({ url: gateway.url, token: TOKEN, timeout: "30s" });
    const queue = new Queue(client, "restarted", { timeout: "30s" });
    await filled(queue, JOBS);
    const worker = startWorker(gateway.url, "restarted", "2s", 5);
    await until(async () => (await client.llen("restarted:done")) >= 80);
    process.kill(first.pid, "SIGKILL");
    await first.exited;
    const second = await startRedis({ port: first.port, settings });
    after(() => second.stop());
    assert.equal(await worker.exited, 0);
    const done = await times(client, "restarted:done");
    const twice = [...done.values()].filter((pids) => pids.length > 1);
    console.log(`Redis killed midway and started again: lost ${JOBS - done.size} of ${JOBS}, done twice ${twice.length}`);
    assert.equal(done.size, JOBS);
    assert.deepEqual(await queue.counts(), { ready: 0, delayed: 0, leased: 0, dead: 0, oldestReadyMs: 0 });
  });
});
