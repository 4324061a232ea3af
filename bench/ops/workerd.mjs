// workerd by itself, with one Worker: nothing stands between what is measured and the server it asks.

import { buildSync } from "esbuild";
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "../../scripts/processes.mjs";
import { freePort } from "../../scripts/stack.mjs";

const ROOT = join(import.meta.dirname, "../..");

/** Does what it is told, and answers when that is done. */
const WORKER = `
import { Redis as peer } from "@upstash/redis/cloudflare";
import { Redis as ours } from "../../pkg/dist/workerd.js";
import { run } from "./ways.mjs";
export default {
  async fetch(request) {
    await run(await request.json(), { ours, peer });
    return new Response();
  },
};
`;

/** @param {number} port */
const config = (port) => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "main.mjs", esModule = embed "main.mjs"), (name = "core.wasm?module", wasm = embed "core.wasm")],
      compatibilityDate = "2026-10-20",
      globalOutbound = "loopback",
    )),
    (name = "loopback", network = (allow = ["local", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`;

/** Starts it; when this returns, it answers. */
export async function startWorkerd() {
  const folder = mkdtempSync(join(tmpdir(), "upstash-edge-"));
  const port = await freePort();
  copyFileSync(join(ROOT, "pkg/dist/core.wasm"), join(folder, "core.wasm"));
  writeFileSync(join(folder, "config.capnp"), config(port));
  buildSync({
    stdin: { contents: WORKER, resolveDir: import.meta.dirname },
    bundle: true,
    format: "esm",
    target: "es2022",
    conditions: ["workerd"],
    external: ["./core.wasm?module"],
    outfile: join(folder, "main.mjs"),
    logLevel: "warning",
  });
  const child = start("workerd", ["serve", join(folder, "config.capnp"), "config"], { folder });
  let ended = false;
  child.exited.then(() => (ended = true));
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; !(await answers(url)); tries++) {
    if (ended || tries > 200) throw new Error(`workerd did not start:\n${child.output()}`);
    await sleep(50);
  }
  return { ...child, url };
}

/** @param {string} url */
const answers = (url) =>
  fetch(url).then(
    () => true,
    () => false,
  );

/** The time that all threads of a process have run, in microseconds. NaN where the system does not say. @param {number} pid */
export function cpuOf(pid) {
  try {
    const folder = `/proc/${pid}/task`;
    const times = readdirSync(folder).map((thread) => Number(readFileSync(`${folder}/${thread}/schedstat`, "utf8").split(" ")[0]));
    return times.reduce((sum, time) => sum + time) / 1000;
  } catch {
    return NaN;
  }
}
