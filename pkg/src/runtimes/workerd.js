// Workers compile no bytes: the bundler hands over the module.

import { start } from "#core";
import module from "./core.wasm?module";
import { runtime } from "../runtime.js";

// Cloudflare writes it, whatever a client sends.
runtime.addressHeader = "cf-connecting-ip";
start(module);
export * from "#entry";
