#!/usr/bin/env bash
# From a fresh checkout to a trained model: builds Suanpan, starts it on this machine and runs the digits example.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: Deploy/quickstart.sh [--keep] [--data-dir DIR] [--programs DIR] [--help]

Installs the Debian packages that the build needs (as root, or with sudo), builds the release programs, starts
`suanpan up` on free ports of 127.0.0.1, trains the digits example as a gang of two tasks, follows its log, and shows
its accuracy and its usage records. Stops all that it started; files stay, and it says where.

  --keep          leave Suanpan running at the end, and say how to stop it
  --data-dir DIR  keep the state of Suanpan in DIR; default: a new directory below /var/tmp
  --programs DIR  take the programs that lie in DIR instead of building them
TEXT
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
keep=false
data=
bin=
while [ $# -gt 0 ]; do
    case "$1" in
        --keep) keep=true ;;
        --data-dir)
            [ -n "${2:-}" ] || { echo "quickstart.sh: --data-dir needs a directory" >&2; exit 2; }
            data=$2
            shift
            ;;
        --data-dir=?*) data=${1#*=} ;;
        --programs)
            bin=${2:-}
            [ -n "$bin" ] || { echo "quickstart.sh: --programs needs the directory of the programs" >&2; exit 2; }
            shift
            ;;
        --programs=?*) bin=${1#*=} ;;
        --help | -h) usage; exit 0 ;;
        *) printf 'quickstart.sh: unknown option %s\n\n' "$1" >&2; usage >&2; exit 2 ;;
    esac
    shift
done

if [ -n "$bin" ]; then
    [ -x "$bin/suanpan" ] || { echo "quickstart.sh: there is no program suanpan in $bin" >&2; exit 2; }
    bin=$(cd "$bin" && pwd)
fi

# --- What was started, and its end -----------------------------------------------------------------------------------

work=
up_pid=
began_at=$SECONDS

step() { printf '\n==> %s  (%d s)\n' "$1" $((SECONDS - began_at)); }

fail() {
    printf '\nquickstart.sh: %s\n' "$1" >&2
    exit 1
}

is_running() { [ -n "$1" ] && kill -0 "$1" 2>/dev/null; }

wait_for_end() {
    local pid=$1 tenths=$(($2 * 10))
    while is_running "$pid" && [ "$tenths" -gt 0 ]; do
        sleep 0.1
        tenths=$((tenths - 1))
    done
    ! is_running "$pid"
}

# Processes of this run, by a variable that all of them inherit: exact, whatever they are called.
started_processes() {
    local file
    for file in /proc/[0-9]*/environ; do
        if tr '\0' '\n' 2>/dev/null <"$file" | grep -qxF "QUICKSTART_WORK=$work"; then
            file=${file%/environ}
            printf '%s\n' "${file#/proc/}"
        fi
    done 2>/dev/null
}

stop_all() {
    if is_running "$up_pid"; then
        # As Ctrl-C does: jobs are asked to stop. Another Ctrl-C during the wait kills them.
        trap 'kill -INT "$up_pid" 2>/dev/null || true' INT
        kill -INT "$up_pid"
        wait_for_end "$up_pid" 45 || { kill -INT "$up_pid"; wait_for_end "$up_pid" 20; } || true
    fi
    local pid pids try
    for try in 1 2 3 4 5 6 7 8 9 10; do
        pids=$(started_processes)
        [ -n "$pids" ] || return 0
        if [ "$try" -ge 6 ]; then
            for pid in $pids; do kill "$([ "$try" -ge 8 ] && echo -KILL || echo -TERM)" "$pid" 2>/dev/null || true; done
        fi
        sleep 0.5
    done
    printf 'quickstart.sh: these processes did not end: %s\n' "$(echo "$pids" | tr '\n' ' ')" >&2
    return 1
}

on_exit() {
    local code=$?
    trap - EXIT
    trap '' INT TERM HUP
    [ -n "$work" ] || exit "$code"
    if [ "$code" -eq 0 ] && $keep; then exit 0; fi
    if [ -n "$up_pid" ]; then
        step "Stopping"
        stop_all || code=1
        [ "$code" -eq 0 ] || printf '\n%s. The logs: %s and %s/log/\n' "$([ "$code" -gt 128 ] && echo Interrupted || echo Failed)" \
            "$work/up.log" "$data" >&2
    else
        # Nothing ran yet, nothing here is of use.
        rm -rf "$work"
    fi
    [ "$code" -ne 0 ] || printf '\nStopped; nothing runs any more. To remove the files: rm -rf %s\n' "$files"
    exit "$code"
}
trap on_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- The run -----------------------------------------------------------------------------------------------------------

