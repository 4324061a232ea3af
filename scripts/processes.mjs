// Child processes that never outlive this one: each leads a process group, which ends with all that it started.

import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { constants } from "node:os";

/**
 * @typedef {object} Child
 * @property {number} pid the leader of its process group
 * @property {() => string} output the end of what it has printed so far
 * @property {Promise<number>} exited its exit code; 128 + n after signal n
 * @property {() => Promise<void>} stop asks its group to end, insists after 3 s, removes its folder
 */

/** @type {Set<{stop: () => Promise<void>, kill: () => void}>} */
const living = new Set();

const OUTPUT_KEPT = 1_000_000;

/**
 * @param {string} command
 * @param {string[]} args
 * @param {object} [options]
 * @param {NodeJS.ProcessEnv} [options.env] added to this process's own
 * @param {string} [options.cwd]
 * @param {string} [options.folder] a temporary folder of its own, removed when it stops
 * @param {(text: string) => void} [options.onOutput]
 * @returns {Child}
 */
export function start(command, args, { env, cwd, folder, onOutput } = {}) {
  const child = spawn(command, args, {
    detached: true,
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });

  let output = "";
  /** @param {string} text */
  const keep = (text) => {
    output = (output + text).slice(-OUTPUT_KEPT);
    onOutput?.(text);
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", keep);

  /** @param {NodeJS.Signals} signal */
  const signalGroup = (signal) => {
    try {
      if (child.pid) process.kill(-child.pid, signal);
    } catch {
      // All of the group has ended.
    }
  };
  const kill = () => {
    signalGroup("SIGKILL");
    if (folder) rmSync(folder, { recursive: true, force: true });
    living.delete(entry);
  };
  // What a leader leaves behind when it ends would hold ports, and these pipes, open.
  child.on("exit", () => signalGroup("SIGKILL"));
  /** @type {Promise<number>} */
  const exited = new Promise((resolve) => {
    child.on("error", (error) => {
      keep(`${command}: ${error.message}\n`);
      resolve(127);
    });
    child.on("close", (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]));
  });
  const stop = async () => {
    signalGroup("SIGTERM");
    const insist = setTimeout(() => signalGroup("SIGKILL"), 3000);
    await exited;
    clearTimeout(insist);
    kill();
  };
  const entry = { stop, kill };
  living.add(entry);
  return { pid: child.pid ?? 0, output: () => output, exited, stop };
}

/**
 * Runs a command to its end, showing what it prints.
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @param {(text: string) => void} [show]
 * @returns {Promise<{code: number, output: string}>}
 */
export async function run(command, args, env, show = (text) => process.stdout.write(text)) {
  const child = start(command, args, { env, onOutput: show });
  const code = await child.exited;
  await child.stop();
  return { code, output: child.output() };
}

/** Ends every child. @returns {Promise<unknown>} */
export function stopAll() {
  return Promise.all([...living].map((entry) => entry.stop()));
}

process.on("exit", () => living.forEach((entry) => entry.kill()));

let stopping = false;
/** Whether a signal has asked this process to end: what ends from then on is no news. */
export const isStopping = () => stopping;
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.on(signal, () => {
    const exit = () => process.exit(128 + constants.signals[signal]);
    // Asked a second time, it does not wait.
    if (stopping) exit();
    stopping = true;
    stopAll().finally(exit);
  });
}
