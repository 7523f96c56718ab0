#!/usr/bin/env bash
# What the other scripts need from this machine (Debian 12), each part by its own word:
#
#   prerequisites.sh swift              fails when the Swift toolchain is missing or too old
#   prerequisites.sh packages [NAME…]   installs the Debian packages that building needs, and those named
#   prerequisites.sh python DIR         makes a virtual environment with what the digits example needs, unless DIR has one
#
# Installs only what is missing. Without root it uses sudo; without sudo it says which command to give.
set -euo pipefail

swift_least=6.2
build_packages=(git libzmq3-dev libhwloc-dev libnuma-dev libsqlite3-dev zlib1g-dev)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit 1
}

check_swift() {
    command -v swift >/dev/null || fail "swift is not on PATH; install Swift $swift_least or later: https://www.swift.org/install/linux/"
    local found
    found=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -n 1)
    [ "$(printf '%s\n' "$swift_least" "${found:-0}" | sort -V | head -n 1)" = "$swift_least" ] ||
        fail "Swift ${found:-of an unknown version} is too old; $swift_least or later is needed: https://www.swift.org/install/linux/"
}

install_packages() {
    command -v dpkg-query >/dev/null || fail "this is no Debian; install by hand what corresponds to: $*"
    local missing=() name
    for name in "$@"; do
        [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$name" 2>/dev/null || true)" = installed ] || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "missing: ${missing[*]}. As root: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    printf 'Installing %s\n' "${missing[*]}"
    # An unreachable mirror need not matter: the lists may be recent enough.
    "${as_root[@]}" apt-get update -q >/dev/null || true
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null ||
        fail "apt-get could not install ${missing[*]}"
}

# The system's own interpreter comes first: a job of a root agent runs as `nobody`, who cannot run one below /root.
make_environment() {
    local directory=$1 python
    [ ! -e "$directory/ready" ] || return 0
    python=$([ -x /usr/bin/python3 ] && echo /usr/bin/python3 || command -v python3) || fail "python3 is missing: apt-get install python3-venv"
    umask 022
    rm -rf "$directory"
    "$python" -m venv "$directory" || fail "no virtual environment could be made in $directory: apt-get install python3-venv"
    "$directory/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/examples/digits/requirements.txt" ||
        fail "pip could not install $here/examples/digits/requirements.txt"
    touch "$directory/ready"
}

case "${1:-}" in
    swift) check_swift ;;
    packages) install_packages "${build_packages[@]}" "${@:2}" ;;
    python) make_environment "${2:?the directory is missing}" ;;
    *) fail "expected swift, packages or python" ;;
esac
