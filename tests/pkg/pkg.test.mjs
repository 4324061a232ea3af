// The packed tarball, installed into throw-away projects and used in Node and in workerd.

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { start } from "../../scripts/processes.mjs";
import { freePort, startGateway, startRedis } from "../../scripts/stack.mjs";

const ROOT = join(import.meta.dirname, "../..");
const TOKEN = "token-of-the-tests";

const redis = await startRedis();
const gateway = await startGateway({ redisUrl: redis.url, token: TOKEN });
const json = await startGateway({ redisUrl: redis.url, token: TOKEN, jsonOnly: true });
const silent = createServer(() => {}).listen(0, "127.0.0.1");
await new Promise((resolve) => silent.once("listening", resolve));
const { port } = /** @type {import("node:net").AddressInfo} */ (silent.address());
const env = { url: gateway.url, jsonUrl: json.url, silentUrl: `http://127.0.0.1:${port}`, token: TOKEN };

const folder = mkdtempSync(join(tmpdir(), "upstash-edge-pkg-"));
after(async () => {
  silent.close();
  await json.stop();
  await gateway.stop();
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

const [tarball] = JSON.parse(execFileSync("npm", ["pack", "--json", "--pack-destination", folder], { cwd: join(ROOT, "pkg"), encoding: "utf8" }));

/** A project that has the package as its only dependency. @param {string} name @param {Record<string, string>} files */
function project(name, files) {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, "package.json"), JSON.stringify({ name, private: true, type: "module" }));
  execFileSync("npm", ["install", "--offline", "--no-save", "--ignore-scripts", join(folder, tarball.filename)], { cwd: path });
  cpSync(join(import.meta.dirname, "conformance.mjs"), join(path, "conformance.mjs"));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  return path;
}

/** @param {{name: string, problem?: string}[]} results */
function report(results) {
  for (const { name, problem } of results) test(name, () => assert.equal(problem, undefined));
  test("all of them ran", () => assert.equal(results.length, 30));
}

const program = `import * as edge from "upstash-edge";
import { conformance } from "./conformance.mjs";
`;

describe("in Node", () => {
  const path = project("in-node", {
    "main.mjs": `${program}console.log(JSON.stringify(await conformance(edge, ${JSON.stringify(env)})));\n`,
  });
  // The servers it asks live in this process, so it must not be waited for in place.
  return run("node", ["main.mjs"], path).then((output) => report(JSON.parse(output)));
});

describe("in workerd", async () => {
  const main = `${program}export default { fetch: async () => Response.json(await conformance(edge, ${JSON.stringify(env)})) };\n`;
  report(await (await served("in-workerd", "main.mjs", main)).json());
});

describe("the README's Worker", async () => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const [, main = ""] = /```ts\n([^]*?)```/.exec(readme) ?? [];
  const answer = await served("readme", "main.ts", main, { UPSTASH_REDIS_REST_URL: env.url, UPSTASH_REDIS_REST_TOKEN: TOKEN });
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

/** @param {string} command @param {string[]} args @param {string} cwd @returns {Promise<string>} */
function run(command, args, cwd) {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd }, (error, stdout, stderr) => (error ? reject(new Error(stderr, { cause: error })) : resolve(stdout)));
  });
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
