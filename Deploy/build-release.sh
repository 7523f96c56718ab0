#!/usr/bin/env bash
# Builds the four programs as they ship and prints, as the only line on standard output, the folder they lie in.
#
# There is one release form: the Swift runtime is linked in, so the programs run where no Swift is installed. Building
# without the option as well would build everything twice.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Without them the build fails only after minutes of work.
Deploy/prerequisites.sh swift >&2
Deploy/prerequisites.sh packages >&2

form=(--configuration release --static-swift-stdlib)
# All at once: one product after the other, each plan of the build finds a part of the last one's work out of date.
swift build "${form[@]}" >&2
swift build "${form[@]}" --show-bin-path
