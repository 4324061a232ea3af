#!/usr/bin/env bash
# Builds what pkg/ publishes into pkg/dist: for each entry a module that holds what it needs and no more, and a file for
# each kind of runtime; says how large they are.
set -euo pipefail
# shellcheck source=scripts/wasm-env.sh
source "$(dirname "${BASH_SOURCE[0]}")/wasm-env.sh"
MODULES=target/wasm-release/modules
# The scripts of what is JavaScript alone.
LUA=target/wasm-release/lua

# js FACE FOLDER RUNTIME FORMAT FILE: one file of what pkg/src/runtimes/RUNTIME.js makes of what an entry exports, over
# the module in a folder. Of the sources, which are published too, its map holds no second copy.
js() {
  local inflate=no-inflate
  # Alone it has no DecompressionStream.
  if [ "$3" = edge-light ]; then inflate=inflate; fi
  esbuild "pkg/src/runtimes/$3.js" --bundle --minify "--format=$4" --target=es2022 --platform=neutral \
    "--alias:#core=./$2/glue.js" "--alias:#wasm=./$2/core.wasm" "--alias:#entry=./pkg/src/$1.js" \
    --alias:#memory=./pkg/src/memory.js "--alias:#inflate=./pkg/src/$inflate.js" "--alias:#lua=./$LUA" \
    --loader:.wasm=base64 "--external:./core.wasm?module" --sourcemap --sources-content=false \
    --legal-comments=inline --log-level=warning "--outfile=$5"
}

# entry FACE FEATURE FOLDER: an entry over the module of a feature.
entry() {
  local runtime
  mkdir -p "$3"
  cp "$MODULES/$2/core.wasm" "$MODULES/$2/glue.js" "$3/"
  for runtime in workerd edge-light inline; do js "$1" "$3" $runtime esm "$3/$runtime.js"; done
  js "$1" "$3" inline cjs "pkg/dist/cjs/$(basename "$1").js"
}

# apart NAME SOURCE: what takes objects of any entry, and of the core holds nothing.
apart() {
  local format out footer=
  for format in esm cjs; do
    out="pkg/dist/$1.js"
    if [ $format = cjs ]; then
      out="pkg/dist/cjs/$1.js"
      # Where a file is what a framework imports, what it requires is that too.
      if [ "$1" = next-cache-handler ]; then footer='--footer:js=module.exports=Object.assign(module.exports.default,module.exports);'; fi
    fi
    esbuild "pkg/src/$2.js" --bundle --minify "--format=$format" --target=es2022 --platform=neutral --external:upstash-edge \
      "--alias:#lua=./$LUA" --sourcemap --sources-content=false --legal-comments=inline --log-level=warning ${footer:+"$footer"} "--outfile=$out"
  done
}

STD= scripts/build-modules.sh
if ! unchanged pkg/dist/inline.js src pkg/src pkg/entries pkg/adapters pkg/*.d.ts Cargo.toml Cargo.lock scripts/build-pkg.sh scripts/build-modules.sh scripts/glue.mjs scripts/lua.mjs scripts/wasm-env.sh; then
  rm -rf pkg/dist "$LUA"
  node scripts/lua.mjs "$LUA"
  entry index js pkg/dist
  js index pkg/dist init esm pkg/dist/init.js
  js index pkg/dist init cjs pkg/dist/cjs/init.js
  for name in limiter cache sessions; do entry entries/$name js-$name pkg/dist/$name; done
  for name in hono next next-cache-handler workers; do apart $name adapters/$name; done
  apart queue queue
  # To TypeScript a declaration is of the kind that the nearest package.json says.
  echo '{"type":"commonjs"}' >pkg/dist/cjs/package.json
  cp -r pkg/*.d.ts pkg/entries pkg/adapters pkg/dist/cjs/
  built
fi
for entry in . limiter cache sessions; do
  size "pkg: $entry/core.wasm" "pkg/dist/$entry/core.wasm"
  size "pkg: $entry/workerd.js" "pkg/dist/$entry/workerd.js"
done
