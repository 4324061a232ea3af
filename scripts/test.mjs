// `make test`: every suite; then a table, the Worker's size and `N passed, N failed`.
// `make test ONLY=worker,page` runs the suites of these names. What is built is built first, one thing after the other; the tests then run in
// two lanes, for they wait more than they compute. Each has servers and folders of its own.

import { execFileSync } from "node:child_process";
import { existsSync, globSync, statSync } from "node:fs";
import { isStopping, run, stopAll } from "./processes.mjs";
import { startGateway, startRedis } from "./stack.mjs";

/** `why`: what a runner says of its failures. @typedef {{passed: number, failed: number, why?: string}} Counts */
/** @typedef {{code: number, output: string}} Result */
/** @typedef {(text: string) => void} Show */
/** @typedef {(show: Show) => Promise<Counts>} Suite */

const toolchain = process.env.WASM_TOOLCHAIN ? { RUSTUP_TOOLCHAIN: process.env.WASM_TOOLCHAIN } : {};
// A folder of its own, so that two compilers don't undo each other's work.
const wasmEnv = { ...toolchain, CARGO_TARGET_DIR: "target/wasm" };

// The tests of Rust build it without optimisation anyway.
process.env.UPSTASH_GATEWAY = "target/debug/upstash-gateway";

/** @type {Record<string, Suite>} */
const CHECKS = {
  rustfmt: check("cargo", "fmt --all --check"),
  clippy: check("cargo", "clippy --workspace --all-targets --features native -- -D warnings"),
  "clippy-wasm": check("cargo", "clippy --target wasm32-unknown-unknown --features worker,js -- -D warnings", wasmEnv),
  // As the npm package is built: what the Worker's host has is not there.
  "clippy-js": check("cargo", "clippy --target wasm32-unknown-unknown --no-default-features --features js -- -D warnings", wasmEnv),
  examples: check("cargo", "clippy --target wasm32-unknown-unknown -p rust-worker -p rust-queue -- -D warnings", wasmEnv),
  docs: check("cargo", "doc --no-deps --workspace", { RUSTDOCFLAGS: "-Dwarnings" }),
  types: typescript,
};

/** @type {Record<string, Suite>} */
const BUILDS = {
  gateway: check("cargo", "build -p upstash-gateway"),
  "worker-build": check("scripts/build-worker.sh", ""),
  "pkg-build": check("scripts/build-pkg.sh", ""),
};

/** These need what BUILDS makes; the longest begin. @type {Record<string, Suite>} */
const TESTS = {
  cargo: (show) => cargoTest("cargo test --workspace --features native --no-fail-fast", {}, show),
  runtimes: nodeTest("tests/runtimes/*.test.mjs"),
  page: nodeTest("tests/page/*.test.mjs"),
  topology: nodeTest("tests/topology/*.test.mjs"),
  faults: nodeTest("tests/faults/*.test.mjs"),
  pkg: nodeTest("tests/pkg/*.test.mjs"),
  // While Next builds on one core, the rest runs on the other.
  adapters: nodeTest("tests/adapters/*.test.mjs", 2),
  edge: nodeTest("tests/edge/*.test.mjs"),
  worker: nodeTest("tests/worker/*.test.mjs"),
  browser: (show) =>
    withGateway((env) => {
      const flags = '--headless --chrome --chromedriver "$(command -v chromedriver)" --mode no-install';
      return cargoTest(`wasm-pack test ${flags} . --test web`, { ...wasmEnv, ...env }, show);
    }),
  openapi: nodeTest("tests/openapi/*.test.mjs"),
  guide: nodeTest("tests/docs/*.test.mjs"),
  peers: nodeTest("tests/peers/*.test.mjs"),
  supply: nodeTest("tests/supply/*.test.mjs"),
  unit: nodeTest("tests/unit/*.test.mjs"),
};

/**
 * A suite that counts one: it holds or it does not.
 * @param {string} command @param {string} args @param {NodeJS.ProcessEnv} [env]
 * @returns {Suite}
 */
function check(command, args, env) {
  return async (show) => {
    const result = await run(command, args.split(" ").filter(Boolean), env, show);
    return counts(result, Number(result.code === 0), 0);
  };
}

/** The JavaScript and the types that are written by hand. @type {Suite} */
async function typescript(show) {
  const options = "--allowJs --checkJs --noEmit --strict --module nodenext --target esnext --types node";
  const files = globSync(["{scripts,tests,bench,www}/**/*.{js,mjs,ts}", "pkg/src/**/*.{js,d.ts}"]).join(" ");
  const code = await check("tsc", `${options} --skipLibCheck ${files}`)(show);
  // A user's compiler checks these, whatever its options.
  const types = await check("tsc", "--noEmit --strict --target esnext pkg/index.d.ts pkg/entries/init.d.ts pkg/entries/queue.d.ts")(show);
  const why = [code.why, types.why].filter(Boolean).join("\n");
  return { passed: code.passed + types.passed, failed: code.failed + types.failed, why };
}

/** @param {string} command @param {NodeJS.ProcessEnv} env @param {Show} show */
async function cargoTest(command, env, show) {
  const result = await run("bash", ["-c", command], env, show);
  return counts(result, sum(result, /^test result: .*?(\d+) passed/gm), sum(result, /^test result: .*? (\d+) failed/gm));
}