step "Checking Swift and Debian packages"
"$here/prerequisites.sh" swift
"$here/prerequisites.sh" packages python3 python3-venv

# Jobs of a root agent run as `nobody`: what they read lies in a directory that all may enter. The state of Suanpan,
# which holds keys, lies in one of its own that nobody else may.
work=$(mktemp -d /var/tmp/suanpan-quickstart.XXXXXX)
chmod 755 "$work"
files=$work
if [ -n "$data" ]; then
    mkdir -p "$data"
    data=$(cd "$data" && pwd)
    files="$work $data"
else
    data=$work/data
fi

step "Python environment for the example, in $work/venv"
"$here/prerequisites.sh" python "$work/venv"
install -d -m 755 "$work/digits"
install -m 644 "$here/examples/digits/train.py" "$work/digits/"
sed "s|\"python3\", \"train.py\"|\"$work/venv/bin/python3\", \"$work/digits/train.py\"|" "$here/examples/digits/job.yaml" >"$work/digits/job.yaml"
grep -qF "$work/digits/train.py" "$work/digits/job.yaml" || fail "Deploy/examples/digits/job.yaml no longer runs \"python3\", \"train.py\""
if [ "$(id -u)" -eq 0 ]; then
    setpriv --reuid nobody --regid nogroup --clear-groups "$work/venv/bin/python3" "$work/digits/train.py" --help >/dev/null ||
        fail "the user nobody, as whom jobs run, cannot run $work/venv/bin/python3 $work/digits/train.py"
fi

if [ -z "$bin" ]; then
    step "Building the release programs (a quarter of an hour the first time)"
    bin=$("$here/build-release.sh")
fi
PATH=$bin:$PATH
export SUANPAN_DATA_DIR=$data
unset SUANPAN_URL SUANPAN_API_KEY

step "Starting suanpan up, state in $data"
# A process group of its own (set -m), so that Ctrl-C here reaches this script alone and the end is orderly.
set -m
QUICKSTART_WORK=$work "$bin/suanpan" up --data-dir "$data" --http 127.0.0.1:0 --agents-endpoint tcp://127.0.0.1:0 \
    --enroll-endpoint tcp://127.0.0.1:0 >"$work/up.log" 2>&1 </dev/null &
up_pid=$!
set +m
for ((tenths = 600; ; tenths--)); do
    grep -qs '^Suanpan is up' "$work/up.log" && break
    is_running "$up_pid" || { cat "$work/up.log" >&2; fail "suanpan up ended"; }
    [ "$tenths" -gt 0 ] || { cat "$work/up.log" >&2; fail "suanpan up was not ready within 60 s"; }
    sleep 0.1
done
suanpan node ls

step "Training: two tasks, one gang"
job=$(suanpan submit -f "$work/digits/job.yaml")
printf 'suanpan submit -f %s   -> job %s\n' "$work/digits/job.yaml" "$job"
suanpan logs -f "$job" 2>&1 | tee "$work/digits/log.txt"
suanpan wait "$job" || fail "job $job ended with code $?; suanpan show $job says more"
accuracy=$(grep -o 'accuracy=[0-9.]*$' "$work/digits/log.txt" | tail -n 1) || fail "the log of job $job names no accuracy"

step "What it used"
suanpan usage ls --job "$job" -o json | tee "$work/digits/usage.json"

step "Done: $accuracy"
cat <<TEXT
  job      $job, its file $work/digits/job.yaml
  log      $work/digits/log.txt
  usage    $work/digits/usage.json
  state    $data
  daemons  $data/log/
  programs $bin
TEXT
if $keep; then
    cat <<TEXT
Suanpan goes on running (--keep). To use it from another terminal:
  export PATH=$bin:\$PATH SUANPAN_DATA_DIR=$data
  suanpan run -- echo hello
To stop it: kill -INT $up_pid      To remove the files: rm -rf $files
TEXT
fi
