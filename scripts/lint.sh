#!/bin/sh
# The rules of this code that a machine can watch. Each check says ok, FAIL (with what and where) or skip (with why);
# one FAIL makes the exit code 1.
#
#   scripts/lint.sh             all checks
#   scripts/lint.sh CHECK...    only these: bans rooms marks length format shell locks binary conf neon console cppcheck tidy
#
# AIBOX_RESULTS: a file to which "ok NAME", "FAIL NAME" and "skip NAME" lines are added.
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.." || exit 2

quick_checks='bans rooms marks length format shell locks binary conf'
slow_checks='neon console cppcheck tidy'

# What each room may include. Dependencies point downwards only; rooms side by side don't know each other, but the API,
# on top, shows and steers them all.
# src/main.c and tools/ open and close everything and are not in the table.
low='core vision gallery store'
room_table="
core     core
store    core store
access   core store access
vision   core vision
gallery  core gallery
backup   core store backup
flow     $low flow
intake   $low flow intake
report   $low flow report
cloud    $low flow cloud
door     $low flow door
api      $low access backup flow intake report cloud door api
"

# No function whose write has no bound, whose failure can't be seen, or that ends the process on bad input.
banned='strcpy|strcat|stpcpy|sprintf|vsprintf|gets|strtok|atoi|atol|atoll|atof|alloca'

jobs=$(nproc)
failed=0

# tracked_files PATTERN...: files of the project, committed or about to be.
tracked_files() {
    git ls-files --cached --others --exclude-standard -- "$@" 2>/dev/null | while read -r file; do
        if [ -f "$file" ]; then echo "$file"; fi
    done | sort -u
}
# Each of these has many lines: none of them is empty unless the tree is.
c_files() { tracked_files 'src/*.[ch]' 'tools/*.[ch]' 'tests/*.[ch]'; }
product_files() { tracked_files 'src/*.[ch]' 'tools/*.[ch]'; }

