// `make edge`, and what would be deployed.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, test } from "node:test";
import { start } from "../../scripts/processes.mjs";
import { freePort, startGateway, startRedis } from "../../scripts/stack.mjs";
import { until } from "./front.mjs";
import { startOrigin } from "./origin.mjs";

const ROOT = join(import.meta.dirname, "../..");
const TOKEN = "token-of-the-tests";

const origin = await startOrigin();
const redis = await startRedis();
const gateway = await startGateway({ redisUrl: redis.url, token: TOKEN });
after(async () => {
  await gateway.stop();
  await redis.stop();
});

/** @param {Record<string, string>} env */
function make(env) {
  return start(join(ROOT, "scripts/env.sh"), ["node", join(ROOT, "scripts/run.mjs"), "edge"], { env });
}

test("make edge serves the origin over the REST server that is named, on the port that is named", async () => {
  const port = String(await freePort());
  const named = { UPSTASH_REDIS_REST_URL: gateway.url, UPSTASH_REDIS_REST_TOKEN: TOKEN };
  const made = make({ PORT: port, ORIGIN_URL: origin.url, RATE_LIMIT: "2/1m", ...named });
  try {
    await until(() => made.output().includes(`The Worker: http://127.0.0.1:${port}`), 120);
    const get = () => fetch(`http://127.0.0.1:${port}/page`);
    const first = await get();
    assert.deepEqual([first.status, await first.text(), first.headers.get("ratelimit-policy")], [200, "origin /page", '"1m";q=2;w=60']);
    await get();
    assert.equal((await get()).status, 429);
    assert.ok(!made.output().includes(TOKEN), "it prints the token");
  } finally {
    await made.stop();
  }
});

test("make edge ends when a variable is wrong, and names it", async () => {
  const vars = { PORT: String(await freePort()), ORIGIN_URL: origin.url, UPSTASH_REDIS_REST_URL: gateway.url, UPSTASH_REDIS_REST_TOKEN: TOKEN };
  const cases = [
    [{ CACHE_TTL: "soon" }, /make edge: CACHE_TTL: /],
    [{ ORIGIN_URL: "" }, /make edge: ORIGIN_URL is not set/],
    [{ UPSTASH_REDIS_REST_TOKEN: "" }, /make edge: UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN are set together/],
  ];
  for (const [wrong, expected] of /** @type {[Record<string, string>, RegExp][]} */ (cases)) {
    const made = make({ ...vars, ...wrong });
    assert.equal(await made.exited, 1);
    assert.match(made.output(), expected);
  }
});

test("the Worker can be deployed as it is", () => {
  const told = execFileSync(join(ROOT, "scripts/env.sh"), ["wrangler", "deploy", "--dry-run", "--cwd", ROOT], { encoding: "utf8" });
  const [, size] = /Total Upload: (.*)/.exec(told) ?? [];
  assert.ok(size, told);
  console.log(`wrangler deploy --dry-run: ${size}`);
  // Free plans take 3 MB of gzip.
  assert.ok(Number(/gzip: ([\d.]+) KiB/.exec(size)?.[1]) < 3072);
});
