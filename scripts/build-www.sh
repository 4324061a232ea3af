#!/usr/bin/env bash
# Builds the console into target/www: what the page starts with in one file, the charts in another, which it loads later.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ROOT"

# Several Workers that start at once build it at once: each beside the others, and all the same.
mkdir -p target/www
new="$(mktemp -d target/www.XXXXXX)"
trap 'rm -rf "$new"' EXIT
"$ESBUILD_BIN" www/app.js www/style.css --bundle --splitting --format=esm --target=es2022 --minify --legal-comments=none \
  --outdir="$new" --log-level=warning
cp www/index.html www/icon.svg "$new"
for file in target/www/*; do
  [ -e "$new/$(basename "$file")" ] || rm -f "$file"
done
for file in "$new"/*; do
  cmp -s "$file" "target/www/$(basename "$file")" || cp "$file" target/www/
done
