// glue.mjs FOLDER: the JavaScript of a module, of what wasm-bindgen says its functions take and return. Its own has some
// 50 lines for each function; of these numbers, texts and bytes a line is enough (pkg/src/memory.js has the rest).
// FOLDER holds glue.d.ts, and in names.json the short names that wasm-opt gave to what goes in and comes out.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [folder = ""] = process.argv.slice(2);
/** @type {{imports: [string, string, string][], exports: [string, string][]}} */
const { imports, exports } = JSON.parse(readFileSync(join(folder, "names.json"), "utf8"));
const names = new Map(exports);

/** A defect of the build, not of what it builds. @param {string} text @returns {never} */
const fail = (text) => {
  throw new Error(`glue.mjs: ${text}`);
};

/** @param {string} name what the crate calls it */
const short = (name) => names.get(name) ?? fail(`nothing is called ${name}`);

/** What is passed for an argument. @type {Record<string, (name: string) => string>} */
const PUT = {
  number: (name) => name,
  boolean: (name) => name,
  string: (name) => `text(${name}), length`,
  "string | null | undefined": (name) => `${name} == null ? 0 : text(${name}), length`,
  "Uint8Array | number[]": (name) => `put(${name}), length`,
  "Uint8Array | number[] | null | undefined": (name) => `${name} ? put(${name}) : 0, length`,
  "Uint32Array | number[]": (name) => `put(${name}), length`,
};

/** What is made of what comes back. @type {Record<string, (call: string) => string>} */
const TAKE = {
  void: (call) => call,
  number: (call) => call,
  boolean: (call) => `!!${call}`,
  string: (call) => `takenText(${call})`,
  "string | undefined": (call) => `takenText(${call})`,
  "Uint8Array | undefined": (call) => `takenBytes(${call})`,
  Uint32Array: (call) => `takenNumbers(${call})`,
};

/** @param {string} name @param {string} takes @param {string} returns */
function wrapper(name, takes, returns) {
  const given = takes ? takes.split(", ").map((one) => /** @type {[string, string]} */ (one.split(": "))) : [];
  const passed = given.map(([name, type]) => (PUT[type] ?? fail(`${name} is ${type}`))(name));
  const take = TAKE[returns] ?? fail(`${name} returns ${returns}`);
  return `export const ${name} = (${given.map(([name]) => name).join(", ")}) => ${take(`core.${short(name)}(${passed.join(", ")})`)};`;
}

const types = readFileSync(join(folder, "glue.d.ts"), "utf8");
const functions = [...types.matchAll(/^export function (\w+)\((.*)\): (.+);$/gm)].filter(([, name]) => name !== "initSync");
/** @param {string} like */
const imported = (like) => imports.find(([, name]) => name.includes(like))?.[2] ?? fail(`it does not import ${like}`);
const [fill, refuse] = [imported("_fill_"), imported("_throw_")];
if (imports.length > 2) fail(`it imports ${imports.map(([, name]) => name)}`);

const parts = ["memory", "__wbindgen_malloc", "__wbindgen_free", "number_from"].map((name) => `e.${short(name)}`);
writeFileSync(
  join(folder, "glue.js"),
  [
    'import { begin as start_core, core, length, put, takenBytes, takenNumbers, takenText, text } from "#memory";',
    `export const start = (module) => start_core(module, (e) => [${parts.join(", ")}], "${fill}", "${refuse}");`,
    ...functions.filter(([, name]) => name !== "number_from").map(([, name = "", takes = "", returns = ""]) => wrapper(name, takes, returns)),
    "",
  ].join("\n"),
);
