#!/usr/bin/env bash
# Builds the modules of the npm package and their glue, one for each entry, into target/wasm-release/modules/FEATURE.
set -euo pipefail
# shellcheck source=scripts/wasm-env.sh
source "$(dirname "${BASH_SOURCE[0]}")/wasm-env.sh"
small_std
MODULES="target/wasm-release/modules${STD:+-$STD-std}"

# module FEATURE: the module, and its glue, of what a feature of the crate holds.
module() {
  local folder="$MODULES/$1"
  if unchanged "$folder/core.wasm" src Cargo.toml Cargo.lock scripts/build-modules.sh scripts/glue.mjs scripts/wasm-env.sh; then return; fi
  rm -rf "$folder"
  mkdir -p "$folder"
  # As a cdylib alone: cargo does not optimise across crates what is a library of Rust as well.
  cargo rustc --lib --crate-type cdylib --release --target wasm32-unknown-unknown --no-default-features --features "$1" ${SMALL_STD[@]+"${SMALL_STD[@]}"}
  # With the names of its functions: make bench-size tells by them where the bytes are.
  cp "$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/upstash_edge.wasm" "$folder/named.wasm"
  "$WASM_BINDGEN_BIN" --target web --remove-name-section --remove-producers-section \
    --out-dir "$folder" --out-name glue "$folder/named.wasm"
  # Of what wasm-bindgen adds for values of JavaScript nothing is used.
  local unused="__wbindgen_start __wbindgen_externrefs __wbindgen_realloc __abort_handler __instance_terminated"
  "$WASM_OPT_BIN" --remove-exports="${unused// /,}" -Oz --converge -o "$folder/core.wasm" "$folder/glue_bg.wasm"
  "$WASM_OPT_BIN" --minify-imports-and-exports-and-modules --strip-debug --strip-producers --strip-target-features \
    -o "$folder/core.wasm" "$folder/core.wasm" >"$folder/names.json"
  node scripts/glue.mjs "$folder"
  built
}

for feature in js js-limiter js-cache js-sessions; do module $feature; done
