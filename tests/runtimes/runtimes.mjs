// Every runtime that the package has an entry for, and how it runs a program that has installed the packed tarball.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROGRAM, project } from "../pkg/packed.mjs";
import { inChromium, inFirefox } from "./browsers.mjs";
import { answers, command, files, folderBelow, INSTALLED, printed } from "./start.mjs";

/** @typedef {import("./start.mjs").Results} Results */
/** @typedef {Awaited<ReturnType<typeof import("../pkg/packed.mjs").servers>>} Env */

/** The version that is installed, without what changes by the week. @param {string} name @param {string} [below] */
const version = (name, below = "") => JSON.parse(readFileSync(join(INSTALLED, below, "node_modules", name, "package.json"), "utf8")).version.split(".")[0];

const bin = (/** @type {string} */ name) => join(INSTALLED, "node_modules/.bin", name);

/** @param {Env} env */
const listed = (env) => `await all(${JSON.stringify(env)})`;

/** Prints the results; a test that fails while nobody waits for it is told like the others. @param {Env} env */
const printing = (env) => `${PROGRAM}globalThis.process?.on("unhandledRejection", () => {});\nconsole.log(JSON.stringify(${listed(env)}));\n`;

/** @param {Env} env */
const requiring = (env) => `const edge = require("upstash-edge");
import("./list.mjs").then(async ({ list }) => console.log(JSON.stringify(await list(edge, ${JSON.stringify(env)}))));
`;

/** Answers a request with them. @param {Env} env */
const answering = (env) => `${PROGRAM}export default { fetch: async () => Response.json(${listed(env)}) };\n`;

/** Leaves them where who opens the page finds them. @param {Env} env */
const showing = (env) => `${PROGRAM}${listed(env).slice(6)}.then((results) => (globalThis.results = results));\n`;

const PAGE = `<!doctype html><meta charset="utf-8"><title>conformance</title><script type="module" src="/main.js"></script>`;
/** No bundler: the browser finds the package by an import map. */
const MAPPED = PAGE.replace("<script", `<script type="importmap">{"imports": {"upstash-edge": "/node_modules/upstash-edge/dist/inline.js"}}</script><script`);

const WRANGLER = `name = "conformance"\nmain = "main.mjs"\ncompatibility_date = "2026-10-01"\n`;

/** @param {string} node @param {string} file */
const inNode = (node, file) => async (/** @type {Env} */ env) => {
  const path = project("node", { "main.mjs": printing(env), "main.cjs": requiring(env) }, folderBelow());
  return printed(await command(node, [file], path));
};

/** @param {(url: string) => Promise<Results>} open */
const unbundled = (open) => async (/** @type {Env} */ env) => open(await files(project("unbundled", { "main.js": showing(env), "index.html": MAPPED }, folderBelow())));

/** @param {string} name @param {string[]} args @param {Record<string, string>} config */
const bundledBy = (name, args, config) => async (/** @type {Env} */ env) => {
  const path = project("bundled", { "main.js": showing(env), "index.html": PAGE.replace("/main.js", "./main.js"), ...config }, folderBelow());
  await command(bin(name), args, path);
  return inChromium(await files(join(path, "dist")));
};

/** Routes of both runtimes, and what runs before them. @param {Env} env @param {string} before */
const nextApp = (env, before) => ({
  "app/layout.js": "export default ({ children }) => <html><body>{children}</body></html>;\n",
  "app/edge/route.js": `export const runtime = "edge";\n${route(env, "../../")}`,
  "app/node/route.js": `export const dynamic = "force-dynamic";\n${route(env, "../../")}`,
  [`${before}.js`]: `${route(env, "./").replace("GET", before)}export const config = { matcher: "/before" };\n`,
});

/** @param {Env} env @param {string} up */
const route = (env, up) => `${PROGRAM.replace("./", up)}export async function GET() {\n  return Response.json(${listed(env)});\n}\n`;

/** @param {string} name @param {string} before @param {Record<string, string>} config @returns {(env: Env) => Promise<Results[]>} */
const inNext = (name, before, config) => async (env) => {
  const parent = folderBelow(name);
  const path = project("app", { ...nextApp(env, before), ...config }, parent);
  const next = join(INSTALLED, name, "node_modules/.bin/next");
  await command(next, ["build"], path);
  return answers(async (port) => ({ command: next, args: ["start", "-H", "127.0.0.1", "-p", `${port}`] }), path, ["/edge", "/before", "/node"]);
};

