// As in workerd, but that Next patches fetch to cache by default.

import { initSync } from "#core";
import module from "./core.wasm?module";
import { defaults } from "../redis.js";

defaults.cache = "no-store";
initSync({ module });
export * from "#entry";
