#!/usr/bin/env bash
# Installs, removes and purges the packages in a Debian of their own, and looks at what each step leaves.
#
#   Deploy/packages/check.sh DIR        DIR holds the three .deb files, as Deploy/package.sh makes them
#
# Needs root, debootstrap and a mirror. Nothing of this machine is changed.
set -euo pipefail

fail() {
    printf 'check.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

{ [ $# -eq 1 ] && [ -d "$1" ]; } || fail "usage: Deploy/packages/check.sh DIR" 64
[ "$(id -u)" -eq 0 ] || fail "run it as root: it makes a root directory of its own"
packages=$(cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/../prerequisites.sh" packages debootstrap
root=$(mktemp -d /tmp/suanpan-packages-XXXXXX)
trap 'rm -rf "$root"' EXIT
failures=0

# --- Words -------------------------------------------------------------------------------------------------------------

runtime=

# In a mount namespace of its own, so that nothing is left mounted. Programs read their arguments from /proc.
inside() {
    # shellcheck disable=SC2016
    unshare --mount --propagation private sh -c '
        root=$1 runtime=$2
        shift 2
        mount -t proc proc "$root/proc" || exit 125
        if [ -n "$runtime" ]; then mkdir -p "$root$runtime" && mount --bind "$runtime" "$root$runtime" || exit 125; fi
        exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"
    ' sh "$root" "$runtime" "$@"
}

complain() {
    printf 'check.sh: %s\n' "$1" >&2
    failures=$((failures + 1))
}

# Arguments: path, mode, owner.
has() {
    local found
    found=$(inside stat -c '%a %U' "$1" 2>/dev/null) || {
        complain "$1 is missing"
        return 0
    }
    [ "$found" = "$2 $3" ] || complain "$1 is '$found', not '$2 $3'"
}

has_not() { [ ! -e "$root$1" ] || complain "$1 is still there"; }

step() { printf '==> %s\n' "$1"; }

# --- A system ----------------------------------------------------------------------------------------------------------

step "a minimal Debian"
# The mirror and its keys as apt knows them here.
mirror=$(grep -hoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1 | tr -d ' ' || true)
[ -n "$mirror" ] || mirror=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/*.sources 2>/dev/null | head -n 1)
debootstrap --variant=minbase --include=libzmq5,libhwloc15,libnuma1,libsqlite3-0,man-db bookworm "$root" \
    "${mirror:-http://deb.debian.org/debian}" >"$root.log" 2>&1 || {
    tail -n 20 "$root.log" >&2
    fail "debootstrap failed"
}
rm -f "$root.log"
# Services must not start here.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
# Pages are looked at, so they must not be left out, as minimal systems may.
rm -f "$root/etc/dpkg/dpkg.cfg.d/docker"
mkdir "$root/packages"
cp "$packages"/suanpan_*.deb "$packages"/suanpan-coordinator_*.deb "$packages"/suanpan-agent_*.deb "$root/packages/"

# --- Install -----------------------------------------------------------------------------------------------------------

install_all() {
    inside sh -c 'dpkg --install /packages/*.deb' >"$root/install.log" 2>&1 || {
        cat "$root/install.log" >&2
        fail "the packages cannot be installed"
    }
}

check_installed() {
    has /usr/bin/suanpan 755 root
    has /usr/bin/suanpan-coordinator 755 root
    has /usr/bin/suanpan-agent 755 root
    has /usr/libexec/suanpan/suanpan-launcher 755 root
    has /etc/suanpan/coordinator.yaml 644 root
    has /etc/suanpan/agent.yaml 644 root
    local file
    for file in share/bash-completion/completions/suanpan share/zsh/vendor-completions/_suanpan \
        share/fish/vendor_completions.d/suanpan.fish share/man/man1/suanpan.1.gz share/man/man1/suanpan-submit.1.gz \
        share/man/man8/suanpan-coordinator.8.gz share/man/man8/suanpan-agent.8.gz; do
        has "/usr/$file" 644 root
        [ -s "$root/usr/$file" ] || complain "/usr/$file is empty"
    done
    for file in suanpan-coordinator suanpan-agent suanpan-launcher; do has "/lib/systemd/system/$file.service" 644 root; done
    inside getent passwd suanpan >/dev/null || complain "there is no user suanpan"
    [ "$(inside getent passwd suanpan | cut -d : -f 7)" = /usr/sbin/nologin ] || complain "the user suanpan can log in"
    inside man -w suanpan >/dev/null 2>&1 || complain "man does not find suanpan(1)"
    inside suanpan --version >/dev/null || complain "suanpan does not run"
    inside suanpan-coordinator run --check-settings || complain "the coordinator refuses the settings that come with it"
    inside suanpan-agent --check-settings || complain "the agent refuses the settings that come with it"
}

step "install"
install_all
# Programs of a debug build find the Swift runtime of this machine.
runtime=$(ldd "$root/usr/bin/suanpan" | awk '/libswiftCore/ { print $3 }' | xargs -r dirname)
check_installed
if command -v systemd-analyze >/dev/null; then
    verdict=$(systemd-analyze verify --recursive-errors=no --root="$root" "$root"/lib/systemd/system/suanpan-*.service 2>&1 | grep suanpan || true)
    [ -z "$verdict" ] || complain "systemd-analyze: $verdict"
fi

# --- Remove, install again, purge --------------------------------------------------------------------------------------

state=(/var/lib/suanpan/journal.sqlite /var/lib/suanpan-agent/agent.key)
for file in "${state[@]}"; do
    mkdir -p "$(dirname "$root$file")"
    echo state >"$root$file"
done
inside chown -R suanpan:suanpan /var/lib/suanpan
echo '#changed' >>"$root/etc/suanpan/coordinator.yaml"

step "remove: what was set and what was kept stays"
inside dpkg --remove suanpan-agent suanpan-coordinator suanpan >/dev/null 2>&1 || complain "the packages cannot be removed"
for file in /usr/bin/suanpan /usr/bin/suanpan-coordinator /usr/bin/suanpan-agent /usr/libexec/suanpan /usr/share/man/man1/suanpan.1.gz \
    /lib/systemd/system/suanpan-agent.service; do
    has_not "$file"
done
for file in "${state[@]}" /etc/suanpan/coordinator.yaml; do [ -e "$root$file" ] || complain "$file is gone after a removal"; done

step "install again"
install_all
check_installed
grep -q '#changed' "$root/etc/suanpan/coordinator.yaml" || complain "the administrator's settings were replaced"

step "purge"
inside dpkg --purge suanpan-agent suanpan-coordinator suanpan >"$root/purge.log" 2>&1 || {
    cat "$root/purge.log" >&2
    complain "the packages cannot be purged"
}
for file in /var/lib/suanpan /var/lib/suanpan-agent /etc/suanpan /usr/bin/suanpan /usr/libexec/suanpan; do has_not "$file"; done
left=$(inside sh -c "dpkg-query -l 'suanpan*' 2>/dev/null | grep -c '^[ir]' || true")
[ "$left" = 0 ] || complain "dpkg still knows $left of the packages"

[ "$failures" -eq 0 ] || fail "$failures faults"
echo "check.sh: installed, removed, installed again and purged without a fault"
