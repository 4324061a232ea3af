// `make bench-fanout`: many gets of one tick, in workerd: what one costs among so many, and how many HTTP requests they are.

import { bench } from "./lib/report.mjs";
import { median, ratio, sized } from "./lib/rounds.mjs";
import { started } from "./ops/measured.mjs";

await bench("10, 100 and 1,000 commands of one tick", async (report) => {
  const { server, measured, requests, act } = await started();
  const points = [];
  for (const tick of [10, 100, 1_000]) {
    const found = await measured("workerd", { op: "get", tick, callers: 4, times: Math.max(2, sized(1_000, 400) / tick) }, sized(31, 11));
    const of = (/** @type {"bare" | "ours" | "peer"} */ way, /** @type {"rate" | "cpu"} */ what) => found[way].map((round) => round[what]);
    const rows = [];
    /** @type {Record<string, number>} */
    const posts = { bare: 1 };
    for (const way of /** @type {const} */ (["bare", "ours", "peer"])) {
      if (way !== "bare") {
        const before = await requests();
        await act({ server, way, op: "get", tick, times: 10 });
        posts[way] = ((await requests()) - before) / 10;
      }
      rows.push([way, posts[way] ?? NaN, median(of(way, "rate")), ratio(of(way, "rate"), of("bare", "rate")).ratio.toFixed(2), median(of(way, "cpu")), ratio(of("bare", "cpu"), of(way, "cpu")).ratio.toFixed(2)]);
      points.push({ "commands a tick": tick, "gets a second": median(of(way, "rate")), who: way });
    }
    report.table(`${tick.toLocaleString("en")} gets of one tick, 4 callers`, ["", "HTTP requests", "gets/s", "of bare", "CPU us a get", "of bare"], rows);
    report.count(`HTTP requests of ${tick} gets`, posts.ours ?? NaN, posts.peer ?? NaN, { less: true });
    for (const other of /** @type {const} */ (["bare", "peer"])) {
      report.compare(`${tick} gets in one tick vs ${other}`, of("ours", "rate"), of(other, "rate"));
      report.compare(`CPU of ${tick} gets in one tick vs ${other}`, of("ours", "cpu"), of(other, "cpu"), { less: true });
    }
  }
  report.plot({ title: "Gets a second by how many share a tick", mark: "line", x: "commands a tick", y: "gets a second", by: "who", log: "xy", points });
});
