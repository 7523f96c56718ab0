#!/usr/bin/env bash
# Makes the packages of this checkout: a Debian package for each role and one tarball that runs wherever it lies.
#
#   Deploy/package.sh [--programs DIR] [--output DIR] [--check]
#
#   --programs DIR  take the programs that lie in DIR instead of building them
#   --output DIR    put the packages there; default: .build/packages
#   --check         accept programs that need a Swift runtime, for packages that are only looked at (packages/check.sh)
#
# The Swift runtime is in the programs: a machine that installs them needs no compiler. Prints the files made, their sizes
# in bytes and their SHA-256.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
programs=
output=$here/../.build/packages
for_check=

fail() {
    printf 'package.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

while [ $# -gt 0 ]; do
    if [ "$1" = --check ]; then
        for_check=yes
        shift
        continue
    fi
    [ $# -ge 2 ] || fail "$1 needs a directory; usage: Deploy/package.sh [--programs DIR] [--output DIR] [--check]" 2
    case "$1" in
        --programs) programs=$2 ;;
        --output) output=$2 ;;
        *) fail "unknown option $1; usage: Deploy/package.sh [--programs DIR] [--output DIR] [--check]" 2 ;;
    esac
    shift 2
done

"$here/prerequisites.sh" packages dpkg-dev binutils
[ -n "$programs" ] || programs=$("$here/build-release.sh")
for program in suanpan suanpan-coordinator suanpan-agent suanpan-launcher; do
    [ -x "$programs/$program" ] || fail "there is no program $program in $programs"
done
if [ -z "$for_check" ] && ldd "$programs/suanpan" | grep -q libswiftCore; then
    fail "the programs in $programs need a Swift runtime, which no package has; build them with Deploy/build-release.sh"
fi
version=$("$programs/suanpan" --version | awk '{print $2}')
architecture=$(dpkg --print-architecture)
mkdir -p "$output"
output=$(cd "$output" && pwd)
work=$(mktemp -d)
recommends=
trap 'rm -rf "$work"' EXIT

mkdir "$work/programs"
for program in suanpan suanpan-coordinator suanpan-agent suanpan-launcher; do
    strip --strip-all -o "$work/programs/$program" "$programs/$program"
done

