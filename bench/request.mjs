// `make bench-request`: a whole request at the edge, in workerd: a session is loaded, a limit checked and a cached page
// answered; ours and the peers', as usually written and as well as it can be.

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { startGateway, startRedis } from "../scripts/stack.mjs";
import { startWorkerd } from "../scripts/workerd.mjs";
import { browser, distant } from "./lib/http.mjs";
import { client } from "./lib/redis.mjs";
import { bench, shown } from "./lib/report.mjs";
import { ascending, called, cpuOf, inTurns, median, quantile, sized } from "./lib/rounds.mjs";

const WAYS = {
  peerUsual: "peers, one after another",
  peerCareful: "peers, Promise.all",
  oursUsual: "ours, one after another",
  oursParallel: "ours, Promise.all",
  oursEdge: "ours, Edge.handle",
};
const FILES = { peerUsual: "peer-usual", peerCareful: "peer-careful", oursUsual: "ours-usual", oursParallel: "ours-parallel", oursEdge: "ours-edge" };
const NAMES = /** @type {(keyof typeof WAYS)[]} */ (Object.keys(WAYS));
/** Who stands for us, and beside whom. @type {[string, keyof typeof WAYS, keyof typeof WAYS][]} */
const PAIRS = [
  ["as usually written", "oursUsual", "peerUsual"],
  ["all at once", "oursParallel", "peerCareful"],
  ["Edge.handle vs the peers at their best", "oursEdge", "peerCareful"],
  ["Edge.handle vs the peers as usually written", "oursEdge", "peerUsual"],
];
const CALLERS = 16;
const here = import.meta.dirname;

await bench("session, rate limit and cached page", async (report) => {
  const [token, secret] = [randomBytes(24).toString("hex"), randomBytes(32).toString("hex")];
  const redis = await startRedis();
  const gateway = await startGateway({ redisUrl: redis.url, token });
  const workerd = await startWorkerd('export { default } from "./worker.mjs";', join(here, "request"));
  const ask = browser(CALLERS);
  const { send, end } = client(redis.port);

  /** Every way over a server at `url`, ready. @param {string} url @returns {Promise<Record<keyof typeof WAYS, () => Promise<Buffer>>>} */
  async function begun(url) {
    const cookie = (await ask(`${workerd.url}/begin`, {}, JSON.stringify({ url, token, secret }))).toString();
    const headers = { cookie, "cf-connecting-ip": "192.0.2.1" };
    const asking = /** @type {any} */ (Object.fromEntries(NAMES.map((way) => [way, () => ask(`${workerd.url}/${way}`, headers)])));
    // Scripts are learnt, the page is stored.
    for (const way of NAMES) for (let n = 0; n < 5; n++) await asking[way]();
    return asking;
  }

  const near = await begun(gateway.url);
  const requests = async () => (await (await fetch(`${gateway.url}/stats`)).json()).requests;
  const commands = async () => [.../** @type {string} */ (await send("INFO", "commandstats")).matchAll(/cmdstat_(?!info|config|client|ping|hello)\S+:calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0);
  /** @type {Record<string, {requests: number, commands: number}>} */
  const counts = {};
  for (const way of NAMES) {
    const [before, of] = [[await requests(), await commands()], 50];
    for (let n = 0; n < of; n++) await near[way]();
    counts[way] = { requests: ((await requests()) - (before[0] ?? 0)) / of, commands: ((await commands()) - (before[1] ?? 0)) / of };
  }
  report.table("What a request takes of Redis; commands inside scripts count, for they are billed", ["", "HTTP requests", "Redis commands"], NAMES.map((way) => [WAYS[way], counts[way]?.requests ?? NaN, counts[way]?.commands ?? NaN]));
  for (const [name, ours, peer] of PAIRS) {
    report.count(`HTTP requests, ${name}`, counts[ours]?.requests ?? NaN, counts[peer]?.requests ?? NaN, { less: true });
    report.count(`Redis commands, ${name}`, counts[ours]?.commands ?? NaN, counts[peer]?.commands ?? NaN, { less: true });
  }

  const rates = await inTurns(
    /** @type {Record<keyof typeof WAYS, () => Promise<{rate: number, cpu: number}>>} */ (
      Object.fromEntries(NAMES.map((way) => [way, async () => {
        const before = cpuOf(workerd.pid);
        const { us, calls } = await called(CALLERS, sized(25, 10), near[way]);
        return { rate: calls / (us / 1e6), cpu: (cpuOf(workerd.pid) - before) / calls };
      }]))
    ),
    sized(31, 9),
  );
  const of = (/** @type {keyof typeof WAYS} */ way, /** @type {"rate" | "cpu"} */ what) => rates[way].map((round) => round[what]);
  report.table(`Beside Redis, ${CALLERS} callers`, ["", "requests/s", "CPU us of workerd"], NAMES.map((way) => [WAYS[way], median(of(way, "rate")), median(of(way, "cpu"))]));
  for (const [name, ours, peer] of PAIRS) {
    report.compare(`requests a second, ${name}`, of(ours, "rate"), of(peer, "rate"));
    report.compare(`CPU of workerd, ${name}`, of(ours, "cpu"), of(peer, "cpu"), { less: true });
  }

  /** @type {(string | number)[][]} */
  const rows = [];
  const points = [];
  for (const ms of [0, 5, 20, 80]) {
    const far = await begun(ms ? await distant(gateway.port, ms) : gateway.url);
    /** @type {Record<string, number[]>} */
    const all = {};
    // Few callers, for what is measured is a request and not a queue; more where all of them wait most of the time.
    const [callers, times] = ms < 20 ? [2, sized(60, 20)] : [8, sized(8, 2)];
    const rounds = await inTurns(
      /** @type {Record<keyof typeof WAYS, () => Promise<{p50: number, p99: number}>>} */ (
        Object.fromEntries(NAMES.map((way) => [way, async () => {
          const { sorted } = await called(callers, times, far[way]);
          (all[way] ??= []).push(...sorted.map((us) => us / 1000));
          return { p50: quantile(sorted, 0.5) / 1000, p99: quantile(sorted, 0.99) / 1000 };
        }]))
      ),
      sized(ms < 20 ? 15 : 11, 4),
      1,
    );
    for (const way of NAMES) {
      const sorted = ascending(all[way] ?? []);
      rows.push([`${ms} ms: ${WAYS[way]}`, `${shown(quantile(sorted, 0.5))}`, `${shown(quantile(sorted, 0.99))}`]);
      points.push({ "ms to Redis and back": ms, "p50 in ms": quantile(sorted, 0.5), way: WAYS[way] });
    }
    for (const [name, ours, peer] of PAIRS) {
      for (const what of /** @type {const} */ (["p50", "p99"])) report.compare(`${what} with ${ms} ms, ${name}`, rounds[ours].map((round) => round[what]), rounds[peer].map((round) => round[what]), { less: true });
    }
  }
  report.table("Milliseconds a request, Redis so far away", ["", "p50", "p99"], rows);
  report.plot({ title: "Milliseconds a request", mark: "line", x: "ms to Redis and back", y: "p50 in ms", by: "way", points });
  for (const way of NAMES) report.code(WAYS[way], join(here, "request", `${FILES[way]}.mjs`));
  end();
});
