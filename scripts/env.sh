#!/usr/bin/env bash
# Where the tools are, and an environment in which none of them phones home. The other scripts source it;
# `scripts/env.sh COMMAND ..` runs one command in it, in its own place, so that signals reach the command.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
# Outside the clone, so that a second clone builds nothing again.
TOOLS="${UPSTASH_EDGE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/upstash-edge}"

locked_version() { # the version of crate $1 in Cargo.lock
  awk -v crate="name = \"$1\"" '$0 == crate { getline; gsub(/version = |"/, ""); print; exit }' "$ROOT/Cargo.lock"
}

# wasm-bindgen refuses a module made by another version of itself; worker-build and `worker` are released together.
WASM_BINDGEN_DIR="$TOOLS/wasm-bindgen-cli-$(locked_version wasm-bindgen)"
WORKER_BUILD_DIR="$TOOLS/worker-build-$(locked_version worker)"
WASM_PACK_DIR="$TOOLS/wasm-pack-0.15.1"
export CARGO_DENY="$TOOLS/cargo-deny-0.20.2/bin/cargo-deny"
SCHEMATHESIS_DIR="$TOOLS/schemathesis-4.32.5"
export SCHEMATHESIS_DIR

# What the conformance list runs on, one folder for each state of its lockfiles.
RUNTIMES_DIR="$TOOLS/runtimes-$(cat "$ROOT"/tests/runtimes/package-lock.json "$ROOT"/tests/runtimes/*/package-lock.json | cksum | cut -d' ' -f1)"
export RUNTIMES_DIR

export PATH="$WASM_BINDGEN_DIR/bin:$WORKER_BUILD_DIR/bin:$WASM_PACK_DIR/bin:$ROOT/node_modules/.bin:$PATH"
# With these set worker-build downloads nothing.
export WASM_BINDGEN_BIN="$WASM_BINDGEN_DIR/bin/wasm-bindgen"
export WASM_OPT_BIN="$ROOT/node_modules/.bin/wasm-opt"
export ESBUILD_BIN="$ROOT/node_modules/.bin/esbuild"

export WRANGLER_SEND_METRICS=false CLOUDFLARE_CF_FETCH_ENABLED=false NEXT_TELEMETRY_DISABLED=1
export DENO_NO_UPDATE_CHECK=1 DO_NOT_TRACK=1 CI=1

# The rustup toolchain that has the wasm32 target: the ordinary one (empty), or the one that setup-wasm-target.sh links.
default_toolchain_has_wasm() {
  [ -d "$(rustc --print sysroot 2>/dev/null)/lib/rustlib/wasm32-unknown-unknown/lib" ]
}
LINKED_TOOLCHAIN=upstash-edge-wasm
if default_toolchain_has_wasm; then WASM_TOOLCHAIN=; else WASM_TOOLCHAIN=$LINKED_TOOLCHAIN; fi
export WASM_TOOLCHAIN

if [ "${BASH_SOURCE[0]}" = "$0" ]; then exec "$@"; fi
