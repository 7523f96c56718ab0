#!/usr/bin/env bash
# Holds monitoring against the real thing: a coordinator and two agents on free ports, Debian's Prometheus with the alert
# rules of this folder, and for each of the five main alerts the fault that it is there for.
#
#   Deploy/monitoring/check.sh --programs DIR
#
# Needs root, for a data directory on a small tmpfs of its own. So that it takes a minute and not an hour, the rules are
# transformed: each `for:` becomes 2s, each range [5m], [10m] … becomes [15s], and the 900 seconds of the stuck queue become 5.
# Everything else stays. Prints a line for each alert; everything that was started is ended by its process id.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() {
    echo "check.sh: $1" >&2
    exit 1
}

case "${1:-}" in
--programs) [ $# -eq 2 ] || fail "--programs takes the folder of the programs" ;;
*) fail "usage: Deploy/monitoring/check.sh --programs DIR" ;;
esac
programs=$(cd "$2" && pwd)
[ "$(id -u)" -eq 0 ] || fail "mounting a small data directory needs root"
for tool in prometheus python3 cc; do command -v "$tool" >/dev/null || fail "$tool is missing: apt-get install prometheus python3 gcc libc6-dev"; done

directory=$(mktemp -d /var/tmp/suanpan-monitoring-XXXXXX)
chmod 711 "$directory"
data=$directory/data
mkdir "$data"
coordinator=
prometheus=
agents=()
clients=()

# shellcheck disable=SC2317 # called by the trap
clean_up() {
    local pid
    for pid in "${clients[@]}" "${agents[@]}" $prometheus $coordinator; do
        kill -CONT "$pid" 2>/dev/null || true
        kill "$pid" 2>/dev/null || true
    done
    for pid in "${clients[@]}" "${agents[@]}" $prometheus $coordinator; do wait "$pid" 2>/dev/null || true; done
    # An agent leaves its launcher and jobs running; these are known by the folder of this run.
    for pid in $(pgrep -f "suanpan-launcher --run-dir $directory/" || true); do kill -KILL "$pid" || true; done
    umount "$data" 2>/dev/null || umount -l "$data" 2>/dev/null || true
    rm -rf "$directory"
}
trap clean_up EXIT

mount -t tmpfs -o size=64m,mode=711 suanpan-check "$data"
read -r -a ports < <(python3 - <<'PYTHON'
import socket
sockets = [socket.socket() for _ in range(5)]
for each in sockets: each.bind(("127.0.0.1", 0))
print(*(each.getsockname()[1] for each in sockets))
PYTHON
)
cc -O2 -shared -fPIC -o "$directory/slow_sync.so" "$here/../../Tests/Benchmarks/EndToEnd/slow_sync.c" -ldl

# Arguments: variables of its environment.
start_coordinator() {
    env "$@" "$programs/suanpan-coordinator" --data-dir "$data" --http "127.0.0.1:${ports[0]}" \
        --agents-endpoint "tcp://127.0.0.1:${ports[1]}" --enroll-endpoint "tcp://127.0.0.1:${ports[2]}" \
        --log-endpoint "tcp://127.0.0.1:${ports[3]}" --bootstrap-token-file "$directory/token" --lease 12s --heartbeat-interval 1s \
        >>"$directory/coordinator.log" 2>&1 &
    coordinator=$!
}

suanpan() { SUANPAN_DATA_DIR=$data "$programs/suanpan" "$@"; }

# Looks again until a command succeeds; the limit only bounds a check that has failed.
await() {
    local what=$1 limit=$((SECONDS + 60))
    shift
    until "$@" >/dev/null 2>&1; do
        if [ $SECONDS -ge $limit ]; then
            tail -n 10 "$directory"/[cn]*.log >&2 || true
            fail "not within a minute: $what"
        fi
        sleep 0.2
    done
}

ask_prometheus() { python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())' "http://127.0.0.1:${ports[4]}$1"; }

is_firing() {
    ask_prometheus /api/v1/alerts | python3 -c '
import json, sys
alerts = json.load(sys.stdin)["data"]["alerts"]
sys.exit(not any(a["labels"]["alertname"] == sys.argv[1] and a["state"] == "firing" for a in alerts))' "$1"
}

