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
# The packages of $missing but those that begin with $1.
without() {
    for package in $missing; do
        case $package in "$1"*) ;; *) printf ' %s' "$package" ;; esac
    done
}
# An FTP server of the machine's owner stays: Debian allows one at a time, and proftpd would put it out.
case $missing in
*proftpd*)
    if dpkg-query -W -f '${db:Status-Status} ${Package} ${Provides}\n' | grep '^installed .*ftp-server' | grep -qv '^installed proftpd'; then
        echo "set-up: another FTP server is installed: cameras can't upload by FTP until proftpd-core and proftpd-mod-vroot take its place" >&2
        missing=$(without proftpd)
    fi
    ;;
esac
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
# Debian starts a server with its package, now and at each boot. The box runs proftpd by itself, as its own user and only
# while there is a camera for it; the tests run a RabbitMQ of their own. Nobody asked for either as a service.
services=
case $missing in *proftpd-core*) services=proftpd ;; esac
case $missing in *rabbitmq-server*) services="$services rabbitmq-server" ;; esac
policy=/usr/sbin/policy-rc.d
hold_services() {
    for service in $services; do
        [ -e "/etc/systemd/system/$service.service" ] || $sudo mkdir -p /etc/systemd/system
        [ -e "/etc/systemd/system/$service.service" ] || $sudo ln -s /dev/null "/etc/systemd/system/$service.service"
    done
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null && $sudo chmod 755 $policy && trap '$sudo rm -f $policy' EXIT
    fi
}
install_missing() {
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q update || return
    [ -z "$services" ] || hold_services
    # shellcheck disable=SC2086 # a list of words
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $missing || return
    for service in $services; do $sudo update-rc.d "$service" disable || :; done
}
install_missing </dev/null >build/apt.log 2>&1 ||
    fail "apt-get could not install$missing ($(grep -m 1 '^[EW]:' build/apt.log || echo 'no reason given'); see build/apt.log)"
