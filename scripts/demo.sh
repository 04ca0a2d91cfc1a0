#!/bin/sh
# A guided tour on the sample pictures: starts a box of its own on a temporary data folder and a free port, enrols the
# people it finds on some pictures under made-up names, recognises them on changed and on other pictures, shows that
# others are not recognised, and leaves nothing behind.
#
#   scripts/demo.sh [FOLDER-OF-PROGRAMS]     default build/release
set -eu
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.."

bin=${1:-build/release}
samples=build/samples
enrolled_on='1 3 5 6' # sample pictures whose people are enrolled
strangers_on='2'      # and those who stay strangers
names='Alex Blake Casey Dana Ellis Finn Gale Harper Indy Jules Kim Lee Max Noor Oli Pat Quinn Robin Sam Toni'

fail() {
    echo "demo: $1" >&2
    exit 1
}
for program in aiboxd aiboxctl demo-vary; do
    [ -x "$bin/$program" ] || fail "$bin/$program is missing: make build"
done
[ -r "$samples/sample1.jpg" ] || fail "the sample pictures are missing: make models"

work=$(mktemp -d)
box=
clean_up() {
    trap - EXIT
    if [ -n "$box" ]; then
        kill "$box" 2>/dev/null || true
        wait "$box" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step() { printf '\n%s\n' "$1"; }

# ---- start ----

step "1  Starting a box on a temporary data folder"
"$bin/aiboxd" --data "$work/data" --listen 127.0.0.1:0 --set access.mode=open --set log.level=warn >"$work/out" 2>"$work/log" &
box=$!
tries=0
until url=$(sed -n 's/^aiboxd: ready on //p' "$work/out") && [ -n "$url" ]; do
    kill -0 "$box" 2>/dev/null || fail "the box did not start: $(tail -n 1 "$work/log")"
    tries=$((tries + 1))
    [ $tries -lt 300 ] || fail "the box was not ready within 30 s"
    sleep 0.1
done
export AIBOX_URL="$url"
echo "   $url"

# ---- helpers ----

# look PICTURE: sets verdict, who, score, threshold. Nobody enrolled yet counts as unknown.
look() {
    answer=$("$bin/aiboxctl" identify "$1" 2>"$work/error") || [ $? -eq 1 ] ||
        grep -q '(40008)' "$work/error" || fail "$(cat "$work/error")"
    verdict=$(echo "$answer" | sed -n 's/^verdict *//p')
    who=$(echo "$answer" | sed -n 's/^name *//p')
    score=$(echo "$answer" | sed -n 's/^score *//p')
    threshold=$(echo "$answer" | sed -n 's/^threshold *//p')
    [ -n "$verdict" ] || verdict=unknown
}

row() { printf '   %-16s %-10s %-8s %6s %10s\n' "$@"; }
result() { row "$1" "$verdict" "${who:--}" "${score:--}" "${threshold:--}"; }

total=0
right=0
tally() {
    total=$((total + 1))
    if [ "$1" = "$2" ]; then right=$((right + 1)); fi
}

# ---- enrol ----

step "2  Cutting the faces out of the sample pictures, and enrolling people under made-up names"
mkdir "$work/people" "$work/again"
for sample in $enrolled_on; do
    mkdir "$work/new"
    "$bin/aiboxctl" faces "$samples/sample$sample.jpg" --crop "$work/crops" --margin 60 >/dev/null
    for crop in "$work/crops/sample${sample}"_*.jpg; do
        look "$crop"
        case $verdict in
        unknown)
            name=${names%% *}
            names=${names#* }
            cp "$crop" "$work/new/$name-$(basename "$crop" .jpg)-demo.jpg"
            ;;
        "no face found") ;;               # what looked like a face in the large picture was none
        *) cp "$crop" "$work/again/" ;;   # somebody who is enrolled already: see 4
        esac
    done
    "$bin/aiboxctl" enrol "$work/new" --fiqa-level low 2>>"$work/refused" | sed "s/^/   sample$sample.jpg: /" || true
    mv "$work/new"/*.jpg "$work/people/"
    rmdir "$work/new"
done
sed "s|^$work/new/|   refused: |" "$work/refused"
"$bin/aiboxctl" list 2>/dev/null | sed 's/^/   /'

# ---- recognise ----

step "3  The same faces, changed"
changed_row() { printf '   %-8s %-16s %-16s %-16s %-16s %-16s\n' "$@"; }
changed_row NAME SHIFTED "HALF THE SIZE" MIRRORED "JPEG QUALITY 15" "ALL OF THAT" | sed 's/ *$//'
for picture in "$work/people"/*.jpg; do
    file=$(basename "$picture" .jpg)
    name=${file%%-*}
    cells=
    for change in "--shift 12" "--scale 50" "--mirror" "--quality 15" "--shift -10 --scale 50 --mirror --quality 40"; do
        # shellcheck disable=SC2086 # a list of options
        "$bin/demo-vary" "$picture" "$work/changed.jpg" $change
        look "$work/changed.jpg"
        tally "$who" "$name"
        if [ "$who" = "$name" ]; then cells="$cells $score~$verdict"; else cells="$cells $score~${who:-$verdict}!"; fi
    done
    # shellcheck disable=SC2086 # a list of cells
    changed_row "$name" $cells | sed 's/~/ /g; s/ *$//'
done
echo "   $right of $total right, threshold $threshold"

step "4  The same people on other pictures, as far as there are any"
found=0
row PICTURE VERDICT WHO SCORE THRESHOLD
for picture in "$work/again"/*.jpg; do
    [ -e "$picture" ] || continue
    look "$picture"
    result "$(basename "$picture")"
    found=$((found + 1))
done
[ $found -gt 0 ] || echo "   there are none"

step "5  People who are not enrolled: nobody may be taken for somebody"
total=0
right=0
row PICTURE VERDICT WHO SCORE THRESHOLD
for sample in $strangers_on; do
    "$bin/aiboxctl" faces "$samples/sample$sample.jpg" --crop "$work/crops" --margin 60 >/dev/null
    for crop in "$work/crops/sample${sample}"_*.jpg; do
        look "$crop"
        result "$(basename "$crop")"
        tally "$who" ""
    done
done
echo "   $right of $total turned away"

step "6  The box by now"
"$bin/aiboxctl" status | sed 's/^/   /'
echo
echo "That was all on this computer; the data folder is removed. To start a box of your own: make run"
