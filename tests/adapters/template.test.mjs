// The template of a Rust Worker, filled as `cargo generate` fills it and checked by the compiler. Building cargo-generate
// itself takes longer than all of the other tests, so its documented rules are followed here: {{project-name}} is replaced
// in every file, .liquid falls off a file's name, and cargo-generate.toml is left out.

import assert from "node:assert/strict";
import { copyFileSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { command } from "../runtimes/start.mjs";

const ROOT = join(import.meta.dirname, "../..");
const TEMPLATE = join(ROOT, "templates/rust-worker");

/** @param {string} name */
function generated(name) {
  const folder = mkdtempSync(join(tmpdir(), "upstash-edge-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  for (const file of globSync("**/*.{toml,liquid,rs,md}", { cwd: TEMPLATE })) {
    if (file === "cargo-generate.toml") continue;
    const text = readFileSync(join(TEMPLATE, file), "utf8").replaceAll("{{project-name}}", name);
    assert.doesNotMatch(text, /\{\{|\{%/, `${file} has a placeholder that is not filled`);
    const place = join(folder, file.replace(/\.liquid$/, ""));
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, text);
  }
  return folder;
}

test("a generated Worker compiles for wasm, with this crate in the place of the one on GitHub", async () => {
  const folder = generated("my-worker");
  const manifest = join(folder, "Cargo.toml");
  const text = readFileSync(manifest, "utf8");
  const here = text.replace('git = "https://github.com/upstash-edge/upstash-edge"', `path = ${JSON.stringify(ROOT)}`);
  assert.notEqual(here, text);
  writeFileSync(manifest, here);
  // With it, what the other builds have compiled is not compiled again.
  copyFileSync(join(ROOT, "Cargo.lock"), join(folder, "Cargo.lock"));
  const { WASM_TOOLCHAIN } = process.env;
  const env = { ...(WASM_TOOLCHAIN && { RUSTUP_TOOLCHAIN: WASM_TOOLCHAIN }), CARGO_TARGET_DIR: join(ROOT, "target/wasm"), CARGO_NET_OFFLINE: "true" };
  const output = await command("cargo", ["check", "--target", "wasm32-unknown-unknown"], folder, env);
  assert.doesNotMatch(output, /^(warning|error)/m);
  assert.match(readFileSync(join(folder, "wrangler.toml"), "utf8"), /^name = "my-worker"$/m);
});
