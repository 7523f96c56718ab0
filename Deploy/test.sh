#!/usr/bin/env bash
# Runs every test: lint, alert rules, scripts, the example, the build, unit and repository tests, end-to-end tests, the quick start.
#
#   Deploy/test.sh [--release]
#
# The end-to-end tests and the quick start run the programs of the same, debug, build: assertions are on in them, and a
# second build of everything would take longer than all the rest. With --release they run the programs as they ship.
# Installs the missing Debian packages first. Every step runs even when an earlier one failed, unless it needs its
# result. The last line says what failed; the exit code is 0 only when nothing did. For the tests it sets
#   SUANPAN_TEST_BINARIES   the folder of the programs
#   SUANPAN_TEST_PYTHON     an interpreter with NumPy and scikit-learn that every user can run
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case "$*" in
'') release=false ;;
--release) release=true ;;
*)
    echo "test.sh: unknown arguments '$*'; usage: Deploy/test.sh [--release]" >&2
    exit 2
    ;;
esac

stops_prometheus=true
! command -v prometheus >/dev/null || stops_prometheus=false
passed=()
failed=()
began_at=$SECONDS

# Runs a command as a named step; its result is also the function's.
step() {
    local name=$1 step_began_at=$SECONDS
    shift
    printf '\n==> %s\n' "$name"
    if "$@"; then
        passed+=("$name")
        printf '    %s passed in %d s\n' "$name" $((SECONDS - step_began_at))
    else
        failed+=("$name")
        printf '    %s FAILED after %d s\n' "$name" $((SECONDS - step_began_at))
        return 1
    fi
}

skip() {
    printf '\n==> %s: not run, %s\n' "$1" "$2"
    failed+=("$1 (not run)")
}

finish() {
    local time=$(((SECONDS - began_at) / 60))m$(((SECONDS - began_at) % 60))s
    if [ ${#failed[@]} -eq 0 ]; then
        printf '\ntest.sh: all %d steps passed in %s\n' ${#passed[@]} "$time"
        exit 0
    fi
    local list
    list=$(printf ', %s' "${failed[@]}")
    printf '\ntest.sh: FAILED: %s; %d steps passed, in %s\n' "${list:2}" ${#passed[@]} "$time"
    exit 1
}

lint() {
    find Package.swift Sources Tests -name '*.swift' ! -name '*.pb.swift' -print0 |
        xargs -0 swift format lint --strict --parallel
}

check_scripts() {
    local scripts
    mapfile -t scripts < <(
        find Deploy Protocols Tests -name '*.sh' -type f
        find Deploy/packages \( -name 'post*' -o -name 'pre*' \) -type f
        echo .ci/run
    )
    if command -v shellcheck >/dev/null; then
        # SC2317 takes functions that `step` calls by name for unreachable.
        shellcheck --exclude=SC2317 "${scripts[@]}"
    else
        echo "shellcheck is not installed; only the syntax is checked"
        local script
        for script in "${scripts[@]}"; do bash -n "$script" || return 1; done
    fi
}

# Debian starts the service of a package that it installs; only its tools are wanted here.
test_alerts() {
    if $stops_prometheus && command -v systemctl >/dev/null; then systemctl disable --now prometheus >/dev/null 2>&1 || true; fi
    promtool check rules Deploy/monitoring/alerts.yml &&
        promtool test rules Deploy/monitoring/alerts.test.yml &&
        promtool check config --syntax-only Deploy/monitoring/prometheus.yml
}

# Outside the checkout, which may lie where the user of jobs cannot go; kept for the next run. Other requirements make
# another environment.
make_python() {
    local directory requirements
    directory=/var/tmp/suanpan-test-python-$(id -u)
    requirements=$(sha256sum Deploy/examples/digits/requirements.txt | cut -c 1-12)
    if [ ! -e "$directory" ]; then mkdir -m 755 "$directory" || return 1; fi
    if [ -L "$directory" ] || [ ! -O "$directory" ]; then
        echo "$directory belongs to somebody else; remove it"
        return 1
    fi
    Deploy/prerequisites.sh python "$directory/$requirements" || return 1
    export SUANPAN_TEST_PYTHON=$directory/$requirements/bin/python3
}

find_programs() {
    if $release; then
        SUANPAN_TEST_BINARIES=$(Deploy/build-release.sh)
    else
        SUANPAN_TEST_BINARIES=$(swift build --show-bin-path)
    fi && export SUANPAN_TEST_BINARIES
}

test_example() { (cd Deploy/examples/digits && "$SUANPAN_TEST_PYTHON" -B -m unittest); }

step "toolchain" Deploy/prerequisites.sh swift || finish
step "packages" Deploy/prerequisites.sh packages binutils python3 python3-venv || finish
# The scripts can be checked without it, only less well.
Deploy/prerequisites.sh packages shellcheck || true
Deploy/prerequisites.sh packages prometheus || true
Deploy/prerequisites.sh packages rclone || true
# What cuts machines off and fills disks; only root can, and without them those tests say that they were skipped.
[ "$(id -u)" -ne 0 ] || Deploy/prerequisites.sh packages iproute2 nftables e2fsprogs || true
step "lint" lint || true
step "alerts" test_alerts || true
step "scripts" check_scripts || true
if step "python" make_python; then
    step "example" test_example || true
else
    skip "example" "there is no interpreter for it"
fi
if step "build" swift build --build-tests; then
    # Real processes and their timing: these run alone, after the rest.
    step "tests" swift test --skip-build --skip IntegrationTests || true
    if step "programs" find_programs; then
        step "end-to-end tests" swift test --skip-build --no-parallel --filter IntegrationTests || true
        step "quick start" Deploy/quickstart.sh --programs "$SUANPAN_TEST_BINARIES" || true
    else
        skip "end-to-end tests" "there are no programs to run"
        skip "quick start" "there are no programs to run"
    fi
else
    for name in "tests" "programs" "end-to-end tests" "quick start"; do skip "$name" "the build failed"; done
fi
finish
