// What the packed tarball promises to who installs it: entries that resolve, types that are true, nothing of this machine.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { project } from "../pkg/packed.mjs";
import { command, INSTALLED } from "./start.mjs";

const ROOT = join(import.meta.dirname, "../..");
const bin = (/** @type {string} */ name) => join(INSTALLED, "node_modules/.bin", name);
const ENTRIES = ["upstash-edge", "upstash-edge/limiter", "upstash-edge/cache", "upstash-edge/sessions"];
const path = project("published", {});
const installed = join(path, "node_modules/upstash-edge");

test("publint has nothing to say", async () => {
  assert.match(await command(bin("publint"), [installed, "--strict"], path), /All good!/);
});

test("are the types wrong? No", async () => {
  // It fails where it has found a problem.
  assert.match(await command(bin("attw"), ["--pack", installed, "--profile", "node16", "--no-color"], path), /"upstash-edge\/limiter" +│ 🟢 \(CJS\) +│ 🟢 \(ESM\)/);
});

test("no file holds a path of the machine that built it", () => {
  const files = readdirSync(installed, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  assert.ok(files.some(({ name }) => name === "core.wasm") && files.some(({ name }) => name === "workerd.js.map"));
  for (const { parentPath, name } of files) {
    const text = readFileSync(join(parentPath, name), "latin1");
    for (const place of [ROOT, homedir(), "/rustc/", "/.cargo/"]) assert.ok(!text.includes(place), `${name} holds ${place}`);
  }
});

/** The names of a class's methods and accessors, or of its statics. @param {object} object */
const names = (object) => Object.getOwnPropertyNames(object).filter((name) => !["constructor", "length", "name", "prototype"].includes(name));

/**
 * A program that compiles when the types of an entry have exactly the names that it really has.
 * @param {Record<string, any>} edge @param {string[]} all the names that any entry has
 */
function held(edge, all) {
  // By use, for a name that is exported as a type alone is a key all the same.
  const uses = all.map((name) => `${name in edge ? "" : "// @ts-expect-error It is another entry's.\n"}edge.${name};\n`).join("");
  const redis = new edge.Redis({ url: "http://127.0.0.1:1", token: "t" });
  /** @type {Record<string, string[]>} */
  const kinds = { "ReturnType<edge.Redis['pipeline']>": names(Object.getPrototypeOf(redis.pipeline())) };
  for (const [name, value] of Object.entries(edge)) {
    if (typeof value !== "function" || !value.prototype || name === "EdgeError") continue;
    if (!/^class /.test(Function.prototype.toString.call(value))) continue;
    kinds[`edge.${name}`] = names(value.prototype);
    kinds[`Omit<typeof edge.${name}, "prototype">`] = names(value);
  }
  const same = Object.entries(kinds).map(([type, real], at) => `type Real${at} = ${real.map((name) => JSON.stringify(name)).join(" | ") || "never"};
const invented${at}: [Exclude<keyof (${type}), Real${at}>] extends [never] ? true : Exclude<keyof (${type}), Real${at}> = true;
const untyped${at}: [Exclude<Real${at}, keyof (${type})>] extends [never] ? true : Exclude<Real${at}, keyof (${type})> = true;
`);
  return uses + same.join("");
}

/** @param {string} cwd @param {string[]} files */
const tsc = (cwd, files) =>
  command(join(ROOT, "node_modules/.bin/tsc"), ["--noEmit", "--strict", "--module", "nodenext", "--target", "esnext", "--lib", "esnext,dom", "--types", "", ...files], cwd);

test("what is required has the names of what is imported", async () => {
  for (const entry of ENTRIES.slice(1)) {
    const folder = entry.replace("upstash-edge/", "");
    const [esm, cjs] = [await import(join(installed, "dist", folder, "inline.js")), createRequire(import.meta.url)(join(installed, "dist/cjs", `${folder}.js`))];
    assert.deepEqual(Object.keys(cjs).sort(), Object.keys(esm).sort());
  }
  for (const name of ["hono", "next", "workers", "queue"]) {
    const [esm, cjs] = [await import(join(installed, "dist", `${name}.js`)), createRequire(import.meta.url)(join(installed, "dist/cjs", `${name}.js`))];
    assert.deepEqual(Object.keys(cjs), Object.keys(esm));
  }
});

test("types and exports have the same names, imported and required", async () => {
  /** @type {Record<string, string>} */
  const files = {};
  /** @type {string[]} */
  const all = [];
  for (const [at, entry] of ENTRIES.entries()) {
    // By its own file, whatever runs this.
    const edge = await import(join(installed, "dist", entry.replace("upstash-edge", "."), "inline.js"));
    if (at === 0) all.push(...Object.keys(edge));
    const text = held(edge, all);
    files[`held${at}.mts`] = `import * as edge from "${entry}";\n${text}`;
    files[`held${at}.cts`] = `import edge = require("${entry}");\n${text}`;
  }
  const program = project("held", files);
  await tsc(program, Object.keys(files));
  const { Redis, health } = await import(join(installed, "dist/inline.js"));
  const lacking = project("lacking", { "lacking.mts": `import * as edge from "upstash-edge/cache";\n${held({ Redis, health }, all)}` });
  await assert.rejects(tsc(lacking, ["lacking.mts"]), /TS2578/);
});