/** One file at a time, because each starts a whole stack. @param {string} pattern @param {number} [atOnce] @returns {Suite} */
function nodeTest(pattern, atOnce = 1) {
  return async (show) => {
    const files = globSync(pattern);
    if (files.length === 0) return { passed: 0, failed: 1, why: `there is no ${pattern}` };
    const result = await run("node", ["--test", "--test-reporter=spec", `--test-concurrency=${atOnce}`, ...files], {}, show);
    return counts(result, sum(result, /^ℹ pass (\d+)/gm), sum(result, /^ℹ (?:fail|cancelled) (\d+)/gm));
  };
}

/** What the first group of a pattern adds up to, over all of its matches. @param {Result} result @param {RegExp} pattern */
function sum({ output }, pattern) {
  return [...output.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0);
}

/**
 * A runner that fails without naming a test, or that runs none, has failed once.
 * @param {Result} result @param {number} passed @param {number} failed
 * @returns {Counts}
 */
function counts({ code, output }, passed, failed) {
  const failures = failed || Number(code !== 0 || passed === 0);
  return { passed, failed: failures, why: failures ? excerpt(output) : "" };
}

/** From where a runner begins to repeat its failures, else its last lines. @param {string} output */
function excerpt(output) {
  // Cargo has one list for each binary; Node's reporter one for the run.
  const failures = [...output.matchAll(/^failures:\n[^]*?^test result: FAILED.*$|^✖ failing tests:[^]*/gm)].map(String);
  const lines = (failures.length ? failures.join("\n") : output).trimEnd().split("\n");
  return (failures.length ? lines.slice(0, 80) : lines.slice(-80)).join("\n");
}

/** With a Redis and a gateway of its own. @param {(env: Record<string, string>) => Promise<Counts>} suite */
async function withGateway(suite) {
  const token = "test-token";
  const readOnlyToken = "test-read-only-token";
  const redis = await startRedis();
  const gateway = await startGateway({ redisUrl: redis.url, token, readOnlyToken });
  try {
    return await suite({
      UPSTASH_TEST_URL: gateway.url,
      UPSTASH_TEST_TOKEN: token,
      UPSTASH_TEST_READONLY_TOKEN: readOnlyToken,
    });
  } finally {
    await gateway.stop();
    await redis.stop();
  }
}

/** @type {string[][]} */
const rows = [];
/** @type {string[]} */
const reasons = [];
const total = { passed: 0, failed: 0 };

/** @param {Record<string, Suite>} suites @param {number} [lanes] */
async function runAll(suites, lanes = 1) {
  const waiting = Object.entries(suites);
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await runOne(...next, lanes > 1);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** @param {string} name @param {Suite} suite @param {boolean} named whether its lines say whose they are */
async function runOne(name, suite, named) {
  console.log(`\n=== ${name}`);
  const started = Date.now();
  const out = named ? lines(name) : { show: (/** @type {string} */ text) => process.stdout.write(text), end: () => {} };
  const { passed, failed, why } = await suite(out.show).catch((error) => ({ passed: 0, failed: 1, why: error.message }));
  out.end();
  if (failed) reasons.push(`=== what failed in ${name}\n${why}`);
  const seconds = `${((Date.now() - started) / 1000).toFixed(1)} s`;
  console.log(`=== ${name}: ${failed ? "FAILED" : "ok"}, ${seconds}`);
  rows.push([name, `${passed}`, `${failed}`, seconds]);
  total.passed += passed;
  total.failed += failed;
}

/** Shows whole lines, each with the name of its suite. @param {string} name */
function lines(name) {
  let begun = "";
  const show = (/** @type {string} */ text) => {
    const all = (begun + text).split("\n");
    begun = all.pop() ?? "";
    for (const line of all) console.log(`${name.padEnd(9)} ${line}`);
  };
  return { show, end: () => begun && show("\n") };
}

async function main() {
  const only = (process.env.ONLY ?? "").split(",").filter(Boolean);
  const unknown = only.filter((name) => !(name in CHECKS || name in BUILDS || name in TESTS));
  if (unknown.length) throw new Error(`no suite is called ${unknown.join(", ")}`);
  const pick = /** @param {Record<string, Suite>} suites */ (suites) =>
    Object.fromEntries(Object.entries(suites).filter(([name]) => only.length === 0 || only.includes(name)));

  const tests = pick(TESTS);
  await runAll(pick(CHECKS));
  await runAll(Object.keys(tests).length ? BUILDS : pick(BUILDS));
  await runAll(tests, 2);

  // Again, where whoever reads the end of a long log finds it.
  for (const reason of reasons) console.log(`\n${reason}`);
  console.log(`\n${["suite", "passed", "failed", "time"].map(column).join("")}`);
  for (const row of rows) console.log(row.map(column).join(""));
  const wasm = "build/index_bg.wasm";
  if (existsSync(wasm)) {
    // By gzip itself: Node's zlib makes other sizes than everybody else's.
    const zipped = execFileSync("gzip", ["-9", "-c", wasm]);
    console.log(`\nThe Worker's wasm: ${statSync(wasm).size} bytes, gzip -9 ${zipped.length} bytes`);
  }
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
}

/** @param {string} text @param {number} index */
function column(text, index) {
  return index ? text.padStart(10) : text.padEnd(14);
}

main()
  .catch((error) => {
    console.log(`make test: ${error.message}`);
    total.failed += 1;
  })
  .then(stopAll)
  .then(() => {
    // After a signal, its handler says how this process ends.
    if (!isStopping()) process.exit(total.failed ? 1 : 0);
  });
