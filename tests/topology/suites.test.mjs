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

for (const [name, { start, skip }] of Object.entries(TOPOLOGIES)) {
  const topology = await start();
  after(topology.stop);
  const env = await servers(topology.url);

  describe(`the package on ${name}`, async () => report(await conformanceInNode(env)));

  test(`the crate on ${name}`, async () => {
    const tests = ["--test", "native", "--", "--test-threads=1", ...skip.flatMap((test) => ["--skip", test])];
    const cargo = ["test", "--workspace", "--features", "native", ...tests];
    const { code, output } = await run("cargo", cargo, { UPSTASH_TEST_REDIS: topology.url });
    const [, passed, failed] = /(\d+) passed; (\d+) failed;/.exec(output) ?? [];
    assert.deepEqual([code, Number(passed) > 80, failed], [0, true, "0"]);
  });
}
