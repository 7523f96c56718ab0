#!/usr/bin/env bash
# A cluster of three machines on one: a coordinator and two nodes, each with a root directory of its own and in a network
# namespace of its own, made from nothing but Debian and our packages.
#
#   Deploy/packages/cluster.sh DIR      DIR holds the packages that Deploy/package.sh made
#
# Installs the coordinator, joins both nodes by the printed line, runs a gang of two with a developer's code across them
# and fetches the results, upgrades a node under a running job, drains and removes the other. Needs root, ip, debootstrap
# and, the first time, a Debian mirror. Takes about two minutes. Everything that is started here is ended here.
set -euo pipefail

fail() {
    printf 'cluster.sh: FAILED: %s\n' "$1" >&2
    exit "${2:-1}"
}

{ [ $# -eq 1 ] && [ -d "$1" ]; } || fail "usage: Deploy/packages/cluster.sh DIR" 64
[ "$(id -u)" -eq 0 ] || fail "needs root for namespaces and root directories" 77
packages=$(cd "$1" && pwd)
for tool in debootstrap ip dpkg-deb unshare; do
    command -v "$tool" >/dev/null || fail "needs $tool: apt-get install debootstrap iproute2 dpkg-dev util-linux" 69
done

work=$(mktemp -d /var/tmp/suanpan-cluster.XXXXXX)
tag=$(basename "$work" | tail -c 7)
began=$SECONDS
machines=(c n1 n2)
declare -A address=([c]=10.77.0.1 [n1]=10.77.0.2 [n2]=10.77.0.3)
declare -A holder=()
step() { printf '%4d s  %s\n' $((SECONDS - began)) "$1"; }

# --- Machines ------------------------------------------------------------------------------------------------------------

# What runs in the namespaces of a machine ends with the process that holds them, the first of its process namespace, which
# also takes in what others leave behind.
cleanup() {
    local machine
    set +e
    for machine in "${machines[@]}"; do
        [ -n "${holder[$machine]:-}" ] && kill -KILL "${holder[$machine]}" 2>/dev/null
    done
    wait 2>/dev/null
    for machine in "${machines[@]}"; do
        ip link delete "v$machine$tag" 2>/dev/null
    done
    ip link delete "b$tag" 2>/dev/null
    # Should anything be mounted there after all, nothing is removed.
    if grep -q " $work/" /proc/mounts; then
        printf 'cluster.sh: %s stays: something is mounted there\n' "$work" >&2
    else
        rm -rf --one-file-system "$work"
    fi
    return 0
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

# On the machine, as root.
on() {
    local machine=$1
    shift
    nsenter --target "${holder[$machine]}" --net --uts --pid --mount -- chroot "$work/$machine" /usr/bin/env \
        PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

make_root() {
    local libraries=libzmq5,libhwloc15,libnuma1,libsqlite3-0,zlib1g,curl,ca-certificates,procps
    debootstrap --variant=minbase --include="$libraries" bookworm "$work/base" >"$work/debootstrap.log" 2>&1 ||
        { tail -n 5 "$work/debootstrap.log" >&2; fail "debootstrap"; }
}

# Everything is mounted in the machine's own mount namespace, and its devices are its own: what is removed at the end lies
# on this host's disk and nowhere else.
make_machine() {
    local machine=$1 outer
    cp -a --reflink=auto "$work/base" "$work/$machine"
    mkdir -p "$work/$machine/proc" "$work/$machine/sys" "$work/$machine/dev"
    # shellcheck disable=SC2016
    unshare --net --uts --pid --fork --kill-child --mount --propagation private sh -ec '
        hostname "$1"
        cd "$2"
        mount -t proc proc proc
        mount --rbind /sys sys
        mount --make-rprivate sys
        mount -t tmpfs -o mode=755 tmpfs run
        mount -t tmpfs -o mode=755 tmpfs dev
        for device in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 666 "dev/${device%:*}" c 1 "${device#*:}"; done
        mkdir -m 1777 dev/shm
        mount -t tmpfs tmpfs dev/shm
        ln -s /proc/self/fd dev/fd
        exec bash -c "sleep infinity & while :; do wait -n; done"' sh "$machine" "$work/$machine" &
    outer=$!
    while ! holder[$machine]=$(pgrep -P "$outer" -x bash); do
        sleep 0.1
        kill -0 "$outer" 2>/dev/null || fail "no namespaces for $machine"
    done
    ip link add "v$machine$tag" type veth peer name eth0 netns "${holder[$machine]}"
    ip link set "v$machine$tag" master "b$tag" up
    nsenter --target "${holder[$machine]}" --net sh -c \
        "ip link set lo up; ip address add ${address[$machine]}/24 dev eth0; ip link set eth0 up"
}

# --- Steps ---------------------------------------------------------------------------------------------------------------

await() {
    local what=$1 deadline=$((SECONDS + 60))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $deadline ] || fail "$what"
        sleep 0.2
    done
}

suanpan() { on c env SUANPAN_DATA_DIR=/var/lib/suanpan NO_COLOR=1 suanpan "$@"; }

is_running() { suanpan show "$1" -o json | grep -q '"state": "running"'; }

start_coordinator() {
    mkdir "$work/c/packages"
    cp "$packages"/*.deb "$work/c/packages/"
    on c sh -c 'dpkg -i /packages/suanpan_*.deb /packages/suanpan-coordinator_*.deb' >"$work/install.log" 2>&1 ||
        { tail -n 5 "$work/install.log" >&2; fail "the coordinator's packages do not install"; }
    on c suanpan-coordinator --data-dir /var/lib/suanpan --http "${address[c]}:8470" --agents-endpoint "tcp://${address[c]}:8471" \
        --enroll-endpoint "tcp://${address[c]}:8472" --log-endpoint "tcp://${address[c]}:8473" >"$work/coordinator.log" 2>&1 &
    await "the coordinator does not serve: $work/coordinator.log" suanpan cluster
}

# The line is what a person would paste there, without sudo: root needs none.
join_node() {
    local line
    line=$(suanpan node token --center lab --pool "$2" --ttl 10m 2>"$work/token.log") || { cat "$work/token.log" >&2; fail "no token"; }
    on "$1" sh -c "${line//sudo /}" >"$work/join-$1.log" 2>&1 || { cat "$work/join-$1.log" >&2; fail "$1 does not join"; }
    grep "has joined" "$work/join-$1.log" | sed 's/^/        /'
}

run_gang() {
    mkdir -p "$work/c/root/code/lib"
    # shellcheck disable=SC2016
    echo 'mkdir -p results && . lib/say.sh && say > results/$RANK' >"$work/c/root/code/main.sh"
    # shellcheck disable=SC2016
    echo 'say() { echo "rank $RANK of $WORLD_SIZE on $SUANPAN_NODE, rank 0 is at $MASTER_ADDR"; }' >"$work/c/root/code/lib/say.sh"
    local cpus job
    cpus=$(nproc)
    job=$(suanpan submit --tasks 2 --cpus "$cpus" --memory 64MiB --input /root/code:. --output results -- sh main.sh)
    suanpan wait "$job" 2>"$work/wait.log" || { cat "$work/wait.log" >&2; suanpan show "$job" >&2; fail "the gang failed"; }
    suanpan cp "$job:" /root/out
    cat "$work"/c/root/out/*/results/* | sed 's/^/        /'
    [ "$(cat "$work"/c/root/out/*/results/* | grep -o 'on n[12]' | sort -u | wc -l)" -eq 2 ] || fail "the gang did not run on both nodes"
}

# The same package with a higher version, offered by the coordinator; the line is pasted again.
raise_version() {
    local deb version
    deb=$(ls "$work"/c/usr/share/suanpan/install/suanpan-agent_*.deb)
    dpkg-deb -R "$deb" "$work/raised"
    version=$(sed -n 's/^Version: //p' "$work/raised/DEBIAN/control")
    sed -i "s/^Version: .*/Version: $version.1/" "$work/raised/DEBIAN/control"
    rm "$deb"
    dpkg-deb --root-owner-group -b "$work/raised" "${deb/_${version}_/_$version.1_}" >/dev/null
}

upgrade_under_a_job() {
    local job before agent code=0
    job=$(suanpan submit --constraint node=n1 --cpus 100m --memory 32MiB -- sh -c 'echo $$; sleep 45; exit 7')
    await "the job does not start" sh -c "[ -s $work/c/var/lib/suanpan/logs/*/$job/0.1.out ]"
    before=$(suanpan logs "$job")
    agent=$(on n1 cat /run/suanpan-agent.pid)
    raise_version
    join_node n1 a
    [ "$(on n1 cat /run/suanpan-agent.pid)" != "$agent" ] || fail "the agent was not started anew"
    on n1 dpkg -s suanpan-agent | grep -q '^Version: .*\.1$' || fail "n1 runs the old package"
    on n1 kill -0 "$before" || fail "the upgrade ended the job"
    suanpan wait "$job" 2>/dev/null || code=$?
    [ "$code" -eq 7 ] || fail "the job that ran through the upgrade ended with $code, not 7"
    printf '        process %s ran through the upgrade and ended with its own code 7\n' "$before"
}

drain_and_remove() {
    local job
    job=$(suanpan submit --constraint pool=b --cpus 100m --memory 32MiB -- sleep 300)
    await "the job does not start" is_running "$job"
    suanpan node drain n2 --deadline 2s --wait 2>&1 | sed 's/^/        /'
    suanpan cancel "$job" 2>/dev/null
    suanpan node rm n2
    suanpan node ls | sed 's/^/        /'
    if suanpan node ls -o id | grep -qx n2; then fail "n2 is still there"; fi
    suanpan run --cpus 100m --memory 32MiB -- true || fail "nothing runs after the removal"
}

step "a root directory by debootstrap"
make_root
step "three machines"
ip link add "b$tag" type bridge
ip link set "b$tag" up
for machine in "${machines[@]}"; do make_machine "$machine"; done
step "the coordinator installs and serves, over TLS"
start_coordinator
step "two nodes join by the printed line"
join_node n1 a
join_node n2 b
step "a gang of two with the developer's code"
run_gang
step "an upgrade under a running job"
upgrade_under_a_job
step "a drain and a removal"
drain_and_remove
step "all is as it should be"
