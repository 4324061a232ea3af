# Sourced by the scripts that build wasm: scripts/env.sh, the compiler that has the target, a profile for size.

# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ROOT"

if [ -n "$WASM_TOOLCHAIN" ]; then export RUSTUP_TOOLCHAIN="$WASM_TOOLCHAIN"; fi
# Small before fast: the time of a request is the network's. By environment, because a profile
# in Cargo.toml would bind the gateway too. No `strip`: wasm-bindgen reads a section that it removes.
export CARGO_PROFILE_RELEASE_OPT_LEVEL=z CARGO_PROFILE_RELEASE_LTO=fat
export CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 CARGO_PROFILE_RELEASE_PANIC=abort
# SHA-256 as a loop: unrolled it is 7 KB, and nothing here hashes more than a few blocks.
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS='--cfg sha2_backend_soft="compact"'

# A folder of their own, so that they never wait for a native build, and share what they depend on.
export CARGO_TARGET_DIR="$ROOT/target/wasm-release"

# unchanged RESULT FILE..: whether RESULT is there and was built from exactly these files by this compiler.
# By content: a checkout or a branch switch changes times alone.
unchanged() {
  local result="$1"
  shift
  stamp="$CARGO_TARGET_DIR/$(basename "$result").built-from"
  inputs="$(rustc --version; find "$@" -type f -exec cksum {} + | LC_ALL=C sort)"
  [ -e "$result" ] && [ "$inputs" = "$(cat "$stamp" 2>/dev/null)" ]
}
# built: the result is made of what `unchanged` looked at.
built() {
  mkdir -p "$CARGO_TARGET_DIR"
  printf '%s\n' "$inputs" >"$stamp"
}

# size NAME FILE: one line that says how large it is.
size() { echo "$1 $(wc -c <"$2") bytes, gzip -9 $(gzip -9 -c "$2" | wc -c) bytes"; }
