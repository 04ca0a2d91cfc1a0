#!/bin/sh
# Runs one fuzz target; CTest calls it.
#
#   scripts/fuzz.sh TARGET-BINARY ROOM-FOLDER BUILD-FOLDER
#
# Seeds come from ROOM-FOLDER/seeds/<target>/, a dictionary from ROOM-FOLDER/<target>.dict, where they exist. What is
# learnt stays in BUILD-FOLDER/corpus/<target>/, an input that breaks the target in BUILD-FOLDER/artifacts/.
# AIBOX_FUZZ_SECONDS: for how long (10).
set -eu

binary=$1 room=$2 build=$3
target=$(basename "$binary")
corpus=$build/corpus/$target
mkdir -p "$corpus" "$build/artifacts"

set -- "-max_total_time=${AIBOX_FUZZ_SECONDS:-10}" -timeout=20 -rss_limit_mb=3072 -print_final_stats=1 -verbosity=0 \
    "-artifact_prefix=$build/artifacts/$target-"
if [ -f "$room/$target.dict" ]; then set -- "$@" "-dict=$room/$target.dict"; fi
set -- "$@" "$corpus"
if [ -d "$room/seeds/$target" ]; then set -- "$@" "$room/seeds/$target"; fi
exec "$binary" "$@"
