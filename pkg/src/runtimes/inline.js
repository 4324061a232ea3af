// One file that holds its own module, for where tracing or a bundler would lose a second one.

import { start } from "#core";
import base64 from "#wasm";
import { runtime } from "../runtime.js";

const { Buffer, process } = /** @type {any} */ (globalThis);
// Frameworks on Node patch fetch to cache by default.
if (process?.release?.name === "node") runtime.cache = "no-store";

start(Buffer ? Buffer.from(base64, "base64") : Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0)));
export * from "#entry";
