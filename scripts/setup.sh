#!/usr/bin/env bash
# setup.sh [run|test]: installs what `make run` (and, with `test`, `make test`) needs and does not find.
# Each step first looks whether its work is there, so it can be stopped and started again at any time.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ROOT"
purpose="${1:-run}"

# A program: a step of this script may have its name.
have() { type -P "$1" >/dev/null; }
fail() { printf '%s\n' "$@" >&2; exit 1; }

step() { # step NAME: runs NAME unless check_NAME says that its work is there
  local name="$1" start=$SECONDS code=0 log="$TOOLS/log/$1.log"
  local title="${name//_/ }"
  if "check_$name"; then printf '%-16s ok\n' "$title"; return; fi
  printf '%-16s ..' "$title"
  # A subshell of its own, outside any condition, so that `set -e` holds in it. 9 is the lock: no daemon may keep it.
  set +e; (set -e; "$name") >"$log" 2>&1 </dev/null 9>&-; code=$?; set -e
  if [ $code != 0 ] || ! "check_$name"; then
    printf ' failed\n'
    tail -n 30 "$log" >&2
    fail "" "Set-up stopped at: $title. All of its output: $log. Run it again to go on from here."
  fi
  printf ' %ss\n' $((SECONDS - start))
}

apt_or_brew() { # apt_or_brew "apt packages" "brew packages" "what it is, for the message"
  # shellcheck disable=SC2086 # lists of words
  if have apt-get; then scripts/apt.sh $1
  elif have brew; then brew install $2
  else fail "Please install $3 by hand: there is neither apt-get nor brew here."; fi
}

check_c_compiler() { have cc && { [ "$(uname)" = Darwin ] || pkg-config --exists openssl 2>/dev/null; }; }
c_compiler() { apt_or_brew "gcc libc6-dev pkg-config libssl-dev" "gcc pkgconf openssl" "a C compiler, pkg-config and OpenSSL's headers"; }

check_redis() { have redis-server; }
redis() { apt_or_brew redis-server redis "redis-server"; }

check_wasm32_target() { default_toolchain_has_wasm || { have dpkg-query && scripts/setup-wasm-target.sh --check; }; }
wasm32_target() {
  # Bounded, because a firewall that swallows packets would hang it.
  local bound=
  if have timeout; then bound="timeout 120"; fi
  # shellcheck disable=SC2086 # words
  if $bound rustup target add wasm32-unknown-unknown; then
    # With it the package is smaller; without it, it is built too.
    $bound rustup component add rust-src || true
    return
  fi
  have apt-get || fail "rustup could not download the wasm32-unknown-unknown target, and the way around it needs Debian."
  scripts/setup-wasm-target.sh
}

check_wasm_clippy() { cargo ${WASM_TOOLCHAIN:+"+$WASM_TOOLCHAIN"} clippy -V >/dev/null 2>&1; }
wasm_clippy() {
  if [ -n "$WASM_TOOLCHAIN" ]; then scripts/apt.sh rust-web-clippy; else rustup component add clippy; fi
}

cargo_install() { # cargo_install DIR: the crate and version that DIR is named after
  local dir="$1" name
  name="$(basename "$dir")"
  # Tools that run for seconds are not worth minutes of optimisation. One target folder lets them share their
  # dependencies, and an interrupted install go on.
  CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=64 \
    CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_PROFILE_RELEASE_STRIP=none CARGO_TARGET_DIR="$TOOLS/build" \
    cargo install "${name%-*}" --version "${name##*-}" --root "$dir.new" "${@:2}"
  rm -rf "$dir"
  mv "$dir.new" "$dir"
}

check_wasm_bindgen() { [ -x "$WASM_BINDGEN_BIN" ]; }
wasm_bindgen() { cargo_install "$WASM_BINDGEN_DIR"; }

check_worker_build() { [ -x "$WORKER_BUILD_DIR/bin/worker-build" ]; }
worker_build() { cargo_install "$WORKER_BUILD_DIR" --locked; }

check_wasm_pack() { [ -x "$WASM_PACK_DIR/bin/wasm-pack" ]; }
wasm_pack() { cargo_install "$WASM_PACK_DIR" --locked; }

check_cargo_deny() { [ -x "$CARGO_DENY" ]; }
cargo_deny() { cargo_install "${CARGO_DENY%/bin/*}" --locked; }

# npm wipes node_modules first, so this copy of the lockfile says that an install of exactly it has ended.
check_npm_packages() { cmp -s package-lock.json node_modules/.installed-lock; }
npm_packages() {
  npm ci
  [[ "$(node --version)" == v24.* ]] || fail "node_modules/.bin/node is not Node 24"
  cp package-lock.json node_modules/.installed-lock
}

check_schemathesis() { [ -x "$SCHEMATHESIS_DIR/bin/schemathesis" ]; }
schemathesis() {
  # Debian has the means of making such an environment in a package of its own.
  python3 -c "import ensurepip" || apt_or_brew "python3 python3-venv" python "Python 3.10 or newer, with venv"
  # At its own place, for its programs name it; anew, for half of one may be there.
  python3 -m venv --clear "$SCHEMATHESIS_DIR"
  "$SCHEMATHESIS_DIR/bin/pip" install --disable-pip-version-check "schemathesis==${SCHEMATHESIS_DIR##*-}"
}

check_chromium() { { have chromium || have google-chrome || [ -d "/Applications/Google Chrome.app" ]; } && have chromedriver; }
chromium() {
  have apt-get || fail "Please install Chrome or Chromium and the chromedriver of the same version (brew install --cask google-chrome chromedriver)."
  scripts/apt.sh chromium chromium-driver
}

check_firefox() { have firefox || have firefox-esr || [ -d /Applications/Firefox.app ]; }
firefox() {
  have apt-get || fail "Please install Firefox (brew install --cask firefox)."
  scripts/apt.sh firefox-esr
}

check_runtimes() { [ -d "$RUNTIMES_DIR" ]; }
runtimes() {
  local folder
  rm -rf "$RUNTIMES_DIR.new"
  mkdir -p "$RUNTIMES_DIR.new"
  (cd tests/runtimes && cp -r package.json package-lock.json next15 next16 "$RUNTIMES_DIR.new/")
  # By the lockfile in any case; one without other systems' optional packages is out of step to `npm ci`.
  for folder in . next15 next16; do (cd "$RUNTIMES_DIR.new/$folder" && { npm ci || npm install; }); done
  mv "$RUNTIMES_DIR.new" "$RUNTIMES_DIR"
}

have rustup || fail "Rust is needed, by rustup (https://rustup.rs): install it, then try again."
have npm || fail "Node.js with npm is needed (18 or newer; the Node that the project runs on comes from npm): install it, then try again."
mkdir -p "$TOOLS/log"
# Two set-ups at once (two clones) would build the same twice.
if have flock; then exec 9>"$TOOLS/lock"; flock 9; fi

step c_compiler
step wasm32_target
step wasm_bindgen
step worker_build
step npm_packages
step redis
if [ "$purpose" = test ]; then
  # shellcheck source=scripts/env.sh
  source scripts/env.sh # the wasm toolchain may be new
  step wasm_clippy
  step wasm_pack
  step cargo_deny
  step schemathesis
  step chromium
  step firefox
  step runtimes
fi
rm -rf "$TOOLS/build"
