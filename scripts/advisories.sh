#!/usr/bin/env bash
# Renews the snapshot of RustSec's advisories that `make test` holds Cargo.lock against: tests/supply/advisory-db-DATE.tar.gz.
set -euo pipefail
cd "$(dirname "$0")/.."
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
git clone --quiet --depth 1 https://github.com/rustsec/advisory-db "$work/db"
date="$(git -C "$work/db" log -1 --format=%cs)"
rm -f tests/supply/advisory-db-*.tar.gz
git -C "$work/db" archive HEAD crates LICENSE.txt LICENSES | gzip -9n >"tests/supply/advisory-db-$date.tar.gz"
echo "RustSec's advisories of $date; docs/dependencies.md names that day"
