// What we build on: known, from where it says, under a licence that suits, without a known hole; and no more of it than we can tell why.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "../../scripts/processes.mjs";

const ROOT = join(import.meta.dirname, "../..");
const read = (/** @type {string} */ file) => readFileSync(join(ROOT, file), "utf8");
const json = (/** @type {string} */ file) => JSON.parse(read(file));

/** The day the snapshot is of. */
const [, DAY = ""] = /(\d{4}-\d\d-\d\d)/.exec(globSync("tests/supply/*.tar.gz", { cwd: ROOT })[0] ?? "") ?? [];

/**
 * What cargo-deny says of our crates, by RustSec's advisories and perhaps one more.
 * @param {string} name of the folder the advisories are unpacked into @param {{crate: string, id: string, text: string}} [added]
 */
async function deny(name, added) {
  const folder = join(ROOT, "target", name);
  // As cargo-deny names it after its URL; it must be a repository.
  const database = join(folder, "advisory-db-3157b0e258782691");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(database, { recursive: true });
  execFileSync("tar", ["-xzf", join(import.meta.dirname, `advisory-db-${DAY}.tar.gz`), "-C", database]);
  if (added) {
    mkdirSync(join(database, "crates", added.crate), { recursive: true });
    writeFileSync(join(database, "crates", added.crate, `${added.id}.md`), added.text);
  }
  const settings = ["user.name=a", "user.email=a@example.com", "commit.gpgsign=false"].flatMap((setting) => ["-c", setting]);
  const git = (/** @type {string[]} */ ...args) => execFileSync("git", ["-C", database, ...settings, ...args]);
  git("init", "-q");
  git("add", "-A");
  git("commit", "-qm", DAY);
  // When it was fetched is asked of a file that this writes.
  git("fetch", "-q", ".");
  return run(process.env.CARGO_DENY ?? "cargo-deny", ["--offline", "check"], { NO_COLOR: "1", UPSTASH_EDGE_ADVISORIES: folder }, () => {});
}

test("no crate has a known hole, is abandoned, of a licence or a source that is not ours to take, or there twice", async () => {
  const { code, output } = await deny("advisories");
  assert.equal(code, 0, output);
  assert.match(output, /advisories ok, bans ok, licenses ok, sources ok/);
  assert.ok(read("docs/dependencies.md").includes(`RustSec's advisories of ${DAY}`));
});

test("a hole that is known is told", async () => {
  const [crate, id] = ["serde_json", "RUSTSEC-2026-9999"];
  const head = `id = "${id}"\npackage = "${crate}"\ndate = "2026-01-01"`;
  const text = `\`\`\`toml\n[advisory]\n${head}\n\n[versions]\npatched = []\n\`\`\`\n\n# A hole\n\nMade for a test.\n`;
  const { code, output } = await deny("advisories-with-one-more", { crate, id, text });
  assert.notEqual(code, 0);
  assert.match(output, /RUSTSEC-2026-9999/);
  assert.match(output, /advisories FAILED, bans ok/);
});

test("Cargo.lock: every crate is ours or crates.io's, with its checksum", () => {
  const ours = new Set(["upstash-edge", "upstash-edge-worker", "upstash-gateway", "rust-worker", "rust-queue"]);
  const crates = read("Cargo.lock").split("[[package]]").slice(1);
  assert.ok(crates.length > 100);
  for (const crate of crates) {
    const name = /^name = "(.*)"$/m.exec(crate)?.[1] ?? "";
    if (ours.delete(name)) assert.doesNotMatch(crate, /^(?:source|checksum)/m);
    else assert.match(crate, /^source = "registry\+https:\/\/github\.com\/rust-lang\/crates\.io-index"\nchecksum = "[0-9a-f]{64}"$/m, name);
  }
  assert.deepEqual([...ours], []);
});

for (const file of ["package-lock.json", ...globSync("tests/runtimes/{,*/}package-lock.json", { cwd: ROOT })]) {
  test(`${file}: every package with its SHA-512, and none from elsewhere than npm's registry`, () => {
    /** @type {Record<string, {link?: boolean, integrity?: string, resolved?: string, version?: string}>} */
    const packages = json(file).packages;
    for (const [name, { link, integrity, resolved }] of Object.entries(packages)) {
      if (!name.includes("node_modules/") || link) continue;
      assert.match(integrity ?? "", /^sha512-/, name);
      assert.ok(resolved === undefined || resolved.startsWith("https://registry.npmjs.org/"), `${name}: ${resolved}`);
    }
  });
}

test("what is published installs nothing: the frameworks of its adapters are the user's own", () => {
  const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = json("pkg/package.json");
  assert.deepEqual([dependencies, optionalDependencies], [undefined, undefined]);
  for (const peer of Object.keys(peerDependencies)) assert.equal(peerDependenciesMeta[peer]?.optional, true, peer);
});

test("docs/dependencies.md says of each direct dependency why it is there, and of no other", async () => {
  const { output } = await run("cargo", ["metadata", "--format-version", "1", "--no-deps"], {}, () => {});
  /** @type {{packages: {name: string, dependencies: {name: string, path?: string}[]}[]}} */
  const { packages } = JSON.parse(output.slice(output.indexOf('{"packages"')));
  const crates = packages.flatMap(({ dependencies }) => dependencies.filter(({ path }) => !path).map(({ name }) => name));
  const manifests = ["package.json", "tests/runtimes/package.json", ...globSync("tests/runtimes/*/package.json", { cwd: ROOT })];
  const npm = manifests.flatMap((file) => {
    const { dependencies = {}, devDependencies = {} } = json(file);
    return Object.keys({ ...dependencies, ...devDependencies }).filter((name) => name !== "upstash-edge");
  });
  const unique = (/** @type {string[]} */ names) => [...new Set(names)].sort();
  const [, rust = "", javascript = ""] = read("docs/dependencies.md").split(/^## /m);
  const rows = (/** @type {string} */ section) => [...section.matchAll(/^\| (`.*?`) \| .+ \|$/gm)].flatMap(([, names = ""]) => names.match(/[^`, ]+/g) ?? []).sort();
  assert.deepEqual(rows(rust), unique(crates));
  assert.deepEqual(rows(javascript), unique(npm));
});
