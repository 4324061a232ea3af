#!/usr/bin/env bash
# Builds what pkg/ publishes into pkg/dist: the wasm, and one entry for each runtime; says how large they are.
set -euo pipefail
# shellcheck source=scripts/wasm-env.sh
source "$(dirname "${BASH_SOURCE[0]}")/wasm-env.sh"

if ! unchanged pkg/dist/workerd.js src pkg/src Cargo.toml Cargo.lock scripts/build-pkg.sh scripts/wasm-env.sh; then
  rm -rf pkg/dist
  # As a cdylib alone: cargo does not optimise across crates what is a library of Rust as well.
  cargo rustc --lib --crate-type cdylib --release --target wasm32-unknown-unknown --features js
  glue="$CARGO_TARGET_DIR/glue"
  "$WASM_BINDGEN_BIN" --target web --no-typescript --remove-name-section --remove-producers-section \
    --out-dir "$glue" --out-name core "$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/upstash_edge.wasm"
  mkdir -p pkg/dist
  "$WASM_OPT_BIN" -Oz --converge --strip-debug --strip-producers --strip-target-features -o pkg/dist/core.wasm "$glue/core_bg.wasm"
  for entry in node workerd; do
    esbuild "pkg/src/$entry.js" --bundle --minify --format=esm --target=es2022 --platform=neutral \
      --alias:#core="$glue/core.js" --external:./core.wasm --external:node:* --legal-comments=none --log-level=warning \
      --outfile="pkg/dist/$entry.js"
  done
  built
fi
size "pkg: core.wasm" pkg/dist/core.wasm
size "pkg: workerd.js" pkg/dist/workerd.js
