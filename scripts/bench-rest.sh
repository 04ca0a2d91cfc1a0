#!/bin/sh
# Requests per second and latency of the main REST calls at 1, 16 and 64 connections, by wrk, as a table.
#
#   scripts/bench-rest.sh [--people N] [--seconds N] [--only CALL,CALL]
#
# Measures build/release (make build), or the programs in AIBOX_BIN.
set -eu
cd "$(dirname "$0")/.."

export AIBOX_BIN="${AIBOX_BIN:-$PWD/build/release}"
fail() {
    echo "bench-rest: $1" >&2
    exit 1
}
for program in aiboxd demo-vary; do
    [ -x "$AIBOX_BIN/$program" ] || fail "$AIBOX_BIN/$program is missing: make build"
done
[ -r build/samples/sample1.jpg ] || fail "the sample pictures are missing: make models"
scripts/packages.sh build bench
exec node tools/bench/rest/bench.mjs "$@"
