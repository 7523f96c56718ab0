#!/usr/bin/env bash
# Does what the handbook says, page after page, on four machines with Debian and systemd: the coordinator, two nodes and a
# user's desk. Looks beyond the commands at what must hold: a gang runs on both nodes and its results come back, an upgrade
# ends no job, a restore knows what the backup knew.
#
#   Deploy/handbook/check.sh DIR      DIR holds the packages that Deploy/package.sh made
#
# A block of a page is run when its fence names a machine: `sh NAME`, `sh NAME root`, `sh NAME then OTHER` (what it
# prints is pasted on the other), `yaml NAME FILE` (is written there). Needs root and what Deploy/machines.sh needs. Takes about
# four minutes. Everything that is started here is ended here.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() {
    printf 'check.sh: FAILED: %s\n' "$1" >&2
    exit "${2:-1}"
}

{ [ $# -eq 1 ] && [ -d "$1" ]; } || fail "usage: Deploy/handbook/check.sh DIR" 64
[ "$(id -u)" -eq 0 ] || fail "needs root for namespaces and root directories" 77
packages=$(cd "$1" && pwd)
# shellcheck source=Deploy/machines.sh
. "$here/../machines.sh"
check_machine_tools || exit 69
work=$(mktemp -d /var/tmp/suanpan-handbook.XXXXXX)
trap end_machines EXIT
trap 'exit 1' HUP INT TERM
began=$SECONDS
step() { printf '%4d s  %s\n' $((SECONDS - began)) "$1"; }
tell() { sed 's/^/        /'; }

await() {
    local what=$1 deadline=$((SECONDS + 60))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $deadline ] || fail "$what"
        sleep 0.2
    done
}

# --- Blocks --------------------------------------------------------------------------------------------------------------

# On the desk a user works; elsewhere root does.
as_reader() {
    local machine=$1
    shift
    if [ "$machine" = desk ]; then
        on desk setpriv --reuid ada --regid ada --init-groups env HOME=/home/ada USER=ada sh -c 'cd && exec "$@"' sh "$@"
    else
        on "$machine" "$@"
    fi
}

# Arguments: the block, the words of its fence.
run_block() {
    local block=$1 kind=$2 machine=$3 word=${4:-} other=${5:-}
    case "$kind $word" in
    "sh ") as_reader "$machine" bash -euo pipefail -s <"$block" >"$block.out" ;;
    "sh root") on "$machine" bash -euo pipefail -s <"$block" >"$block.out" ;;
    "sh then")
        on "$machine" bash -euo pipefail -s <"$block" >"$block.line"
        # Root's machines may have no sudo, and need none.
        on "$other" bash -euo pipefail -s <"$block.line" >"$block.out"
        ;;
    "yaml "*)
        # shellcheck disable=SC2016
        sed "s|KEY|$(on coordinator cat /root/ada.key 2>/dev/null || true)|" "$block" |
            as_reader "$machine" sh -c 'umask 077; mkdir -p "$(dirname "$1")"; cat >"$1"; [ "$(id -u)" -ne 0 ] || chmod 644 "$1"' sh "$word"
        : >"$block.out"
        ;;
    *) fail "a fence says '$kind $machine $word', which means nothing here" ;;
    esac
}

# Runs the blocks of a page up to the end, or those of one section where a heading is named.
page() {
    local name=$1 number=0 block
    step "$name"
    mkdir "$work/$name"
    awk -v folder="$work/$name" '
        /^```[a-z]+ / && !inside { inside = 1; file = sprintf("%s/%03d", folder, ++number); sub(/^```/, ""); print > (file ".fence"); printf "" > file; next }
        /^```/ && !inside { inside = 2; next }
        /^```$/ { inside = 0; next }
        inside == 1 { print > file }' "$here/$name"
    for block in "$work/$name"/*.fence; do
        number=$((number + 1))
        block=${block%.fence}
        # shellcheck disable=SC2046
        run_block "$block" $(cat "$block.fence") 2>"$block.err" || {
            tell <"$block" >&2
            tail -n 15 "$block.out" "$block.err" >&2 || true
            fail "block $number of $name ($(cat "$block.fence")) ended with an error"
        }
        if declare -F "after_${name%.md}" >/dev/null; then "after_${name%.md}" "$number" "$block.out"; fi
    done
    printf '        %d blocks\n' "$number"
}

suanpan() { on coordinator suanpan "$@"; }

# --- What must hold ------------------------------------------------------------------------------------------------------

after_install() { [ "$1" -ne 3 ] || grep -q . "$2" || fail "the coordinator says nothing of its cluster"; }

after_nodes() {
    case $1 in
    2) grep "has joined" "$2" | tell ;;
    3)
        for name in worker-1 worker-2; do grep -q "$name.*ready" "$2" || fail "$name is not ready: $(cat "$2")"; done
        grep -qx worker-2 "$2" || fail "the label of the token does not lead to worker-2: $(cat "$2")"
        ;;
    esac
}

# What a person would carry by ssh.
before_users() {
    cp "$packages"/suanpan_*.deb "$work/desk/root/"
    on desk useradd --create-home ada
    on desk install -d -o ada -g ada /home/ada/.local /home/ada/.local/share /home/ada/.local/share/suanpan
}

after_users() {
    case $1 in
    5)
        cp "$work/coordinator/var/lib/suanpan/tls/certificate.pem" "$work/desk/home/ada/.local/share/suanpan/"
        on desk chown ada /home/ada/.local/share/suanpan/certificate.pem
        ;;
    8)
        grep '^rank' "$2" | tell
        gang=$(awk '$2 ~ /^[0-9]+\.0\.1$/ { sub(/\..*/, "", $2); print $2 }' "$2" | head -n 1)
        [ "$(grep -o 'on worker-[12]' "$2" | sort -u | wc -l)" -eq 2 ] || fail "the gang did not run on both nodes: $(cat "$2")"
        ;;
    9) grep -qx 7 "$2" || fail "the secret did not arrive: $(cat "$2")" ;;
    esac
}

