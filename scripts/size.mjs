// What an entry adds to a Worker, what the packages it replaces add, by one esbuild command; and where the bytes of the
// module are, by part of the crate.

import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");

/** By gzip itself: Node's zlib makes other sizes than everybody else's. @param {Uint8Array | string} bytes */
export const zipped = (bytes) => execFileSync("gzip", ["-9", "-c"], { input: bytes }).length;

/** What a Worker is made of that has all of these. @param {string[]} imports @param {string} [names] what of them, else all */
async function bundled(imports, names = "*") {
  const contents = imports.map((name) => `export ${names} from ${JSON.stringify(name)};\n`).join("");
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: ROOT },
    bundle: true,
    minify: true,
    format: "esm",
    conditions: ["workerd", "worker"],
    external: ["*.wasm?module", "node:*", "crypto"],
    write: false,
    logLevel: "error",
  });
  return outputFiles[0]?.contents ?? new Uint8Array();
}

/** @typedef {{name: string, js: number, wasm: number}} Sizes bytes, gzip -9 */

/** An entry of the package, as built; without what a Worker has no use for. @param {string} name @param {string[]} [without] @returns {Promise<Sizes>} */
export async function entry(name, without = []) {
  const folder = join(ROOT, "pkg/dist", name);
  const names = Object.keys(await import(join(folder, "inline.js"))).filter((one) => !without.includes(one));
  const [js, wasm] = [await bundled([join(folder, "workerd.js")], `{ ${names} }`), readFileSync(join(folder, "core.wasm"))];
  return { name: `upstash-edge${name && `/${name}`}`, js: zipped(js), wasm: zipped(wasm) };
}

/** The same with rustup's std, where it was built (STD=ordinary). @param {string} name @returns {Promise<Sizes>} */
export async function ordinary(name) {
  const { name: full, js } = await entry(name);
  const wasm = readFileSync(join(ROOT, `target/wasm-release/modules-ordinary-std/js${name && `-${name}`}/core.wasm`));
  return { name: `${full}, the ordinary std`, js, wasm: zipped(wasm) };
}

/** @param {string} name @param {string[]} imports @returns {Promise<Sizes>} */
export const peer = async (name, imports) => ({ name, js: zipped(await bundled(imports)), wasm: 0 });

/** The peers' packages in the order in which they are added. */
export const PEERS = ["@upstash/redis/cloudflare", "@upstash/ratelimit", "@epic-web/cachified", "iron-session"];

/** The sizes of a module's functions, by name. @param {Uint8Array} wasm @returns {[string, number][]} */
export function functions(wasm) {
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = wasm[at++] ?? 0;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  const text = () => {
    const length = number();
    at += length;
    return new TextDecoder().decode(wasm.subarray(at - length, at));
  };
  const limits = () => {
    const flags = number();
    number();
    if (flags & 1) number();
  };
  let imported = 0;
  /** @type {number[]} */
  const sizes = [];
  /** @type {Map<number, string>} */
  const names = new Map();
  while (at < wasm.length) {
    const [id, length] = [wasm[at++], number()];
    const end = at + length;
    if (id === 2) {
      for (let left = number(); left > 0; left--) {
        text();
        text();
        const kind = wasm[at++];
        if (kind === 0) imported += 1;
        if (kind === 1) at += 1;
        if (kind === 1 || kind === 2) limits();
        else if (kind === 3) at += 2;
        else number();
      }
    } else if (id === 10) {
      for (let left = number(); left > 0; left--) {
        const size = number();
        sizes.push(size);
        at += size;
      }
    } else if (id === 11) {
      sizes.push(length);
      names.set(imported + sizes.length - 1, "data");
    } else if (id === 0 && text() === "name") {
      while (at < end) {
        const [part, size] = [wasm[at++], number()];
        const stop = at + size;
        if (part === 1) {
          for (let left = number(); left > 0; left--) names.set(number(), text());
        }
        at = stop;
      }
    }
    at = end;
  }
  return sizes.map((size, index) => [names.get(imported + index) ?? "?", size]);
}

/** The part of the crate, or the crate, that a function is of. @param {string} name */
function part(name) {
  if (name === "data") return "data: texts, Lua, tables";
  const path = name.replace(/\[[0-9a-f]+\]/g, "");
  const own = /upstash_edge::(?:js::)?(?:batch::Asked<upstash_edge::)?(\w+)/.exec(path.replace(/^<upstash_edge::js::batch::Asked</, ""));
  if (own) return `crate: ${["", "js/"].some((below) => existsSync(join(ROOT, `src/${below}${own[1]}`)) || existsSync(join(ROOT, `src/${below}${own[1]}.rs`))) ? own[1] : "js"}`;
  const other = /(?:^|[<& ])(?:dyn )?(talc|sha2|hmac|core|alloc|std|serde_json|hashbrown|wasm_bindgen|js_sys|itoa)\b/.exec(path);
  if (other) return `${other[1]}`;
  return /shim$|^__/.test(path) ? "exports, and what is inlined into them" : "other";
}

/** The bytes of the module with everything, by part, largest first. @returns {[string, number][]} */
export function parts() {
  const folder = mkdtempSync(join(tmpdir(), "upstash-edge-size-"));
  try {
    const [bound, small] = [join(folder, "bound"), join(folder, "small.wasm")];
    execFileSync(process.env.WASM_BINDGEN_BIN ?? "", ["--target", "web", "--no-typescript", "--out-dir", bound, "--out-name", "core", join(ROOT, "target/wasm-release/modules/js/named.wasm")]);
    execFileSync(process.env.WASM_OPT_BIN ?? "", ["-Oz", "-g", "-o", small, join(bound, "core_bg.wasm")]);
    /** @type {Map<string, number>} */
    const parts = new Map();
    for (const [name, size] of functions(readFileSync(small))) parts.set(part(name), (parts.get(part(name)) ?? 0) + size);
    return [...parts].sort((a, b) => b[1] - a[1]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
