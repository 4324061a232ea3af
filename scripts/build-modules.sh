#!/usr/bin/env bash
# Builds the modules of the npm package and their glue, one for each entry, into target/wasm-release/modules/FEATURE.
set -euo pipefail
# shellcheck source=scripts/wasm-env.sh
source "$(dirname "${BASH_SOURCE[0]}")/wasm-env.sh"
small_std
MODULES=target/wasm-release/modules

# Instead of wasm-bindgen's own ways to start, which are four, and none of them again.
START='let wasm = unstarted;
import { instantiate, unstarted } from "#instance";
export function start(module) {
  if (wasm !== unstarted) return;
  instantiate(module, __wbg_get_imports, (exports) => {
    wasm = exports;
    cachedUint8ArrayMemory0 = cachedUint32ArrayMemory0 = null;
  });
}'

# module FEATURE: the module, and its glue, of what a feature of the crate holds.
module() {
  local folder="$MODULES/$1"
  if unchanged "$folder/core.wasm" src Cargo.toml Cargo.lock scripts/build-modules.sh scripts/wasm-env.sh; then return; fi
  rm -rf "$folder"
  mkdir -p "$folder"
  # As a cdylib alone: cargo does not optimise across crates what is a library of Rust as well.
  cargo rustc --lib --crate-type cdylib --release --target wasm32-unknown-unknown --features "$1" ${SMALL_STD[@]+"${SMALL_STD[@]}"}
  # With the names of its functions: make size tells by them where the bytes are.
  cp "$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/upstash_edge.wasm" "$folder/named.wasm"
  "$WASM_BINDGEN_BIN" --target web --no-typescript --remove-name-section --remove-producers-section \
    --out-dir "$folder" --out-name glue "$folder/named.wasm"
  { sed '/^let wasmModule, wasmInstance, wasm;$/,$d' "$folder/glue.js"; echo "$START"; } >"$folder/start.js"
  mv "$folder/start.js" "$folder/glue.js"
  "$WASM_OPT_BIN" -Oz --converge --strip-debug --strip-producers --strip-target-features -o "$folder/core.wasm" "$folder/glue_bg.wasm"
  built
}

for feature in js js-limiter js-cache js-sessions; do module $feature; done
