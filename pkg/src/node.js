import { readFileSync } from "node:fs";
import { initSync } from "#core";
import { defaults } from "./redis.js";

initSync({ module: readFileSync(new URL("./core.wasm", import.meta.url)) });// Frameworks patch fetch to cache by default.
defaults.cache = "no-store";
export * from "./index.js";
