#!/usr/bin/env bash
# Builds the npm package and the Worker twice, from clones of HEAD in two folders, and compares every module byte for byte.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

sums() { # sums CLONE: of what it ships
  (cd "$1" && find pkg/dist build -type f -exec sha256sum {} + | LC_ALL=C sort -k2)
}
for folder in "$work/one" "$work/another folder, of a longer name"; do
  echo "building in ${folder##*/}"
  git clone --quiet "$ROOT" "$folder"
  ln -s "$ROOT/node_modules" "$folder/node_modules"
  (cd "$folder" && scripts/build-pkg.sh && scripts/build-worker.sh) >"$work/log" 2>&1 || { tail -n 30 "$work/log" >&2; exit 1; }
  sums "$folder" >"$folder.sums"
done
diff "$work/one.sums" "$work/another folder, of a longer name.sums" || { echo "two builds, not the same bytes" >&2; exit 1; }
grep '\.wasm$' "$work/one.sums"
echo "two builds, the same bytes: $(wc -l <"$work/one.sums") files, $(grep -c '\.wasm$' "$work/one.sums") of them modules"
