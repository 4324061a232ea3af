// What a runtime takes to run the conformance list: a project in a folder of its own, commands, servers, browsers.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { after } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "../../scripts/processes.mjs";
import { freePort } from "../../scripts/stack.mjs";

/** @typedef {{part: string, name: string, problem?: string}[]} Results */

/** Where scripts/setup.sh has installed them. */
export const INSTALLED = process.env.RUNTIMES_DIR ?? "";

/** A folder for projects that find what is installed in a folder above theirs. @param {string} [below] */
export function folderBelow(below = "") {
  const folder = mkdtempSync(join(INSTALLED, below, "project-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs a command to its end; what it printed. @param {string} command @param {string[]} args @param {string} cwd @param {NodeJS.ProcessEnv} [env] */
export async function command(command, args, cwd, env) {
  const child = start(command, args, { env, cwd });
  const code = await child.exited;
  const output = child.output();
  await child.stop();
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: code ${code}\n${output}`);
  return output;
}

/** The list's results as a program printed them, in its last line. @param {string} output @returns {Results} */
export const printed = (output) => JSON.parse(output.trim().split("\n").at(-1) ?? "");

/**
 * A server's answers to these paths; it is stopped then.
 * @param {(port: number) => Promise<{command: string, args: string[], env?: NodeJS.ProcessEnv}>} server @param {string} cwd
 * @param {string[]} [paths] @returns {Promise<Results[]>}
 */
export async function answers(server, cwd, paths = ["/"]) {
  const port = await freePort();
  const { command, args, env } = await server(port);
  const child = start(command, args, { env, cwd });
  try {
    const results = [];
    for (const path of paths) results.push(await answer(`http://127.0.0.1:${port}${path}`, child));
    return results;
  } finally {
    await child.stop();
  }
}

/** @param {string} url @param {import("../../scripts/processes.mjs").Child} child @returns {Promise<Results>} */
async function answer(url, child) {
  let ended = false;
  child.exited.then(() => (ended = true));
  for (let tries = 0; tries < 600 && !ended; tries++) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return response.json();
    if (response) throw new Error(`${url}: ${response.status} ${await response.text()}\n${child.output()}`);
    await sleep(100);
  }
  throw new Error(`${url} did not answer\n${child.output()}`);
}

/** @type {Record<string, string>} */
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };

/** Serves the files of a folder until the tests end. @param {string} folder */
export async function files(folder) {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const file = join(folder, path === "/" ? "index.html" : path);
    try {
      const text = readFileSync(file);
      response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" }).end(text);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  after(() => void server.close());
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return `http://127.0.0.1:${port}/`;
}
