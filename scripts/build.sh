#!/bin/sh
# Configures and compiles one preset of CMakePresets.json into build/PRESET.
#
#   scripts/build.sh PRESET [CMAKE-OPTION...]
set -eu
cd "$(dirname "$0")/.."

preset=$1
shift
# A checkout that was moved or copied is configured from scratch.
cache=build/$preset/CMakeCache.txt
if [ -f "$cache" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "$cache"; then set -- --fresh "$@"; fi

mkdir -p build
# Programs that people run carry the web console.
case $preset in
release | debug) node scripts/console.mjs ;;
esac
log=build/configure-$preset.log
cmake --preset "$preset" "$@" >"$log" 2>&1 || {
    reason=$(grep -m 1 -E "Package '.*not found|Could NOT find|annot find|CMake Error" "$log" | sed 's/^[- ]*//' || true)
    echo "build: CMake could not configure preset $preset: ${reason:-no reason given} (see $log)" >&2
    exit 1
}
ninja -C "build/$preset" || {
    echo "build: preset $preset did not compile, see above" >&2
    exit 1
}
