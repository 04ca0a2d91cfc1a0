#!/bin/sh
# Builds and runs the tests, all stages or the named ones, and closes with "N passed, N failed, N skipped". A stage that
# fails does not stop the next one.
#
#   scripts/test.sh [unit] [tsan] [fuzz] [lint] [e2e]
#
#   unit  every cmocka program, under AddressSanitizer and UndefinedBehaviorSanitizer (preset debug)
#   tsan  those labelled "tsan", under ThreadSanitizer (preset tsan)
#   fuzz  every libFuzzer target for AIBOX_FUZZ_SECONDS (10) each (preset fuzz)
#   lint  scripts/lint.sh
#   e2e   tests/e2e/*.test.mjs against the sanitized programs of preset debug
#
# Tests find the programs in AIBOX_BIN, the models in AIBOX_MODELS, sample pictures in AIBOX_SAMPLES; AIBOX_LONG=1 asks
# those that can for a longer run.
set -u
cd "$(dirname "$0")/.." || exit 2
root=$PWD
jobs=$(nproc)
results=$root/build/results
export AIBOX_BIN="$root/build/debug" AIBOX_MODELS="$root/build/models" AIBOX_SAMPLES="$root/build/samples"
export AIBOX_RESULTS="$results/lint.list"
# Not detect_stack_use_after_return: GCC's stand-in for the stack is not aligned for AVX-512 registers.
export ASAN_OPTIONS="${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
export TSAN_OPTIONS="${TSAN_OPTIONS:-second_deadlock_stack=1:suppressions=$root/scripts/tsan.supp}"

# The sanitizers of these compilers can't place their shadow memory when the kernel spreads addresses over 32 bits.
unspread=
if setarch -R true 2>/dev/null; then unspread='setarch -R'; fi

heading() { printf '\n== %s\n' "$1"; }
# A failure that no test framework reports.
failure() { echo "FAIL $1" | tee -a "$results/stages.list"; }
skipped() { echo "skip $1" | tee -a "$results/stages.list"; }

build_preset() {
    scripts/build.sh "$1" || { failure "building preset $1"; return 1; }
}

# run_ctest PRESET CTEST-OPTION...
run_ctest() {
    preset=$1
    shift
    $unspread ctest --test-dir "build/$preset" --output-on-failure -j "$jobs" --output-junit "$results/$preset.junit.xml" \
        --test-output-size-passed 1048576 --test-output-size-failed 1048576 "$@" 2>&1 | grep -v '^Internal ctest'
    [ -f "$results/$preset.junit.xml" ] || failure "running the tests of preset $preset"
}

stage_unit() { build_preset debug && node_packages && run_ctest debug; }
stage_tsan() { build_preset tsan && run_ctest tsan -L tsan; }
stage_fuzz() { build_preset fuzz && run_ctest fuzz -L fuzz; }
stage_lint() { scripts/lint.sh; }

# The packages of tests/package-lock.json, installed again only when it changed.
node_packages() {
    stamp=tests/node_modules/.lock.sha256
    sum=$(sha256sum tests/package-lock.json)
    if [ "$(cat $stamp 2>/dev/null)" = "$sum" ]; then return 0; fi
    if (cd tests && npm ci --prefer-offline) >build/npm-tests.log 2>&1; then
        echo "$sum" >$stamp
    else
        echo "e2e: npm could not fetch the packages of tests/package-lock.json (see build/npm-tests.log): is there a network?" >&2
        failure "fetching the packages of tests/"
        return 1
    fi
}

stage_e2e() {
    set -- tests/e2e/*.test.mjs
    if [ ! -f "$1" ]; then
        skipped "e2e: there are no tests"
        return
    fi
    build_preset debug && node_packages || return
    limit=1500
    [ -z "${AIBOX_LONG:-}" ] || limit=7200
    $unspread timeout -k 10 $limit node --test --test-reporter=spec --test-reporter-destination=stdout --test-reporter=tap \
        --test-reporter-destination="$results/e2e.tap" "$@" </dev/null ||
        [ -s "$results/e2e.tap" ] || failure "running the end-to-end tests"
}

[ $# -gt 0 ] || set -- unit tsan fuzz lint e2e
rm -rf "$results"
mkdir -p "$results"
for stage in "$@"; do
    case $stage in
    unit | tsan | fuzz | lint | e2e) ;;
    *) echo "test: no stage is called $stage" >&2; exit 2 ;;
    esac
    heading "$stage"
    start=$(date +%s)
    "stage_$stage"
    echo "-- $stage: $(($(date +%s) - start)) s"
done
echo
exec node scripts/tally.mjs "$results"
