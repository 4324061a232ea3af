// `make bench-large`: values of 1 KB to 1 MB from Redis into a Worker, as a string, parsed, as bytes, and, as a whole HTTP
// response, through it to its client; in workerd, beside bare fetch + arrayBuffer of the same bytes and the peer.

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { startGateway, startRedis } from "../scripts/stack.mjs";
import { startWorkerd } from "../scripts/workerd.mjs";
import { browser } from "./lib/http.mjs";
import { bench } from "./lib/report.mjs";
import { cpuOf, inTurns, median, ratio, sized } from "./lib/rounds.mjs";

const CALLERS = 4;
const SIZES = [1, 10, 100, 1_000];
const WAYS = /** @type {const} */ (["bare", "ours", "peer"]);
/** What the aims of issue 9 are, at 100 KB. */
const AIMS = { bare: 0.95, peer: 3 };

await bench("values of 1 KB to 1 MB", async (report) => {
  const token = randomBytes(24).toString("hex");
  const redis = await startRedis();
  const gateway = await startGateway({ redisUrl: redis.url, token });
  const workerd = await startWorkerd('export { default } from "./worker.mjs";', join(import.meta.dirname, "large"));
  const ask = browser(CALLERS);
  const points = [];
  for (const kind of ["string", "JSON", "bytes", "response"]) {
    const rows = [];
    for (const size of SIZES) {
      await ask(workerd.url, {}, JSON.stringify({ url: gateway.url, token, size: size * 1_000 }));
      // Of small ones more, that a round is long enough to be measured.
      const times = Math.max(2, Math.round(sized(160, 60) / (1 + size / 10)));
      const measure = (/** @type {string} */ way) => async () => {
        const [time, cpu] = [performance.now(), cpuOf(workerd.pid)];
        const caller = async () => {
          // A page leaves the Worker, the others are read in it.
          if (kind === "response") for (let n = 0; n < times; n++) await ask(`${workerd.url}/response/${way}`);
          else await ask(`${workerd.url}/${kind}/${way}/${times}`);
        };
        await Promise.all(Array.from({ length: CALLERS }, caller));
        const reads = CALLERS * times;
        return { rate: reads / ((performance.now() - time) / 1000), cpu: (cpuOf(workerd.pid) - cpu) / reads };
      };
      const found = await inTurns({ bare: measure("bare"), ours: measure("ours"), peer: measure("peer") }, sized(25, 9));
      const of = (/** @type {typeof WAYS[number]} */ way, /** @type {"rate" | "cpu"} */ what) => found[way].map((round) => round[what]);
      rows.push([`${size} KB`, ...WAYS.flatMap((way) => [median(of(way, "rate")), median(of(way, "cpu"))]), ratio(of("ours", "rate"), of("bare", "rate")).ratio.toFixed(2), ratio(of("ours", "rate"), of("peer", "rate")).ratio.toFixed(2)]);
      for (const other of /** @type {const} */ (["bare", "peer"])) report.compare(`${size} KB ${kind} vs ${other}`, of("ours", "rate"), of(other, "rate"), { aim: size === 100 ? AIMS[other] : undefined });
      for (const way of WAYS) points.push({ KB: size, "MB a second": (median(of(way, "rate")) * size) / 1_000, who: `${way}, ${kind}` });
    }
    report.table(`${kind}, ${CALLERS} callers`, ["", "bare/s", "CPU us", "ours/s", "CPU us", "peer/s", "CPU us", "of bare", "of peer"], rows);
  }
  for (const kind of ["string", "JSON", "bytes", "response"]) {
    report.plot({ title: `MB a second, ${kind}`, mark: "line", x: "KB", y: "MB a second", by: "who", log: "xy", points: points.filter(({ who }) => who.endsWith(kind)) });
  }
});
