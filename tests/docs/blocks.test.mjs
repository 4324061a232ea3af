// Every code block of the pages is compiled, parsed, or the same as code that is.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { unstable_readConfig } from "wrangler";
import { run } from "../../scripts/processes.mjs";
import { blocks, place, programs } from "./blocks.mjs";

const ROOT = join(import.meta.dirname, "../..");
const FOLDER = join(ROOT, "target/docs-blocks");
const RUNTIMES = process.env.RUNTIMES_DIR ?? "";
const ALL = blocks();
const of = (/** @type {string[]} */ ...languages) => ALL.filter(({ language, shown }) => !shown && languages.includes(language));

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });

test("each block says what it is, and these alone are for the eye", () => {
  const known = ["ts", "js", "sh", "json", "toml", "rust"];
  const unknown = ALL.filter(({ language, shown }) => !shown && !known.includes(language));
  assert.deepEqual(unknown.map(place), []);
  const shown = ALL.filter((block) => block.shown).map(({ page, language }) => `${page} ${language}`);
  // What curl printed.
  assert.deepEqual(shown, ["docs/console.md console", "docs/edge.md console"]);
  assert.ok(ALL.length > 45, `${ALL.length}`);
});

test("TypeScript and JavaScript compile against the package's types, and the peers' own", async () => {
  const files = ["../../tests/docs/names.d.ts"];
  for (const block of of("ts", "js")) {
    for (const [file, text] of programs(block)) {
      mkdirSync(dirname(join(FOLDER, file)), { recursive: true });
      writeFileSync(join(FOLDER, file), text);
      files.push(file);
    }
  }
  const paths = {
    hono: [join(RUNTIMES, "node_modules/hono/dist/types/index.d.ts")],
    next: [join(RUNTIMES, "next16/node_modules/next/index.d.ts")],
    "next/*": [join(RUNTIMES, "next16/node_modules/next/*.d.ts")],
  };
  const compilerOptions = { noEmit: true, strict: true, noImplicitAny: false, skipLibCheck: true, target: "esnext", module: "esnext", moduleResolution: "bundler", types: ["node"], typeRoots: ["../../node_modules/@types"], lib: ["esnext", "dom", "dom.iterable"], paths };
  writeFileSync(join(FOLDER, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  const result = await run("tsc", ["--pretty", "false", "-p", FOLDER]);
  assert.equal(result.code, 0, "the compiler has said why");
  assert.ok(files.length > 30, `${files.length}`);
});

test("Rust is what stands in an example, which the linter builds, or in the crate's own documentation, which cargo tests", () => {
  const files = globSync(["{examples,templates}/**/src/*.rs", "src/**/*.rs"], { cwd: ROOT });
  // Without the lines of the crate's documentation that it does not show.
  const sources = files.map((file) => readFileSync(join(ROOT, file), "utf8").replace(/^\/\/\/ # .*\n/gm, "").replace(/^\/\/\/ ?/gm, ""));
  const own = of("rust");
  assert.ok(own.length > 0);
  for (const block of own) assert.ok(sources.some((source) => source.includes(block.text)), place(block));
});

test("shell is sound, and names targets and files that are there", () => {
  const targets = new Set([...readFileSync(join(ROOT, "Makefile"), "utf8").matchAll(/^([a-z-]+):/gm)].map(([, name]) => name));
  for (const block of of("sh")) {
    execFileSync("bash", ["-n"], { input: block.text });
    for (const [, target] of block.text.matchAll(/(?:^|&& )make ([a-z-]+)/gm)) assert.ok(targets.has(target), `${place(block)}: make ${target}`);
    for (const [, template = ""] of block.text.matchAll(/cargo generate --git \S+ (\S+)/g)) assert.ok(globSync(join(ROOT, template, "Cargo.toml*")).length, place(block));
  }
});

test("JSON parses, and wrangler's configuration is read by wrangler", () => {
  for (const block of of("json")) JSON.parse(block.text);
  for (const block of of("toml")) {
    const file = join(FOLDER, "wrangler.toml");
    writeFileSync(file, block.text);
    const { name, main } = unstable_readConfig({ config: file }, { hideWarnings: true });
    assert.ok(name && main, place(block));
  }
});
