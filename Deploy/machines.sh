#!/usr/bin/env bash
# Machines to try things on: each a Debian with systemd, in namespaces of its own, on a network of their own. To be sourced;
# the caller sets `work` to an empty directory on a disk, and `trap end_machines EXIT`. Needs root, ip, debootstrap,
# systemd-nspawn and, the first time, a Debian mirror.
#
#   make_machine NAME ADDRESS    boots NAME under ADDRESS (of 10.77.0.0/24); all machines know each other by name
#   on NAME COMMAND...           runs a command there, as root

# shellcheck disable=SC2154 # work is the caller's
machine_network=10.77.0
declare -A machine_leader=()
# Names of network devices are short and everybody's.
machine_tag=$(printf '%04x' $((RANDOM + $$ % 32768)))

check_machine_tools() {
    local tool
    for tool in debootstrap ip systemd-nspawn nsenter; do
        command -v "$tool" >/dev/null || {
            echo "machines.sh: needs $tool: apt-get install debootstrap iproute2 systemd-container util-linux" >&2
            return 1
        }
    done
}

# The root directory that all are copies of; kept for the next time. Names of further packages may be given.
make_base() {
    local packages=systemd,systemd-sysv,dbus,libzmq5,libhwloc15,libnuma1,libsqlite3-0,zlib1g,curl,ca-certificates,procps,sudo
    packages+=${1:+,$1}
    local kept
    kept=/var/cache/suanpan-machines/$(printf '%s' "$packages" | sha256sum | cut -c 1-12).tar
    mkdir -p "$work/base" "$(dirname "$kept")"
    if [ ! -e "$kept" ]; then
        debootstrap --variant=minbase --include="$packages" bookworm "$work/base" >"$work/debootstrap.log" 2>&1 || {
            tail -n 5 "$work/debootstrap.log" >&2
            return 1
        }
        # No mirror is within reach of the machines: what is to be installed is here.
        : >"$work/base/etc/apt/sources.list"
        tar --directory "$work/base" --one-file-system --numeric-owner --xattrs -cf "$kept.$$" . && mv "$kept.$$" "$kept"
    else
        tar --directory "$work/base" --numeric-owner --xattrs -xf "$kept"
    fi
    ip link add "b$machine_tag" type bridge
    ip link set "b$machine_tag" up
}

# Becomes a command in control groups of its own; to be put into the background. Machines would share those of this shell.
become_in_cgroup() {
    local name=$1 hierarchy
    shift
    for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
        [ -e "$hierarchy/cgroup.procs" ] || continue
        mkdir -p "$hierarchy/$name"
        echo "$BASHPID" >"$hierarchy/$name/cgroup.procs"
    done
    exec "$@"
}

# Everything is mounted in the machine's own mount namespace: what is removed at the end lies on this host's disk only.
make_machine() {
    local name=$1 address=$2 root=$work/$1 outer waited=0
    cp -a --reflink=auto "$work/base" "$root"
    printf '%s\n' "$name" >"$root/etc/hostname"
    printf '%s\n' "127.0.0.1 localhost" "$machine_network.1 coordinator" "$machine_network.2 worker-1" \
        "$machine_network.3 worker-2" "$machine_network.4 desk" >"$root/etc/hosts"
    become_in_cgroup "$name-$machine_tag" systemd-nspawn --quiet --keep-unit --register=no --boot --directory="$root" --machine="$name-$machine_tag" --hostname="$name" \
        --private-network --capability=all --resolv-conf=off --timezone=off --link-journal=no --console=pipe \
        </dev/null >"$work/$name.console" 2>&1 &
    outer=$!
    until machine_leader[$name]=$(pgrep -P "$outer" -x systemd) && on "$name" systemctl is-active dbus.service >/dev/null 2>&1; do
        sleep 0.2
        waited=$((waited + 1))
        if [ "$waited" -ge 300 ] || ! kill -0 "$outer" 2>/dev/null; then
            tail -n 5 "$work/$name.console" >&2
            echo "machines.sh: $name does not boot" >&2
            return 1
        fi
    done
    ip link add "v${#machine_leader[@]}$machine_tag" type veth peer name eth0 netns "${machine_leader[$name]}"
    ip link set "v${#machine_leader[@]}$machine_tag" master "b$machine_tag" up
    nsenter --target "${machine_leader[$name]}" --net sh -c \
        "ip link set lo up; ip address add $address/24 dev eth0; ip link set eth0 up; ip route add default via $machine_network.254"
}

on() {
    local leader=${machine_leader[$1]}
    shift
    nsenter --target "$leader" --mount --uts --ipc --net --pid --root -- /usr/bin/env -i --chdir=/root \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 NO_COLOR=1 \
        DEBIAN_FRONTEND=noninteractive "$@"
}

# All processes of a machine end with its first one.
end_machines() {
    local name number=0
    set +e
    for name in "${!machine_leader[@]}"; do
        [ -n "${machine_leader[$name]}" ] && kill -KILL "${machine_leader[$name]}" 2>/dev/null
        number=$((number + 1))
        ip link delete "v$number$machine_tag" 2>/dev/null
    done
    wait 2>/dev/null
    for name in "${!machine_leader[@]}"; do
        find /sys/fs/cgroup{,/unified,/systemd}/"$name-$machine_tag" -depth -type d -exec rmdir {} + 2>/dev/null
    done
    ip link delete "b$machine_tag" 2>/dev/null
    # Should anything be mounted there after all, nothing is removed.
    if grep -q " $work/" /proc/mounts; then
        printf 'machines.sh: %s stays: something is mounted there\n' "$work" >&2
    else
        rm -rf --one-file-system "$work"
    fi
    return 0
}
