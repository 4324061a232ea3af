import { initSync } from "#core";
import module from "./core.wasm";
import { defaults } from "./edge.js";

initSync({ module });
// Cloudflare writes it, whatever a client sends.
defaults.addressHeader = "cf-connecting-ip";
export * from "./index.js";
