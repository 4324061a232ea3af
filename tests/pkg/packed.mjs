// The packed tarball, throw-away projects that install it, and the servers that they ask.

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createOrigin } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { startGateway, startRedis } from "../../scripts/stack.mjs";

const ROOT = join(import.meta.dirname, "../..");
const [TESTS = "", SUBSCRIPTIONS = ""] = readFileSync(join(import.meta.dirname, "conformance.mjs"), "utf8").split("const subscriptions =");
/** How many tests a part of the list has. @param {string} part */
const written = (part) => part.match(/^ {4}".*": async /gm)?.length ?? 0;
const TOKEN = "token-of-the-tests";

const folder = mkdtempSync(join(tmpdir(), "upstash-edge-pkg-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const [tarball] = JSON.parse(execFileSync("npm", ["pack", "--json", "--pack-destination", folder], { cwd: join(ROOT, "pkg"), encoding: "utf8" }));

/** What the answers of HTTP caching must be. @type {import("./http-cache.mjs").Case[]} */
const CASES = JSON.parse(readFileSync(join(import.meta.dirname, "../vectors/http-cache.json"), "utf8"));

/** All that is asked of the package: the conformance list, and the cases of HTTP caching. */
const LIST = `import { conformance } from "./conformance.mjs";
import { httpCache } from "./http-cache.mjs";
const cached = async (edge, env) => (await httpCache(edge, env, ${JSON.stringify(CASES)})).map((one) => ({ part: "cache", ...one }));
export const list = async (edge, env) => [...(await conformance(edge, env)), ...(await cached(edge, env))];
`;

/** How a program begins that runs `all` of it. */
export const PROGRAM = `import * as edge from "upstash-edge";
import { list } from "./list.mjs";
const all = (env) => list(edge, env);
`;

/**
 * A project that has the package as its only dependency.
 * @param {string} name @param {Record<string, string>} files @param {string} [parent] the folder to make it in
 */
export function project(name, files, parent = folder) {
  const path = join(parent, name);
  mkdirSync(path);
  writeFileSync(join(path, "package.json"), JSON.stringify({ name, private: true, type: "module" }));
  execFileSync("npm", ["install", "--offline", "--no-save", "--ignore-scripts", join(folder, tarball.filename)], { cwd: path });
  for (const file of ["conformance.mjs", "http-cache.mjs"]) cpSync(join(import.meta.dirname, file), join(path, file));
  for (const [file, text] of Object.entries({ ...files, "list.mjs": LIST })) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), text);
  }
  return path;
}

/** What the conformance list wants to ask, before one Redis; gone when the tests end. @param {string} redisUrl */
export async function servers(redisUrl) {
  const gateway = await startGateway({ redisUrl, token: TOKEN });
  const json = await startGateway({ redisUrl, token: TOKEN, jsonOnly: true });
  const silent = createServer((socket) => {
    // Bun resets what it gives up.
    socket.on("error", () => {});
    const allowed = "Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Headers: *, Authorization\r\n";
    socket.on("data", (asked) => {
      if (!asked.includes(" /stalled")) return;
      // A page is asked for leave first.
      if (asked.includes("OPTIONS")) socket.write(`HTTP/1.1 204 No Content\r\n${allowed}\r\n`);
      else socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n${allowed}Content-Length: 100\r\n\r\n$93\r\nhalf`);
    });
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  const zipped = gzipSync("the same text ".repeat(100));
  const origin = createOrigin(({ url }, answer) => {
    // A page asks it too.
    const headers = { "access-control-allow-origin": "*", "access-control-expose-headers": "*", "content-type": "text/plain", etag: '"v"' };
    answer.writeHead(200, { ...headers, ...(url === "/gzip" && { "cache-control": "max-age=60", "content-encoding": "gzip" }) }).end(zipped);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => origin.once("listening", resolve));
  const at = (/** @type {import("node:net").Server} */ server) => `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`;
  after(async () => {
    silent.close();
    origin.closeAllConnections();
    origin.close();
    await json.stop();
    await gateway.stop();
  });
  return { url: gateway.url, jsonUrl: json.url, silentUrl: at(silent), originUrl: at(origin), token: TOKEN };
}

/** The same before a Redis of its own: who flushes the scripts makes another's request two. */
export async function ownServers() {
  const redis = await startRedis();
  after(() => redis.stop());
  return servers(redis.url);
}

/** @param {Awaited<ReturnType<typeof servers>>} env */
export async function conformanceInNode(env) {
  const main = `${PROGRAM}console.log(JSON.stringify(await all(${JSON.stringify(env)})));\n`;
  // The servers it asks live in this process, so it must not be waited for in place.
  return JSON.parse(await run("node", ["main.mjs"], project(`in-node-${new URL(env.url).port}`, { "main.mjs": main })));
}

/** @param {{name: string, problem?: string}[]} results @param {boolean} [listens] whether the server has subscriptions */
export function report(results, listens = true) {
  for (const { name, problem } of results) test(name, () => assert.equal(problem, undefined));
  test("all of them ran", () => assert.equal(results.length, written(TESTS) + CASES.length + (listens ? written(SUBSCRIPTIONS) : 0)));
}

/** @param {string} command @param {string[]} args @param {string} cwd @returns {Promise<string>} */
function run(command, args, cwd) {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd }, (error, stdout, stderr) => (error ? reject(new Error(stderr, { cause: error })) : resolve(stdout)));
  });
}