# Prints "file:line: name" of every call of the functions $1 (alternatives), comments and strings left out.
calls_of() {
    xargs -r awk -v names="$1" '
        FNR == 1 { in_comment = 0 }
        {
            line = $0
            gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
            if (in_comment && !sub(/^.*\*\//, "", line)) next
            in_comment = 0
            gsub(/\/\*([^*]|\*[^\/])*\*\//, "", line)
            sub(/\/\/.*/, "", line)
            if (sub(/\/\*.*/, "", line)) in_comment = 1
            if (match(line, "(^|[^A-Za-z0-9_])(" names ")[ \t]*\\(")) print FILENAME ":" FNR ": " $0
        }'
}

# Every check prints what is wrong and nothing else.
check_bans() {
    c_files | calls_of "$banned"
    # core may end the process where no safe way is left (no randomness, a setting asked for by a wrong name).
    product_files | grep -v '^src/core/' | calls_of abort
}

check_rooms() {
    tracked_files 'src/*/*.[ch]' | xargs -r awk -v table="$room_table" '
        BEGIN {
            rows = split(table, row, "\n")
            for (i = 1; i <= rows; i++) {
                n = split(row[i], word, " ")
                if (n) known[word[1]] = 1
                for (j = 2; j <= n; j++) allowed[word[1], word[j]] = 1
            }
        }
        /^[ \t]*#[ \t]*include[ \t]*"/ {
            split(FILENAME, path, "/"); split($0, quoted, "\""); depth = split(quoted[2], into, "/")
            if (!(path[2] in known)) print FILENAME ": room " path[2] " is not in the table of scripts/lint.sh"
            else if (depth < 2) print FILENAME ":" FNR ": \"" quoted[2] "\" must be written from src/"
            else if (!((path[2], into[1]) in allowed)) print FILENAME ":" FNR ": " path[2] " may not know " into[1]
        }'
}

check_marks() {
    tracked_files src tools packaging console | xargs -r grep -nIEw 'TODO|FIXME|XXX' /dev/null
}

# Not an error: a long file is asked for its reason in review.
check_length() {
    long=$(product_files | xargs -r awk 'FNR > 600 { if (FNR == 601) print FILENAME }' /dev/null)
    [ -z "$long" ] || echo "more than 600 lines: $long" | tr '\n' ' ' >&2
}

check_format() {
    c_files | xargs -r clang-format --dry-run -Werror 2>&1 | sed -n 's/:.* error: .*//p' | sort | uniq -c |
        awk '{ print $2 ": " $1 " places, see make format" }'
}

check_shell() { { tracked_files 'scripts/*.sh' 'scripts/hooks/*'; echo .ci/run; } | xargs shellcheck -S warning -f gcc; }

check_locks() {
    tracked_files '*package-lock.json' '*.npmrc' | xargs -r grep -nE '"resolved"|https?://[^"/]*(registry|npm)' /dev/null
    for lock in $(tracked_files '*package-lock.json'); do
        node -e 'const lock = JSON.parse(require("fs").readFileSync(process.argv[1]));
            for (const [name, entry] of Object.entries(lock.packages))
              if (name && !entry.link && !entry.integrity) console.log(`${process.argv[1]}: ${name} has no integrity hash`);' "$lock"
    done
}

# Pictures of the handbook, fixtures and fuzz seeds are welcome while they are small; models and faces are fetched.
check_binary() {
    tracked_files . | while read -r file; do
        if [ ! -s "$file" ] || grep -qI '' "$file"; then continue; fi
        case $file in
        docs/*.png | docs/*.webp | tests/fixtures/* | tests/fuzz/*/seeds/* | console/*.png | console/*.ico | console/*.woff2)
            size=$(wc -c <"$file")
            [ "$size" -le 262144 ] || echo "$file: $size bytes, more than 262144"
            ;;
        *) echo "$file: a binary file" ;;
        esac
    done
}

# Keys of the example configuration, also those commented out, exist.
check_conf() {
    tables=$(tracked_files 'src/core/settings_table*')
    [ -n "$tables" ] || return 0
    sed -nE 's/^(# )?([a-z_]+(\.[a-z_]+)*) =.*/\2/p' packaging/aibox.conf | while read -r key; do
        # shellcheck disable=SC2086 # a list of files
        grep -qF "\"$key\"" $tables || echo "packaging/aibox.conf: no setting is called $key"
    done
}

# The code for ARM is compiled here, though it can't run.
check_neon() {
    tracked_files 'src/*neon*.c' | xargs -r -n 1 aarch64-linux-gnu-gcc -std=c17 -D_GNU_SOURCE -I src -fsyntax-only \
        -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror 2>&1
}

# Types and style of the web console.
check_console() { node scripts/console.mjs --check 2>&1; }

# autoVariables would forbid handing a local job to another thread and waiting for it; clang-tidy watches real escapes.
check_cppcheck() {
    mkdir -p build/lint/cppcheck
    # shellcheck disable=SC2046 # a list of folders
    cppcheck --quiet -j "$jobs" --std=c11 --language=c --enable=warning,performance,portability --inline-suppr \
        --suppress=missingInclude --suppress=autoVariables --cppcheck-build-dir=build/lint/cppcheck --error-exitcode=1 -D_GNU_SOURCE -D__x86_64__ \
        -I src $(tracked_files 'src/*.c' 'tools/*.c') 2>&1
}

# One file that was found clean is not looked at again until it, a header or the rules change.
tidy_one() {
    file=$1
    stamp=build/lint/tidy/$(cat "$file" build/lint/tidy.key | sha256sum | cut -c 1-32)
    [ ! -f "$stamp" ] || return 0
    hint=--extra-arg=-include$PWD/scripts/analysis.h
    [ "$file" != src/core/status.c ] || hint=--quiet
    if report=$(clang-tidy --quiet -p build/tsan "$hint" "$file" 2>/dev/null); then : >"$stamp"; else echo "$report"; fi
}

check_tidy() {
    mkdir -p build/lint/tidy
    cmake --preset tsan >build/lint/configure.log 2>&1 ||
        { echo "CMake could not configure preset tsan, see build/lint/configure.log"; return; }
    { cat .clang-tidy scripts/analysis.h && product_files | grep '\.h$' | xargs -r cat; } | sha256sum >build/lint/tidy.key
    tracked_files 'src/*.c' 'tools/*.c' | while read -r file; do
        if grep -qF "/$file\"" build/tsan/compile_commands.json; then echo "$file"; fi
    done | xargs -r -n 1 -P "$jobs" "$0" --tidy-one
}

tool_of() {
    case $1 in
    format) echo clang-format ;;
    shell) echo shellcheck ;;
    locks | console) echo node ;;
    neon) echo aarch64-linux-gnu-gcc ;;
    cppcheck) echo cppcheck ;;
    tidy) echo clang-tidy ;;
    *) echo git ;;
    esac
}

verdict() {
    printf '%-4s %s%s\n' "$1" "$2" "${3:+: $3}"
    if [ -n "${AIBOX_RESULTS:-}" ]; then echo "$1 $2" >>"$AIBOX_RESULTS"; fi
}

case ${1:-} in
--tidy-one)
    tidy_one "$2"
    exit
    ;;
--quick)
    shift
    # shellcheck disable=SC2086 # a list of names
    set -- $quick_checks
    ;;
esac
# shellcheck disable=SC2086 # lists of names
[ $# -gt 0 ] || set -- $quick_checks $slow_checks
if [ -z "$(product_files)" ]; then
    echo "lint: no files found; this must run in a git checkout" >&2
    exit 2
fi
for check in "$@"; do
    case " $quick_checks $slow_checks " in
    *" $check "*) ;;
    *) echo "lint: no check is called $check" >&2; exit 2 ;;
    esac
    tool=$(tool_of "$check")
    if ! command -v "$tool" >/dev/null; then
        verdict skip "$check" "$tool is not installed"
        continue
    fi
    findings=$("check_$check")
    if [ -z "$findings" ]; then
        verdict ok "$check"
    else
        echo "$findings"
        verdict FAIL "$check"
        failed=1
    fi
done
exit $failed
