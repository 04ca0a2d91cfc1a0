#!/bin/sh
# Configures and compiles one preset of CMakePresets.json into build/PRESET.
#
#   scripts/build.sh PRESET [CMAKE-OPTION...]
set -eu
cd "$(dirname "$0")/.."

preset=$1
shift
mkdir -p build
log=build/configure-$preset.log
cmake --preset "$preset" "$@" >"$log" 2>&1 || {
    reason=$(grep -m 1 -E "Package '.*not found|Could NOT find|annot find|CMake Error" "$log" | sed 's/^[- ]*//' || true)
    echo "build: CMake could not configure preset $preset: ${reason:-no reason given} (see $log; if the checkout was moved: make clean)" >&2
    exit 1
}
ninja -C "build/$preset" || {
    echo "build: preset $preset did not compile, see above" >&2
    exit 1
}