# The pages say what the programs say; troff's warnings are faults of theirs.
python3 "$here/packages/manpages.py" --programs "$programs" --output "$work/man" --gzip
if command -v man >/dev/null; then
    for page in "$work"/man/man*/*.gz; do
        faults=$(man --warnings --local-file "$page" 2>&1 >/dev/null)
        [ -z "$faults" ] || fail "$(basename "$page"): $faults"
    done
fi

# --- The parts ---------------------------------------------------------------------------------------------------------

put() { install -D -m "$1" "$2" "$3"; }

fill_suanpan() {
    put 755 "$work/programs/suanpan" "$1/usr/bin/suanpan"
    local shell
    for shell in bash:usr/share/bash-completion/completions/suanpan zsh:usr/share/zsh/vendor-completions/_suanpan \
        fish:usr/share/fish/vendor_completions.d/suanpan.fish; do
        mkdir -p "$(dirname "$1/${shell#*:}")"
        "$programs/suanpan" --generate-completion-script "${shell%%:*}" >"$1/${shell#*:}"
    done
    mkdir -p "$1/usr/share/man"
    cp -r "$work/man/man1" "$1/usr/share/man/"
}

fill_coordinator() {
    put 755 "$work/programs/suanpan-coordinator" "$1/usr/bin/suanpan-coordinator"
    put 644 "$here/packages/coordinator/suanpan-coordinator.service" "$1/lib/systemd/system/suanpan-coordinator.service"
    put 644 "$here/packages/coordinator/suanpan.sysusers" "$1/usr/lib/sysusers.d/suanpan.conf"
    put 644 "$here/packages/coordinator/coordinator.yaml" "$1/etc/suanpan/coordinator.yaml"
    # What machines that join fetch from it.
    put 644 "$output/suanpan-agent_${version}_$architecture.deb" \
        "$1/usr/share/suanpan/install/suanpan-agent_${version}_$architecture.deb"
    put 644 "$work/man/man8/suanpan-coordinator.8.gz" "$1/usr/share/man/man8/suanpan-coordinator.8.gz"
}

fill_agent() {
    put 755 "$work/programs/suanpan-agent" "$1/usr/bin/suanpan-agent"
    put 755 "$work/programs/suanpan-launcher" "$1/usr/libexec/suanpan/suanpan-launcher"
    put 644 "$here/packages/agent/suanpan-agent.service" "$1/lib/systemd/system/suanpan-agent.service"
    put 644 "$here/packages/agent/suanpan-launcher.service" "$1/lib/systemd/system/suanpan-launcher.service"
    put 644 "$here/packages/agent/agent.yaml" "$1/etc/suanpan/agent.yaml"
    put 644 "$work/man/man8/suanpan-agent.8.gz" "$1/usr/share/man/man8/suanpan-agent.8.gz"
}

# --- Debian packages ---------------------------------------------------------------------------------------------------

# What the programs link, as the installed packages of this machine say.
dependencies() {
    local folder=$work/shlibs
    mkdir -p "$folder/debian"
    printf 'Source: suanpan\n\nPackage: suanpan\nArchitecture: any\n' >"$folder/debian/control"
    (cd "$folder" && dpkg-shlibdeps ${for_check:+--ignore-missing-info} -O "$@" 2>"$work/shlibs.log") | sed -n 's/^shlibs:Depends=//p'
}

# Arguments: package, directory of its maintainer scripts or -, description, programs for its dependencies.
make_package() {
    local name=$1 scripts=$2 description=$3 root=$work/$1 file depends
    shift 3
    depends=$(dependencies "$@")
    [ -n "$depends" ] || fail "what $name links is not known: $(cat "$work/shlibs.log")"
    mkdir -p "$root/DEBIAN" "$root/usr/share/doc/$name"
    install -m 644 "$here/../LICENSE" "$root/usr/share/doc/$name/copyright"
    cat >"$root/DEBIAN/control" <<TEXT
Package: $name
Version: $version
Architecture: $architecture
Maintainer: The Suanpan authors <suanpan@localhost>
Section: admin
Priority: optional
Installed-Size: $(du -sk "$root" | cut -f 1)
Depends: $depends
${recommends:+Recommends: $recommends
}Description: $description
TEXT
    if [ "$scripts" != - ]; then
        for file in postinst prerm postrm; do install -m 755 "$here/packages/$scripts/$file" "$root/DEBIAN/$file"; done
    fi
    if [ -d "$root/etc" ]; then (cd "$root" && find etc -type f -printf '/%p\n' | sort) >"$root/DEBIAN/conffiles"; fi
    dpkg-deb --build --root-owner-group -Zxz -z4 "$root" "$output/${name}_${version}_$architecture.deb" >/dev/null
}

fill_suanpan "$work/suanpan"
make_package suanpan - "Suanpan's command line: submit and follow jobs" "$work/programs/suanpan"
fill_agent "$work/suanpan-agent"
# Moves files from and to object stores; a node without it says so to the jobs that ask.
recommends=rclone
make_package suanpan-agent agent "Suanpan's agent: runs jobs on this node" "$work/programs/suanpan-agent" "$work/programs/suanpan-launcher"
recommends=
fill_coordinator "$work/suanpan-coordinator"
make_package suanpan-coordinator coordinator "Suanpan's coordinator: allocates the machines of a cluster to jobs" \
    "$work/programs/suanpan-coordinator"

# --- The tarball -------------------------------------------------------------------------------------------------------

folder=suanpan-$version-linux-$(uname -m)
mkdir -p "$work/$folder/bin" "$work/$folder/libexec/suanpan"
install -m 755 "$work"/programs/suanpan "$work"/programs/suanpan-coordinator "$work"/programs/suanpan-agent "$work/$folder/bin/"
install -m 755 "$work/programs/suanpan-launcher" "$work/$folder/libexec/suanpan/"
install -m 644 "$here/../LICENSE" "$here/../README.md" "$work/$folder/"
tar --directory "$work" --owner=0 --group=0 --sort=name -c "$folder" | xz -4 -T0 >"$output/$folder.tar.xz"

cd "$output"
for file in suanpan{,-coordinator,-agent}_"${version}_$architecture".deb "$folder.tar.xz"; do
    printf '%s  %d  %s\n' "$(sha256sum "$file" | cut -d ' ' -f 1)" "$(stat -c %s "$file")" "$output/$file"
done
