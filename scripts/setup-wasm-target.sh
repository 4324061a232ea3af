#!/usr/bin/env bash
# Makes the wasm32 target out of Debian's packages, for machines where rustup can download nothing:
# std is built from Debian's own source by Debian's own rustc, whose versions match, and rustup then
# knows that compiler as a toolchain. Needs root or sudo. `setup-wasm-target.sh --check` says whether it is there.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

target=wasm32-unknown-unknown
lib=/usr/lib/rustlib/$target/lib
# rlibs fit exactly one compiler: an upgrade of rustc-web makes them stale.
stamp=$lib/.built-for

installed_compiler() { dpkg-query -W -f '${Version}' rustc-web 2>/dev/null; }

if [ "${1:-}" = --check ]; then
  [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$(installed_compiler)" ] &&
    [ "$(readlink "${RUSTUP_HOME:-$HOME/.rustup}/toolchains/$LINKED_TOOLCHAIN")" = /usr ]
  exit
fi

"$ROOT/scripts/apt.sh" rustc-web cargo-web rust-web-src
llvm=$(/usr/bin/rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
"$ROOT/scripts/apt.sh" "lld-$llvm"

# -Zbuild-std needs a crate to build std for.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/src"
echo '#![no_std]' >"$work/src/lib.rs"
cat >"$work/Cargo.toml" <<'TOML'
[package]
name = "std-for-wasm"
version = "0.0.0"
edition = "2024"

[profile.release]
panic = "unwind"
TOML

# Without the bitcode, a later `lto = true` fails. The bootstrap variable lets a stable compiler take -Z.
(cd "$work" && env -u RUSTUP_TOOLCHAIN -u CARGO_TARGET_DIR RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes \
  /usr/bin/cargo build --release --target $target -Zbuild-std=std,panic_abort,panic_unwind,test)
rm "$work/target/$target/release/deps/"libstd_for_wasm-*

mkdir "$work/lib"
cp "$work/target/$target/release/deps/"*.rlib "$work/lib/"
installed_compiler >"$work/lib/.built-for"

sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
host_bin=/usr/lib/rustlib/$(/usr/bin/rustc -vV | sed -n 's/^host: //p')/bin
$sudo mkdir -p "$host_bin" "$(dirname $lib)"
$sudo ln -sf "/usr/bin/lld-$llvm" "$host_bin/rust-lld"
$sudo rm -rf "$lib"
$sudo cp -r "$work/lib" "$lib.new"
$sudo mv "$lib.new" "$lib"
rustup toolchain link "$LINKED_TOOLCHAIN" /usr
