#!/usr/bin/env bash
# Makes an OCI image of the coordinator, from Debian's packages and ours: no registry is asked. The image has the command line too.
#
#   Deploy/image.sh --packages DIR [--output FILE] [--check]
#
#   --packages DIR  the packages that Deploy/package.sh made
#   --output FILE   the OCI archive; default: .build/packages/suanpan-coordinator.oci.tar
#   --check         start it, submit to it, stop it, and start it again on the same volume
#
#   podman load -i FILE
#   podman run -d --name suanpan --network host -v suanpan:/var/lib/suanpan -v /etc/suanpan:/etc/suanpan:ro localhost/suanpan-coordinator
#   podman exec suanpan suanpan node token
#
# Needs root, podman, runc, debootstrap and, for its packages, a Debian mirror.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
packages=
output=$here/../.build/packages/suanpan-coordinator.oci.tar
check=false

fail() {
    printf 'image.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

while [ $# -gt 0 ]; do
    case "$1" in
    --packages) packages=${2:-} && shift ;;
    --output) output=${2:-} && shift ;;
    --check) check=true ;;
    *) fail "unknown option $1; usage: Deploy/image.sh --packages DIR [--output FILE] [--check]" 64 ;;
    esac
    shift
done
[ -d "$packages" ] || fail "--packages needs the directory that Deploy/package.sh filled" 64
[ "$(id -u)" -eq 0 ] || fail "needs root, for a root directory" 77
for tool in debootstrap podman runc; do command -v "$tool" >/dev/null || fail "needs $tool: apt-get install debootstrap podman runc" 69; done
coordinator=$(echo "$packages"/suanpan-coordinator_*.deb)
line=$(echo "$packages"/suanpan_*.deb)
{ [ -f "$coordinator" ] && [ -f "$line" ]; } || fail "$packages does not hold one version of the packages suanpan and suanpan-coordinator"
version=$(dpkg-deb --field "$coordinator" Version)

# Images and containers of a store of its own: whatever this machine has is left alone.
work=$(mktemp -d /var/tmp/suanpan-image.XXXXXX)
# runc knows hierarchies of every kind.
pod() { podman --runtime runc --log-level error --root "$work/store" --runroot "$work/run" --storage-driver vfs --cgroup-manager cgroupfs "$@"; }
cleanup() {
    pod rm --force --all --time 1 >/dev/null 2>&1 || true
    grep -q " $work/" /proc/mounts && umount --recursive "$work/store" 2>/dev/null
    grep -q " $work/" /proc/mounts || rm -rf --one-file-system "$work"
}
trap cleanup EXIT

# --- The root directory ------------------------------------------------------------------------------------------------

# What the packages depend on, by their own word; not what comes with every Debian.
dependencies=$(dpkg-deb --field "$coordinator" Depends | tr ',' '\n' | sed 's/ *\([a-z0-9.+-]*\).*/\1/' | grep -v '^suanpan' | paste -sd ,)
debootstrap --variant=minbase --include="$dependencies" bookworm "$work/root" >"$work/debootstrap.log" 2>&1 || {
    tail -n 5 "$work/debootstrap.log" >&2
    fail "debootstrap"
}
cp "$line" "$coordinator" "$work/root/tmp/"
chroot "$work/root" sh -c 'dpkg -i /tmp/*.deb && rm -rf /tmp/*.deb /var/cache/apt/* /var/lib/apt/lists/* /usr/share/man /usr/share/doc
    install -d -o suanpan -g suanpan -m 700 /var/lib/suanpan' >"$work/install.log" 2>&1 || {
    tail -n 5 "$work/install.log" >&2
    fail "the packages do not install"
}

# --- The image ---------------------------------------------------------------------------------------------------------

name=localhost/suanpan-coordinator
tar --directory "$work/root" --numeric-owner --sort=name --mtime=@0 -cf "$work/root.tar" .
rm -rf --one-file-system "$work/root"
pod import --quiet \
    --change 'USER suanpan' --change 'VOLUME /var/lib/suanpan' --change 'ENV SUANPAN_DATA_DIR=/var/lib/suanpan' \
    --change 'EXPOSE 8470' --change 'EXPOSE 8471' --change 'EXPOSE 8472' --change 'EXPOSE 8473' --change 'STOPSIGNAL SIGTERM' \
    --change 'ENTRYPOINT ["/usr/bin/suanpan-coordinator"]' --change 'CMD ["--data-dir", "/var/lib/suanpan"]' \
    "$work/root.tar" "$name:$version" >/dev/null
pod tag "$name:$version" "$name:latest"
mkdir -p "$(dirname "$output")"
rm -f "$output"
pod save --quiet --format oci-archive --output "$output" "$name:$version"
printf '%s  %d  %s\n' "$(sha256sum "$output" | cut -d ' ' -f 1)" "$(stat -c %s "$output")" "$output"
$check || exit 0

# --- Does it work? -----------------------------------------------------------------------------------------------------

# Below what any machine allows, which podman would raise.
limits=(--ulimit nofile=4096:4096 --ulimit nproc=4096:4096)

start() {
    local tenths=0
    pod run --detach --name suanpan --network none "${limits[@]}" --volume "$work/volume:/var/lib/suanpan:U" "$name:$version" >/dev/null
    until pod exec suanpan suanpan cluster >"$work/cluster.txt" 2>&1; do
        tenths=$((tenths + 1))
        [ "$tenths" -lt 300 ] || { pod logs suanpan >&2; fail "the coordinator of the image does not answer"; }
        sleep 0.1
    done
}

# From the file, as others will have it.
pod rmi --force "$name:$version" "$name:latest" >/dev/null
pod load --quiet --input "$output" >/dev/null
mkdir "$work/volume"
start
job=$(pod exec suanpan suanpan submit -- true)
pod stop --time 20 suanpan >/dev/null
[ "$(pod inspect --format '{{.State.ExitCode}}' suanpan)" = 0 ] || fail "the coordinator did not end in peace"
pod rm suanpan >/dev/null
start
pod exec suanpan suanpan show "$job" >/dev/null || fail "job $job is gone after a new start"
[ "$(pod exec suanpan id -un)" = suanpan ] || fail "the coordinator of the image is not the user suanpan"
echo "image.sh: the image starts, takes a job, stops, and knows it again"
