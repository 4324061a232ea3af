// The core's instance: one, and after a trap another. A trap (a defect, a full stack or memory) leaves the old one's memory
// in any state, so nothing is asked of it again; what was under way in it is told so when it next asks.

import { EdgeError } from "./error.js";

/** What the core is before it is started. */
export const unstarted = /** @type {any} */ (
  new Proxy({}, {
    get() {
      throw new EdgeError("invalid_config", "call init(module) of upstash-edge/init first");
    },
  })
);

/**
 * @param {WebAssembly.Module | BufferSource} module
 * @param {WebAssembly.Imports} imports
 * @param {(exports: any, instances: number) => void} use takes the exports, those of another instance each time, and how many
 * there were before it
 */
export function instantiate(module, imports, use) {
  // Not `instanceof`: a module may come from another realm, as it does on Vercel.
  const compiled = "byteLength" in module ? new WebAssembly.Module(module) : module;
  let instances = 0;
  const begin = () => {
    const { exports } = new WebAssembly.Instance(compiled, imports);
    use(Object.fromEntries(Object.entries(exports).map(([name, value]) => [name, typeof value === "function" ? guarded(value) : value])), instances++);
  };
  /** @param {Function} call */
  const guarded = (call) =>
    function () {
      try {
        return call.apply(undefined, arguments);
      } catch (cause) {
        begin();
        throw new EdgeError("corrupt", "the core failed and was started anew: what was under way in it is lost", cause);
      }
    };
  begin();
}
