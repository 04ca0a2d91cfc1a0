#!/bin/sh
# How fast one add_users_plus enrols, against an import of the same photos, and how long somebody at a door waits
# meanwhile, as a table.
#
#   scripts/bench-platform.sh [--people N] [--photos FOLDER]
#
# Measures build/release (make build), or the programs in AIBOX_BIN.
set -eu
cd "$(dirname "$0")/.."

export AIBOX_BIN="${AIBOX_BIN:-$PWD/build/release}"
fail() {
    echo "bench-platform: $1" >&2
    exit 1
}
[ -x "$AIBOX_BIN/aiboxd" ] || fail "$AIBOX_BIN/aiboxd is missing: make build"
[ -r build/samples/sample1.jpg ] || fail "the sample pictures are missing: make models"
[ -d tests/node_modules/amqplib ] || (cd tests && npm ci --prefer-offline) >build/npm-tests.log 2>&1 ||
    fail "npm could not fetch the packages of tests/package-lock.json (see build/npm-tests.log)"
scripts/packages.sh build test
exec node tools/bench/platform/bench.mjs "$@"
