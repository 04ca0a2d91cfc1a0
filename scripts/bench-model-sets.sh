#!/bin/sh
# What somebody at a door notices of a change of the model set, as a table.
#
#   scripts/bench-model-sets.sh [--people N] [--photos FOLDER] [--changes N]
#
# Measures build/release (make build), or the programs in AIBOX_BIN.
set -eu
cd "$(dirname "$0")/.."

export AIBOX_BIN="${AIBOX_BIN:-$PWD/build/release}"
fail() {
    echo "bench-model-sets: $1" >&2
    exit 1
}
[ -x "$AIBOX_BIN/aiboxd" ] || fail "$AIBOX_BIN/aiboxd is missing: make build"
[ -r build/samples/sample1.jpg ] || fail "the sample pictures are missing: make models"
[ -d tests/node_modules ] || (cd tests && npm ci --prefer-offline) >build/npm-tests.log 2>&1 ||
    fail "npm could not fetch the packages of tests/package-lock.json (see build/npm-tests.log)"
exec node tools/bench/model_sets/bench.mjs "$@"
