#!/usr/bin/env bash
# apt.sh PACKAGE..: installs Debian packages, by root or sudo, asking nothing.
set -euo pipefail

sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
install() {
  # RUNLEVEL keeps a package such as redis-server from starting its service: each test starts its own.
  $sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y --no-install-recommends "$@"
}
# A stale list names packages that the mirror no longer has: refresh it only then.
install "$@" || { $sudo apt-get update && install "$@"; }
