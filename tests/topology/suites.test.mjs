// What users rely on, on more than one Redis: the package's conformance list and the crate's tests, through the gateway.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { run } from "../../scripts/processes.mjs";
import { startCluster, startSentinels } from "../../scripts/topology.mjs";
import { conformanceInNode, report, servers } from "../pkg/packed.mjs";

// It ends its Redis; failover.test.mjs does that here.
const ENDS_REDIS = "outage::with_redis_gone";

for (const [name, start] of Object.entries({ "a cluster": startCluster, "a Sentinel set": startSentinels })) {
  const topology = await start();
  after(topology.stop);
  const env = await servers(topology.url);

  describe(`the package on ${name}`, async () => report(await conformanceInNode(env)));

  test(`the crate on ${name}`, async () => {
    const tests = ["--test", "native", "--", "--test-threads=1", "--skip", ENDS_REDIS];
    const cargo = ["test", "--workspace", "--features", "native", ...tests];
    const { code, output } = await run("cargo", cargo, { UPSTASH_TEST_REDIS: topology.url });
    const [, passed, failed, skipped] = /(\d+) passed; (\d+) failed; .* (\d+) filtered out/.exec(output) ?? [];
    assert.deepEqual([code, Number(passed) > 0, failed, skipped], [0, true, "0", "1"]);
  });
}
