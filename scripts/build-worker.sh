#!/usr/bin/env bash
# Builds the Worker into build/, unless nothing that goes into it has changed, and says how large it is.
# wrangler calls it too (wrangler.toml), when it starts and when a file of src/ changes.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ROOT"

if [ -n "$WASM_TOOLCHAIN" ]; then export RUSTUP_TOOLCHAIN="$WASM_TOOLCHAIN"; fi
# A folder of its own, so that it never waits for a native build.
export CARGO_TARGET_DIR="$ROOT/target/worker"
# Small before fast: the time of a request is the network's. By environment, because a profile
# in Cargo.toml would bind the gateway too. No `strip`: wasm-bindgen reads a section that it removes.
export CARGO_PROFILE_RELEASE_OPT_LEVEL=z CARGO_PROFILE_RELEASE_LTO=fat
export CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 CARGO_PROFILE_RELEASE_PANIC=abort

inputs() {
  rustc --version
  # By content: a checkout or a branch switch changes times alone.
  find src Cargo.toml Cargo.lock scripts/build-worker.sh -type f -exec cksum {} + | LC_ALL=C sort
}
stamp="$CARGO_TARGET_DIR/built-from"
now="$(inputs)"
if [ ! -e build/index_bg.wasm ] || [ "$now" != "$(cat "$stamp" 2>/dev/null)" ]; then
  # A backtrace of worker-build itself would bury the compiler's message.
  RUST_BACKTRACE=0 worker-build --release --features worker
  # worker-build keeps the functions' names, a quarter of the file.
  "$WASM_OPT_BIN" --strip-debug --strip-producers -o build/index_bg.wasm build/index_bg.wasm
  mkdir -p "$CARGO_TARGET_DIR"
  printf '%s\n' "$now" >"$stamp"
fi

raw=$(wc -c <build/index_bg.wasm)
gzip=$(gzip -9 -c build/index_bg.wasm | wc -c)
echo "worker: wasm $((raw)) bytes, gzip -9 $((gzip)) bytes"
