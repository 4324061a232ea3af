// As in workerd, but that Next patches fetch to cache by default.

import { start } from "#core";
import module from "./core.wasm?module";
import { runtime } from "../runtime.js";

runtime.cache = "no-store";
start(module);
export * from "#entry";
