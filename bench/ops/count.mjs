// What a call takes of its runtime, counted in Node: the same for every run, whatever else the machine does.

import { createHook } from "node:async_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { median } from "../lib/rounds.mjs";
import { ask, bare, captured, oursOf } from "./ways.mjs";

/**
 * @typedef {object} Counts of one tick
 * @property {number} promises those of `await` too
 * @property {number} microtasks queued by hand
 * @property {number} timers
 * @property {number} controllers AbortControllers
 * @property {number} crossings calls into wasm, and out of it
 * @property {number} bytes allocated on the JavaScript heap
 */

/** As asynchronous hooks name them. @type {Record<string, "promises" | "microtasks" | "timers">} */
const KINDS = { PROMISE: "promises", Microtask: "microtasks", Timeout: "timers" };

const total = { promises: 0, microtasks: 0, timers: 0, controllers: 0, crossings: 0 };

const hook = createHook({
  init: (_, type) => {
    const kind = KINDS[type];
    if (kind) total[kind] += 1;
  },
});

globalThis.AbortController = class extends AbortController {
  constructor() {
    super();
    total.controllers += 1;
  }
};

/** The same object with its functions counted. @param {Record<string, any>} object */
function counted(object) {
  const entries = Object.entries(object).map(([name, value]) => {
    const call = function () {
      total.crossings += 1;
      return value.apply(undefined, arguments);
    };
    return [name, typeof value === "function" ? call : value];
  });
  return Object.fromEntries(entries);
}

/** A client of its own, whose wasm is watched at its border. */
async function watched() {
  const { Instance } = WebAssembly;
  /** @param {WebAssembly.Module} module @param {Record<string, any>} imports */
  const watching = function (module, imports) {
    const both = Object.entries(imports).map(([name, functions]) => [name, counted(functions)]);
    return { exports: counted(new Instance(module, Object.fromEntries(both)).exports) };
  };
  WebAssembly.Instance = /** @type {any} */ (watching);
  try {
    // Under a name of its own: the one that is measured by time stays as it is.
    return await import(/** @type {string} */ ("../../pkg/dist/inline.js?watched"));
  } finally {
    WebAssembly.Instance = Instance;
  }
}

const ours = await watched();

/**
 * The median of many calls, one at a time: a connection's own affairs strike a few of them.
 * @param {() => Promise<unknown>} call @returns {Promise<Counts>}
 */
async function count(call) {
  const calls = 200;
  /** @type {Omit<Counts, "bytes">[]} */
  const seen = [];
  for (let n = 0; n < calls; n++) {
    const before = { ...total };
    hook.enable();
    await call();
    hook.disable();
    const names = /** @type {(keyof typeof total)[]} */ (Object.keys(total));
    seen.push(/** @type {any} */ (Object.fromEntries(names.map((name) => [name, total[name] - before[name]]))));
  }
  // Where a collection fell in between it is less than nothing, or far off: the median passes over it.
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  const bytes = [];
  for (let n = 0; n < 20; n++) {
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let n = 0; n < 10; n++) await call();
    bytes.push((process.memoryUsage().heapUsed - before) / 10);
  }
  const of = (/** @type {keyof typeof total} */ name) => median(seen.map((one) => one[name]));
  return {
    promises: of("promises"),
    microtasks: of("microtasks"),
    timers: of("timers"),
    controllers: of("controllers"),
    crossings: of("crossings"),
    bytes: median(bytes),
  };
}

/**
 * Counts of so many gets of one tick: bare fetch of the same bytes, our client, and what that leaves for our client itself.
 * @param {import("./ways.mjs").Server} server @param {number} tick
 */
export async function counts(server, tick) {
  const [asked, act] = [await captured(ours, server, "get", tick), oursOf(ours, server, "get")];
  const [fetched, whole] = [await count(() => bare(asked)), await count(() => ask(act, tick))];
  const own = /** @type {Counts} */ ({ ...whole });
  for (const name of /** @type {(keyof Counts)[]} */ (Object.keys(own))) own[name] -= fetched[name];
  return { fetched, whole, own };
}
