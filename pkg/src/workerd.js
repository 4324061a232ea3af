import { initSync } from "#core";
import module from "./core.wasm";

initSync({ module });
export * from "./index.js";
