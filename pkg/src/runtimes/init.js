// For runtimes that no other entry fits: the caller has the module.

import { initSync } from "#core";

export * from "#entry";

/** @param {WebAssembly.Module | BufferSource} module */
export default function init(module) {
  initSync({ module });
}
