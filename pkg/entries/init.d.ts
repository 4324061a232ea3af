// The types of `upstash-edge/init`.

export * from "../index.js";

/**
 * Starts the package with its module, `upstash-edge/wasm`, for a runtime that no other entry fits: compiled, or its bytes
 * where the runtime compiles them. Call it once, before anything else of this entry; a later call changes nothing.
 * @example
 * import module from "upstash-edge/wasm"; // as your runtime or bundler imports a module
 * import init, { Redis } from "upstash-edge/init";
 * init(module);
 */
export default function init(module: WebAssembly.Module | BufferSource): void;
