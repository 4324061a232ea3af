// Serves main.mjs in Vercel's edge-runtime as its platform does: bundled by the `edge-light` condition, its modules of
// wasm compiled outside and handed in.

import { build } from "esbuild";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

// Found where this file is copied to.
const { EdgeRuntime, runServer } = await import(/** @type {string} */ ("edge-runtime"));

/** @type {Record<string, WebAssembly.Module>} */
const modules = {};
/** @type {import("esbuild").Plugin} */
const handedIn = {
  name: "wasm",
  setup(build) {
    build.onResolve({ filter: /\.wasm\?module$/ }, ({ path, resolveDir }) => ({ path: join(resolveDir, path.replace("?module", "")), namespace: "wasm" }));
    build.onLoad({ filter: /.*/, namespace: "wasm" }, async ({ path }) => {
      const name = `wasm_${Object.keys(modules).length}`;
      modules[name] = await WebAssembly.compile(await readFile(path));
      return { contents: `export default ${name};`, resolveDir: dirname(path) };
    });
  },
};
const { outputFiles } = await build({ entryPoints: ["main.mjs"], bundle: true, format: "iife", conditions: ["edge-light"], write: false, plugins: [handedIn] });
const runtime = new EdgeRuntime({ initialCode: outputFiles[0]?.text ?? "", extend: (/** @type {object} */ context) => Object.assign(context, modules) });
await runServer({ runtime, host: "127.0.0.1", port: Number(process.argv[2]) });
