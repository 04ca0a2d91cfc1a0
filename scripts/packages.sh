#!/bin/sh
# Installs the Debian packages of the named lists (scripts/packages/NAME.txt) that are missing. Asks dpkg every time
# and remembers nothing, so a package that was removed is noticed. Root is needed only when something is missing.
#
#   scripts/packages.sh build test
set -eu

here=$(dirname "$0")
fail() {
    echo "set-up: $1" >&2
    exit 1
}

release=$(. /etc/os-release 2>/dev/null && echo "${ID:-unknown} ${VERSION_ID:-}") || release=unknown
case $release in
"debian 12") ;;
*) echo "set-up: made for Debian 12, this is $release: packages may have other names or versions" >&2 ;;
esac

# Lines "package [program]" without comments.
wanted=$(for list in "$@"; do cat "$here/packages/$list.txt"; done | sed 's/#.*//' | awk 'NF { print $1, $2 }')

missing=
if command -v dpkg-query >/dev/null; then
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p')
else
    installed=
    echo "set-up: no dpkg here: the libraries of scripts/packages/ must be installed by other means" >&2
    wanted=
fi
while read -r package program; do
    [ -n "$package" ] || continue
    [ -z "$program" ] || ! command -v "$program" >/dev/null || continue
    case "
$installed
" in
    *"
$package
"*) ;;
    *) missing="$missing $package" ;;
    esac
done <<LIST
$wanted
LIST
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    sudo=
elif command -v sudo >/dev/null; then
    sudo=sudo
else
    fail "missing packages; run as root: apt-get install --no-install-recommends$missing"
fi
echo "set-up: installing$missing"
cd "$here/.."
mkdir -p build
install_missing() {
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q update || return
    # shellcheck disable=SC2086 # a list of words
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $missing
}
install_missing </dev/null >build/apt.log 2>&1 ||
    fail "apt-get could not install$missing ($(grep -m 1 '^[EW]:' build/apt.log || echo 'no reason given'); see build/apt.log)"
