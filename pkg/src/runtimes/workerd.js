// Workers compile no bytes: the bundler hands over the module.

import { start } from "#core";
import module from "./core.wasm?module";

start(module);
export * from "#entry";
