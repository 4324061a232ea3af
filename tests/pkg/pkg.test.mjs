// The packed tarball, installed into throw-away projects and used in Node and in workerd.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { start } from "../../scripts/processes.mjs";
import { freePort } from "../../scripts/stack.mjs";
import { conformanceInNode, ownServers, PROGRAM, project, report } from "./packed.mjs";

const ROOT = join(import.meta.dirname, "../..");
describe("in Node", async () => report(await conformanceInNode(await ownServers())));

describe("in Node, on a server that speaks only JSON", async () => {
  const env = await ownServers();
  report(await conformanceInNode({ ...env, url: env.jsonUrl }), false);
});

describe("in workerd", async () => {
  const main = `${PROGRAM}export default { fetch: async () => Response.json(await all(${JSON.stringify(await ownServers())})) };\n`;
  report(await (await served("in-workerd", "main.mjs", main)).json());
});

describe("the README's Worker", async () => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const [, main = ""] = /```ts\n([^]*?)```/.exec(readme) ?? [];
  const env = await ownServers();
  const answer = await served("readme", "main.ts", main, { UPSTASH_REDIS_REST_URL: env.url, UPSTASH_REDIS_REST_TOKEN: env.token });
  const text = await answer.text();
  test("answers what it promises", () => assert.equal(text, "hello, visitor 1"));
});

/** The first answer of a Worker that has the package. @param {string} name @param {string} main @param {string} text @param {Record<string, string>} vars */
async function served(name, main, text, vars = {}) {
  const port = await freePort();
  const config = `name = "${name}"\nmain = "${main}"\ncompatibility_date = "2026-10-20"\n[vars]\n`;
  const lines = Object.entries(vars).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
  const path = project(name, { [main]: text, "wrangler.toml": config + lines.join("") });
  const inspector = ["--inspector-ip", "127.0.0.1", "--inspector-port", `${await freePort()}`];
  const args = ["wrangler", "dev", "--cwd", path, "--ip", "127.0.0.1", "--port", `${port}`, ...inspector, "--show-interactive-dev-session=false"];
  const child = start(join(ROOT, "scripts/env.sh"), args, { env: { WRANGLER_REGISTRY_PATH: join(path, "registry"), WRANGLER_LOG_PATH: join(path, "logs") } });
  try {
    return await firstAnswer(`http://127.0.0.1:${port}`, child);
  } finally {
    await child.stop();
  }
}

/** @param {string} url @param {import("../../scripts/processes.mjs").Child} child */
async function firstAnswer(url, child) {
  for (let tries = 0; tries < 300; tries++) {
    const answer = await fetch(url).catch(() => undefined);
    // Whole, for the Worker ends next.
    if (answer?.ok) return new Response(await answer.arrayBuffer(), answer);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(child.output());
}
