#!/bin/sh
# Video cameras measured with films of people from a folder of faces: who is missed, misnamed or reported twice, how soon,
# and what it costs; then cameras that lose their power at random, and when they are back.
#
#   scripts/bench-cameras.sh --faces FOLDER [--people N] [--seconds N] [--seeds 1,2,3] [--kind crowd,gate,outages] [--streams N]
#
# FOLDER holds a folder of pictures for each person, as LFW does. Measures build/release (make build), or the programs in
# AIBOX_BIN.
set -eu
cd "$(dirname "$0")/.."

export AIBOX_BIN="${AIBOX_BIN:-$PWD/build/release}"
[ -x "$AIBOX_BIN/aiboxd" ] || { echo "bench-cameras: $AIBOX_BIN/aiboxd is missing: make build" >&2; exit 1; }
scripts/packages.sh build test
exec node tools/bench/cameras/bench.mjs "$@"
