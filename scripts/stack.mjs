// The parts that developers and tests start: Redis, the gateway, the Worker. Loopback only.
// Each is ready when its function returns, and gone, with its files, when stopped or when this process ends.

import { randomInt } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "./processes.mjs";

const ROOT = join(import.meta.dirname, "..");

/** @typedef {import("./processes.mjs").Child & {url: string, port: number}} Part */
/** @typedef {(text: string) => void} OnOutput */

/** Given by this process. @type {Set<number>} */
const given = new Set();

/**
 * A loopback port that nobody listens on; refuses if the wanted one is taken.
 * @param {number} [wanted]
 * @returns {Promise<number>}
 */
export async function freePort(wanted) {
  if (wanted) {
    if (!(await isFree(wanted))) throw new Error(`port ${wanted} is in use by another program`);
    return wanted;
  }
  for (;;) {
    // Below those that a system gives to connections, one of which would have it before the server does.
    const port = randomInt(10_000, 32_000);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
}

/** @param {number} port @returns {Promise<boolean>} */
function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/**
 * A Redis with nothing in it that keeps nothing.
 * @param {{port?: number, settings?: string[], sentinel?: string, onOutput?: OnOutput}} [options] settings: more of its
 *   command line; sentinel: what makes a Sentinel of it, the text of its file
 * @returns {Promise<Part>}
 */
export async function startRedis({ port, settings = [], sentinel, onOutput } = {}) {
  port = await freePort(port);
  const folder = temporaryFolder();
  const args = ["--bind", "127.0.0.1", "--port", `${port}`, "--dir", folder];
  if (sentinel === undefined) {
    args.push("--save", "", "--appendonly", "no", ...settings);
  } else {
    const file = join(folder, "sentinel.conf");
    writeFileSync(file, sentinel);
    args.unshift(file);
    args.push("--sentinel", ...settings);
  }
  const child = start("redis-server", args, { folder, onOutput });
  await ready("redis-server", child, () => answersPing(port), 10);
  return { ...child, port, url: `redis://127.0.0.1:${port}` };
}

/**
 * The gateway, as `cargo build --release -p upstash-gateway` built it, or the one that UPSTASH_GATEWAY names.
 * @param {{redisUrl: string, token: string, readOnlyToken?: string, jsonOnly?: boolean, port?: number, onOutput?: OnOutput}} options
 * @returns {Promise<Part>}
 */
export async function startGateway({ redisUrl, token, readOnlyToken = "", jsonOnly = false, port, onOutput }) {
  port = await freePort(port);
  const url = `http://127.0.0.1:${port}`;
  // By environment, because every user of the machine can read a command line.
  const env = {
    REDIS_URL: redisUrl,
    UPSTASH_REDIS_REST_TOKEN: token,
    UPSTASH_REDIS_REST_READONLY_TOKEN: readOnlyToken,
    LISTEN: `127.0.0.1:${port}`,
    JSON_ONLY: String(jsonOnly),
  };
  const child = start(join(ROOT, process.env.UPSTASH_GATEWAY ?? "target/release/upstash-gateway"), [], { env, onOutput });
  await ready("upstash-gateway", child, async () => (await probe(`${url}/stats`)).ok, 10);
  return { ...child, port, url };
}

/**
 * The Worker in workerd, by `wrangler dev`, which builds it first if it is not current.
 * @param {{vars: Record<string, string>, port?: number, config?: string, onOutput?: OnOutput}} options vars: its variables and
 *   secrets; config: what is built already, by a `wrangler.toml` of its own
 * @returns {Promise<Part>}
 */
export async function startWorker({ vars, port, config, onOutput }) {
  port = await freePort(port);
  const url = `http://127.0.0.1:${port}`;
  const folder = temporaryFolder();
  // In a file, because wrangler prints the values that its command line holds.
  const envFile = join(folder, "vars");
  const lines = Object.entries(vars).map(([name, value]) => `${name}=${quoted(value)}\n`);
  writeFileSync(envFile, lines.join(""), { mode: 0o600 });
  const which = config ? ["--config", config] : ["--cwd", ROOT];
  const wrangler = ["wrangler", "dev", ...which, "--ip", "127.0.0.1", "--port", `${port}`];
  const inspector = ["--inspector-ip", "127.0.0.1", "--inspector-port", `${await freePort()}`];
  const own = ["--persist-to", folder, "--env-file", envFile, "--show-interactive-dev-session=false"];
  const env = { WRANGLER_REGISTRY_PATH: join(folder, "registry"), WRANGLER_LOG_PATH: join(folder, "logs") };
  const child = start(join(ROOT, "scripts/env.sh"), [...wrangler, ...inspector, ...own], { env, folder, onOutput });
  await ready("the Worker", child, async () => Boolean(await probe(`${url}/api/health`)), 300);
  return { ...child, port, url };
}

/** As a file of variables has it: such a file knows no escapes but those of line breaks. @param {string} value */
function quoted(value) {
  const quote = ['"', "'", "`"].find((quote) => !value.includes(quote));
  if (!quote) throw new Error("a variable's value cannot hold all three kinds of quotes");
  return quote + value + quote;
}

function temporaryFolder() {
  return mkdtempSync(join(tmpdir(), "upstash-edge-"));
}

/** @param {string} url */
function probe(url) {
  return fetch(url, { signal: AbortSignal.timeout(5000) });
}

/** @param {number} port @returns {Promise<boolean>} */
function answersPing(port) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
    socket.setTimeout(1000, () => socket.destroy(new Error("no answer")));
    socket.once("error", reject);
    socket.once("data", (data) => {
      socket.destroy();
      resolve(data.toString().startsWith("+PONG"));
    });
  });
}

/**
 * @param {string} name
 * @param {import("./processes.mjs").Child} child
 * @param {() => Promise<boolean>} isReady
 * @param {number} seconds
 */
async function ready(name, child, isReady, seconds) {
  let problem = "";
  child.exited.then((code) => (problem = `ended with code ${code}`));
  const limit = setTimeout(() => (problem = `was not ready within ${seconds} s`), seconds * 1000);
  while (!problem && !(await isReady().catch(() => false))) await sleep(50);
  clearTimeout(limit);
  if (!problem) return;
  await child.stop();
  throw new Error(`${name} ${problem}. Its last output:\n${child.output().slice(-3000)}`);
}
