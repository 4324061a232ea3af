// The type of `upstash-edge/wasm`, where a runtime or a bundler imports it as a module that is compiled, not yet instantiated.

declare const module: WebAssembly.Module;
export default module;
