# Sourced by the scripts that build wasm: scripts/env.sh, the compiler that has the target, a profile for size.

# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ROOT"

if [ -n "$WASM_TOOLCHAIN" ]; then export RUSTUP_TOOLCHAIN="$WASM_TOOLCHAIN"; fi
# Small before fast: the time of a request is the network's. By environment, because a profile
# in Cargo.toml would bind the gateway too. No `strip`: wasm-bindgen reads a section that it removes.
export CARGO_PROFILE_RELEASE_OPT_LEVEL=z CARGO_PROFILE_RELEASE_LTO=fat
export CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 CARGO_PROFILE_RELEASE_PANIC=abort

# flags FLAG..: what rustc is told, added to what it was told before. Encoded, because a path may hold a space.
flags() {
  local flag
  for flag in "$@"; do CARGO_ENCODED_RUSTFLAGS="${CARGO_ENCODED_RUSTFLAGS:+$CARGO_ENCODED_RUSTFLAGS$'\x1f'}$flag"; done
  export CARGO_ENCODED_RUSTFLAGS
}
unset CARGO_ENCODED_RUSTFLAGS
# SHA-256 as a loop: unrolled it is 7 KB, and nothing here hashes more than a few blocks.
flags --cfg 'sha2_backend_soft="compact"'
# Where a panic stands is no place of this machine.
flags "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo" "--remap-path-prefix=$ROOT=."

# std built for size, without the texts of panics, where its source is (`rustup component add rust-src`): a twelfth less.
# What no flag of a stable compiler allows, its bootstrap variable does. STD=ordinary: as rustup has it, to compare.
small_std() {
  SMALL_STD=()
  [ "${STD:-}" != ordinary ] || return 0
  [ -e "$(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.toml" ] || return 0
  export RUSTC_BOOTSTRAP=1
  flags -Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zfmt-debug=none
  SMALL_STD=(-Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size)
}

# A folder of their own, so that they never wait for a native build, and share what they depend on.
export CARGO_TARGET_DIR="$ROOT/target/wasm-release"

# unchanged RESULT FILE..: whether RESULT is there and was built from exactly these files by this compiler.
# By content: a checkout or a branch switch changes times alone.
unchanged() {
  local result="$1"
  shift
  stamp="$CARGO_TARGET_DIR/${result//\//-}.built-from"
  inputs="$(rustc --version; echo "${CARGO_ENCODED_RUSTFLAGS//$'\x1f'/ }"; find "$@" -type f -exec cksum {} + | LC_ALL=C sort)"
  [ -e "$result" ] && [ "$inputs" = "$(cat "$stamp" 2>/dev/null)" ]
}
# built: the result is made of what `unchanged` looked at.
built() {
  mkdir -p "$CARGO_TARGET_DIR"
  printf '%s\n' "$inputs" >"$stamp"
}

# size NAME FILE: one line that says how large it is.
size() { echo "$1 $(wc -c <"$2") bytes, gzip -9 $(gzip -9 -c "$2" | wc -c) bytes"; }
