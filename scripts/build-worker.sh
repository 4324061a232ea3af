#!/usr/bin/env bash
# Builds the Worker into build/, unless nothing that goes into it has changed, and says how large it is.
# wrangler calls it too (wrangler.toml), when it starts and when a file of src/ changes.
set -euo pipefail
# shellcheck source=scripts/wasm-env.sh
source "$(dirname "${BASH_SOURCE[0]}")/wasm-env.sh"

scripts/build-www.sh

if ! unchanged build/index_bg.wasm src worker Cargo.toml Cargo.lock scripts/build-worker.sh scripts/wasm-env.sh; then
  # A backtrace of worker-build itself would bury the compiler's message.
  RUST_BACKTRACE=0 worker-build --release --out-dir ../build worker
  # worker-build keeps the functions' names, a quarter of the file.
  "$WASM_OPT_BIN" --strip-debug --strip-producers -o build/index_bg.wasm build/index_bg.wasm
  built
fi
size "worker: wasm" build/index_bg.wasm
