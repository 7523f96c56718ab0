#!/usr/bin/env bash
# Runs what is too slow for every change, until the time is up: the launcher under sanitizers, simulation seeds that no one has
# seen, and the fault tests with real processes again and again; as root, first the packages' installation and removal, the handbook and the image;
# at the end, the alerts against a real Prometheus and, from an hour on, how soon planted faults are found.
#
#   Deploy/soak.sh [MINUTES]      default 60
#
# Prints the seeds of each round. A failing seed is named, with its plan; keep it in
# Tests/SimulationTests/regressions.txt. The exit code is 0 only when every round passed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

minutes=${1:-60}
case $minutes in
'' | *[!0-9]*)
    echo "soak.sh: MINUTES must be a whole number, such as 60; got '$minutes'" >&2
    exit 64
    ;;
esac

Deploy/prerequisites.sh swift
Deploy/prerequisites.sh packages prometheus
[ "$(id -u)" -ne 0 ] || Deploy/prerequisites.sh packages iproute2 nftables e2fsprogs
swift build --build-tests
SUANPAN_TEST_BINARIES=$(Deploy/build-release.sh)
export SUANPAN_TEST_BINARIES

failures=0
printf '\n==> the launcher under the address and undefined-behaviour sanitizers\n'
sanitized=$(mktemp -d)
cc -std=gnu11 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -ISources/CLinuxShim/include \
    -o "$sanitized/suanpan-launcher" Sources/suanpan-launcher/*.c Sources/CLinuxShim/shim.c
ASAN_OPTIONS=detect_leaks=0 SUANPAN_TEST_LAUNCHER=$sanitized/suanpan-launcher \
    swift test --skip-build --filter TaskDriverTests.LauncherDriverTests || failures=$((failures + 1))
rm -rf "$sanitized"
if [ "$(id -u)" -eq 0 ]; then
    debs=$(mktemp -d)
    Deploy/package.sh --programs "$SUANPAN_TEST_BINARIES" --output "$debs"
    Deploy/packages/check.sh "$debs" || failures=$((failures + 1))
    Deploy/handbook/check.sh "$debs" || failures=$((failures + 1))
    Deploy/image.sh --packages "$debs" --output "$debs/image.tar" --check || failures=$((failures + 1))
    rm -rf "$debs"
fi

ends_at=$((SECONDS + minutes * 60))
first=$(($(date +%s) * 1000))
rounds=0
while [ $SECONDS -lt $ends_at ]; do
    last=$((first + 4999))
    printf '\n==> round %d: seeds %d-%d, then the fault tests; %d s left\n' $((rounds + 1)) "$first" "$last" $((ends_at - SECONDS))
    "$SUANPAN_TEST_BINARIES/suanpan" simulate chaos --seeds "$first..$last" || failures=$((failures + 1))
    SUANPAN_CHAOS_SECONDS=60 SUANPAN_CHAOS_SEED=$first swift test --skip-build --no-parallel --filter 'IntegrationTests\..*FaultTests' ||
        failures=$((failures + 1))
    first=$((last + 1))
    rounds=$((rounds + 1))
done
printf '\n==> alerts against real faults\n'
Deploy/monitoring/check.sh --programs "$SUANPAN_TEST_BINARIES" || failures=$((failures + 1))
if [ "$minutes" -ge 60 ]; then
    printf '\n==> planted faults\n'
    Tests/SimulationTests/PlantedFaults/find.py || failures=$((failures + 1))
fi
printf '\nsoak.sh: %d rounds, %d failures\n' "$rounds" "$failures"
[ "$failures" -eq 0 ]