is_quiet() { ask_prometheus /api/v1/alerts | python3 -c 'import json, sys; sys.exit(bool(json.load(sys.stdin)["data"]["alerts"]))'; }

has_cleared() { ! is_firing "$1"; }

is_up() { ask_prometheus '/api/v1/query?query=up' | grep -q '"job":"suanpan"},"value":\[[0-9.]*,"1"\]'; }

nodes_ready() { [ "$(suanpan node ls -o json | grep -c '"ready"')" -eq 2 ]; }

# expect ALERT FAULT: the alert fires.
expect() {
    local began=$SECONDS
    await "$1 fires" is_firing "$1"
    printf '%-30s fired after %2d s: %s\n' "$1" $((SECONDS - began)) "$2"
}

start_coordinator X=
await "the coordinator serves" suanpan cluster
for name in n1 n2; do
    "$programs/suanpan-agent" --data-dir "$directory/$name" --token-file "$directory/token" --name $name --cpus 1 \
        >"$directory/$name.log" 2>&1 &
    agents+=($!)
done
await "both nodes are ready" nodes_ready

(umask 077 && suanpan key create --user prometheus --role viewer >"$directory/key")
sed -e "s/for: [0-9a-z]*$/for: 2s/" -e 's/\[[0-9]*m\]/[15s]/g' -e 's/} > 900$/} > 5/' "$here/alerts.yml" >"$directory/alerts.yml"
sed -e 's/_interval: 15s/_interval: 1s/' -e "s#/etc/prometheus/suanpan-alerts.yml#$directory/alerts.yml#" \
    -e "s#/etc/prometheus/suanpan.key#$directory/key#" -e "s/127.0.0.1:8470/127.0.0.1:${ports[0]}/" "$here/prometheus.yml" >"$directory/prometheus.yml"
promtool check config "$directory/prometheus.yml" >/dev/null || fail "the transformed configuration is not valid"
prometheus --config.file="$directory/prometheus.yml" --storage.tsdb.path="$directory/tsdb" \
    --web.listen-address="127.0.0.1:${ports[4]}" >"$directory/prometheus.log" 2>&1 &
prometheus=$!
await "Prometheus scrapes the coordinator" is_up
# Longer than every `for` and range: what fires by itself would have fired.
for _ in $(seq 20); do
    sleep 1
    is_quiet || fail "an alert is active though all is well: $(ask_prometheus /api/v1/alerts)"
done
echo "Prometheus $(prometheus --version 2>&1 | awk 'NR == 1 { print $3 }') has the target up; no alert in 20 s while all is well"

suanpan submit --cpus 1 -- sleep 600 >/dev/null
suanpan submit --cpus 1 -- sleep 600 >/dev/null
suanpan submit --cpus 1 -- sleep 1 >/dev/null
expect SuanpanQueueStuck "three jobs for two cores, two of which run on"
suanpan cancel 1 2 >/dev/null 2>&1
await "the queue moves again" has_cleared SuanpanQueueStuck

kill -STOP "${agents[1]}"
expect SuanpanNodeSilent "SIGSTOP of an agent"
kill -CONT "${agents[1]}"
await "the node is heard again" has_cleared SuanpanNodeSilent

head -c 60M /dev/zero >"$data/ballast" 2>/dev/null || true
expect SuanpanDataDiskAlmostFull "a file fills the data directory's disk"
rm "$data/ballast"
await "there is room again" has_cleared SuanpanDataDiskAlmostFull

kill -KILL "$coordinator"
wait "$coordinator" 2>/dev/null || true
expect SuanpanCoordinatorDown "SIGKILL of the coordinator"

# A disk that takes 0.7 s for each sync, and clients that do not wait for each other.
start_coordinator LD_PRELOAD="$directory/slow_sync.so" SLOW_SYNC_US=700000
await "the coordinator is back with both nodes" nodes_ready
for _ in 1 2 3 4; do
    while suanpan submit --begin +1h -- true; do :; done >/dev/null 2>&1 &
    clients+=($!)
done
expect SuanpanCoordinatorOverloaded "a disk that takes 0.7 s for each sync"
echo "check.sh: all five alerts fired for their faults"
