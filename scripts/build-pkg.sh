#!/usr/bin/env bash
# Builds what pkg/ publishes into pkg/dist: the wasm, and one entry for each runtime; says how large they are.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ROOT"

if [ -n "$WASM_TOOLCHAIN" ]; then export RUSTUP_TOOLCHAIN="$WASM_TOOLCHAIN"; fi
export CARGO_TARGET_DIR="$ROOT/target/pkg"
export CARGO_PROFILE_RELEASE_OPT_LEVEL=z CARGO_PROFILE_RELEASE_LTO=fat
export CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 CARGO_PROFILE_RELEASE_PANIC=abort

inputs() {
  rustc --version
  find src pkg/src pkg/*.d.ts pkg/package.json Cargo.toml Cargo.lock scripts/build-pkg.sh -type f -exec cksum {} + | LC_ALL=C sort
}
stamp="$CARGO_TARGET_DIR/built-from"
now="$(inputs)"
if [ ! -e pkg/dist/core.wasm ] || [ "$now" != "$(cat "$stamp" 2>/dev/null)" ]; then
  rm -rf pkg/dist
  cargo build --release --target wasm32-unknown-unknown --features js
  glue="$CARGO_TARGET_DIR/glue"
  "$WASM_BINDGEN_BIN" --target web --no-typescript --remove-name-section --remove-producers-section --out-dir "$glue" --out-name core \
    "$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/upstash_edge.wasm"
  mkdir -p pkg/dist
  "$WASM_OPT_BIN" -Oz --strip-debug --strip-producers --strip-target-features -o pkg/dist/core.wasm "$glue/core_bg.wasm"
  for entry in node workerd; do
    esbuild "pkg/src/$entry.js" --bundle --minify --format=esm --target=es2022 --platform=neutral \
      --alias:#core="$glue/core.js" --external:./core.wasm --external:node:* --legal-comments=none --log-level=warning \
      --outfile="pkg/dist/$entry.js"
  done
  printf '%s\n' "$now" >"$stamp"
fi

size() { echo "pkg: $1 $(wc -c <"pkg/dist/$1") bytes, gzip -9 $(gzip -9 -c "pkg/dist/$1" | wc -c) bytes"; }
size core.wasm
size workerd.js
