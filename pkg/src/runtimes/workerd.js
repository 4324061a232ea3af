// Workers compile no bytes: the bundler hands over the module.

import { initSync } from "#core";
import module from "./core.wasm?module";

initSync({ module });
export * from "#entry";
