// What users rely on, on more than one Redis: the package's conformance list and the crate's tests, through the gateway.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { run } from "../../scripts/processes.mjs";
import { startCluster, startSentinels } from "../../scripts/topology.mjs";
import { conformanceInNode, report, servers } from "../pkg/packed.mjs";

/** @type {Record<string, {start: typeof startCluster, skip: string[]}>} */
const TOPOLOGIES = {
  // The first ends its Redis; failover.test.mjs does that here. The second asks one node the same question many thousand times.
  "a cluster": { start: startCluster, skip: ["outage::with_redis_gone", "limiter::traces"] },
  // To a script it is one Redis.
  "a Sentinel set": { start: startSentinels, skip: ["outage::with_redis_gone", "limiter::"] },
};

/** Has a Redis of its own in any case, and takes long. */
const ELSEWHERE = ["interleavings::"];

/** Both at once: they wait more than they work. */
const told = await Promise.all(
  Object.entries(TOPOLOGIES).map(async ([name, { start, skip }]) => {
    const topology = await start();
    after(topology.stop);
    const listed = await conformanceInNode(await servers(topology.url));
    const tests = ["--test", "native", "--", "--test-threads=1", ...[...skip, ...ELSEWHERE].flatMap((test) => ["--skip", test])];
    const crate = await run("cargo", ["test", "--workspace", "--features", "native", ...tests], { UPSTASH_TEST_REDIS: topology.url, RUST_BACKTRACE: "0" });
    return { name, listed, crate };
  }),
);

for (const { name, listed, crate } of told) {
  describe(`the package on ${name}`, () => report(listed));

  test(`the crate on ${name}`, () => {
    const [, passed, failed] = /(\d+) passed; (\d+) failed;/.exec(crate.output) ?? [];
    // What panicked, for the log's end shows this.
    const why = [...crate.output.matchAll(/ panicked at .*\n.*(?:\n +(?:left|right): .*)*/g)].join("\n");
    assert.deepEqual([crate.code, Number(passed) > 80, failed, why], [0, true, "0", ""]);
  });
}