# The same packages under a higher version; the coordinator's holds the agent's.
raise_versions() {
    local deb name version inner
    mkdir "$work/raised"
    for name in suanpan suanpan-agent suanpan-coordinator; do
        deb=$(ls "$packages/${name}"_*.deb)
        dpkg-deb -R "$deb" "$work/raised/$name"
        version=$(sed -n 's/^Version: //p' "$work/raised/$name/DEBIAN/control")
        sed -i "s/^Version: .*/Version: $version.1/" "$work/raised/$name/DEBIAN/control"
        if [ "$name" = suanpan-coordinator ]; then
            inner=$work/raised/$name/usr/share/suanpan/install
            rm "$inner"/*
            cp "$work"/raised/suanpan-agent_*.deb "$inner/"
        fi
        dpkg-deb --root-owner-group -Znone -b "$work/raised/$name" "$work/raised/$(basename "${deb/_${version}_/_$version.1_}")" >/dev/null
    done
}

before_upgrade() {
    raise_versions
    rm "$work"/coordinator/root/*.deb
    cp "$work"/raised/suanpan_*.deb "$work"/raised/suanpan-coordinator_*.deb "$work/coordinator/root/"
    survivor=$(suanpan submit --constraint node=worker-1 --cpus 100m --memory 32MiB -- sh -c 'echo $$; sleep 40; exit 7')
    await "the job does not start" sh -c "[ -s $work/coordinator/var/lib/suanpan/logs/*/$survivor/0.1.out ]"
    survivor_pid=$(suanpan logs "$survivor")
    on worker-1 systemctl show --property=MainPID --value suanpan-agent >"$work/agent.pid"
}

after_upgrade() {
    local code=0
    case $1 in
    2)
        on worker-1 dpkg -s suanpan-agent | grep -q '^Version: .*\.1$' || fail "worker-1 runs the old package"
        [ "$(on worker-1 systemctl show --property=MainPID --value suanpan-agent)" != "$(cat "$work/agent.pid")" ] ||
            fail "the agent was not started anew"
        on worker-1 kill -0 "$survivor_pid" || fail "the upgrade ended the job"
        await "the launcher has not become the new one" on worker-1 sh -c "journalctl --unit suanpan-launcher | grep -q becoming"
        suanpan wait "$survivor" 2>/dev/null || code=$?
        [ "$code" -eq 7 ] || fail "the job that ran through the upgrade ended with $code, not 7"
        printf '        process %s ran through both upgrades and ended with its own code 7\n' "$survivor_pid"
        occupant=$(suanpan submit --constraint node=worker-2 --cpus 100m --memory 32MiB -- sleep 300)
        await "the job does not start" sh -c "nsenter -t ${machine_leader[coordinator]} -a -r suanpan show $occupant -o json | grep -q '\"running\"'"
        ;;
    3)
        if suanpan node ls -o id | grep -qx worker-2; then fail "worker-2 is still there"; fi
        suanpan show "$occupant" -o json | grep -q '"state": "queued"' || fail "the job of worker-2 does not wait for another node"
        suanpan cancel "$occupant" 2>/dev/null
        ;;
    4) [ ! -e "$work/worker-2/var/lib/suanpan-agent" ] || fail "a purge leaves /var/lib/suanpan-agent" ;;
    esac
}

after_backup() {
    [ "$1" -eq 3 ] || return 0
    await "worker-1 does not come back" sh -c \
        "nsenter -t ${machine_leader[coordinator]} -a -r suanpan node ls | grep -q 'worker-1.*ready'"
    suanpan show "$survivor" -o json | grep -q '"exitCode": 7' || fail "the restored cluster does not know job $survivor"
    as_reader desk suanpan cp "$gang.0:results/0" - >"$work/kept" || fail "the files of job $gang are gone"
    grep -q '^rank 0' "$work/kept" || fail "the files of job $gang are damaged: $(cat "$work/kept")"
    suanpan run --cpus 100m --memory 32MiB -- true || fail "nothing runs after the restore"
}

# --- The walk ------------------------------------------------------------------------------------------------------------

step "a Debian by debootstrap"
make_base python3-minimal || fail "debootstrap"
step "four machines"
number=0
for machine in coordinator worker-1 worker-2 desk; do
    number=$((number + 1))
    make_machine "$machine" "$machine_network.$number" || fail "no machine"
done
cp "$packages"/suanpan_*.deb "$packages"/suanpan-coordinator_*.deb "$work/coordinator/root/"
page install.md
page nodes.md
before_users
page users.md
before_upgrade
page upgrade.md
page backup.md
page alerts.md
step "all is as the handbook says"
