// workerd by itself, with one Worker: nothing stands between it and what it asks.

import { buildSync } from "esbuild";
import { copyFileSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "./processes.mjs";
import { freePort } from "./stack.mjs";

const ROOT = join(import.meta.dirname, "..");

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

/** Starts it; when this returns, it answers, and says how long that took. @param {string} program the Worker's module @param {string} folder where its imports begin @param {string} [wasm] the module that they end at */
export async function startWorkerd(program, folder, wasm = join(ROOT, "pkg/dist/core.wasm")) {
  const own = mkdtempSync(join(tmpdir(), "upstash-edge-"));
  const port = await freePort();
  copyFileSync(wasm, join(own, "core.wasm"));
  writeFileSync(join(own, "config.capnp"), config(port));
  buildSync({
    stdin: { contents: program, resolveDir: folder },
    bundle: true,
    format: "esm",
    target: "es2022",
    conditions: ["workerd"],
    external: ["./core.wasm?module"],
    outfile: join(own, "main.mjs"),
    logLevel: "warning",
  });
  const began = performance.now();
  const child = start("workerd", ["serve", join(own, "config.capnp"), "config"], { folder: own });
  let ended = false;
  child.exited.then(() => (ended = true));
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; !(await answers(url)); tries++) {
    if (ended || tries > 2000) throw new Error(`workerd did not start:\n${child.output()}`);
    await sleep(5);
  }
  return { ...child, url, readyMs: performance.now() - began };
}

/** @param {string} url */
const answers = (url) =>
  fetch(url).then(
    () => true,
    () => false,
  );