/** @param {string} server @param {string[]} [before] what is run before it @returns {(env: Env) => Promise<Results[]>} */
const byVite = (server, before) => async (env) => {
  const config = 'import { cloudflare } from "@cloudflare/vite-plugin";\nexport default { plugins: [cloudflare({ inspectorPort: false })] };\n';
  const path = project("cloudflare", { "main.mjs": answering(env), "wrangler.toml": WRANGLER, "vite.config.js": config }, folderBelow());
  if (before) await command(bin("vite"), before, path);
  return answers(async (port) => ({ command: bin("vite"), args: [server, "--host", "127.0.0.1", "--port", `${port}`, "--strictPort"] }), path);
};

/**
 * What they are called, and how their results come about, one for each name.
 * @type {{names: string[], run: (env: Env) => Promise<Results[]>}[]}
 */
export const RUNTIMES = [
  {
    names: ["workerd, by wrangler"],
    run: (env) => {
      const path = project("wrangler", { "main.mjs": answering(env), "wrangler.toml": WRANGLER }, folderBelow());
      return answers(async (port) => ({ command: "wrangler", args: ["dev", "--ip", "127.0.0.1", "--port", `${port}`, "--inspector-port", "0", "--show-interactive-dev-session=false"] }), path);
    },
  },
  { names: ["workerd, by Vite's Cloudflare plugin"], run: byVite("preview", ["build"]) },
  { names: ["workerd, by Vite's Cloudflare plugin in development"], run: byVite("dev") },
  {
    names: ["Vercel's edge-runtime"],
    run: async (env) => {
      const main = `${PROGRAM}addEventListener("fetch", (event) => event.respondWith(${listed(env).slice(6)}.then((results) => Response.json(results))));\n`;
      const path = project("edge", { "main.mjs": main, "serve.mjs": readFileSync(join(import.meta.dirname, "edge-runtime.mjs"), "utf8") }, folderBelow());
      return answers(async (port) => ({ command: "node", args: ["serve.mjs", `${port}`] }), path);
    },
  },
  {
    names: [15, "edge route", "middleware", "Node route"].flatMap((name, at, [major]) => (at ? [`Next ${major}, ${name}`] : [])),
    run: inNext("next15", "middleware", { "next.config.mjs": "export default {};\n" }),
  },
  {
    names: [16, "edge route", "proxy", "Node route"].flatMap((name, at, [major]) => (at ? [`Next ${major}, ${name}`] : [])),
    run: inNext("next16", "proxy", { "next.config.mjs": 'import { join } from "node:path";\nexport default { turbopack: { root: join(import.meta.dirname, "../..") } };\n' }),
  },
  ...["20", "22"].map((major) => ({ names: [`Node ${major}`], run: async (/** @type {Env} */ env) => [await inNode(join(INSTALLED, `node_modules/node${major}/bin/node`), "main.mjs")(env)] })),
  { names: ["Node 24"], run: async (env) => [await inNode("node", "main.mjs")(env)] },
  { names: ["Node 20, require"], run: async (env) => [await inNode(join(INSTALLED, "node_modules/node20/bin/node"), "main.cjs")(env)] },
  {
    names: [`Deno ${version("deno")}`],
    run: async (env) => [printed(await command(bin("deno"), ["run", "--allow-net", "main.mjs"], project("deno", { "main.mjs": printing(env) }, folderBelow())))],
  },
  { names: [`Bun ${version("bun")}`], run: async (env) => [await inNode(bin("bun"), "main.mjs")(env)] },
  { names: ["Chromium"], run: async (env) => [await unbundled(inChromium)(env)] },
  { names: ["Firefox"], run: async (env) => [await unbundled(inFirefox)(env)] },
  { names: [`Vite ${version("vite")}, in Chromium`], run: async (env) => [await bundledBy("vite", ["build"], {})(env)] },
  {
    names: [`webpack ${version("webpack")}, in Chromium`],
    run: async (env) => {
      const config = 'export default { mode: "production", entry: "./main.js", experiments: { outputModule: true }, output: { module: true, filename: "main.js" } };\n';
      return [await bundledBy("webpack", [], { "webpack.config.js": config, "dist/index.html": PAGE })(env)];
    },
  },
  {
    names: ["esbuild, in Chromium"],
    run: async (env) => [await bundledBy("esbuild", ["main.js", "--bundle", "--minify", "--format=esm", "--outfile=dist/main.js"], { "dist/index.html": PAGE })(env)],
  },
];
