#!/usr/bin/env bash
# Builds the four programs as they ship and prints, as the only line on standard output, the folder they lie in.
#
# There is one release form: the Swift runtime is linked in, so the programs run where no Swift is installed. Building
# without the option as well would build everything twice.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

form=(--configuration release --static-swift-stdlib)
for product in suanpan suanpan-coordinator suanpan-agent suanpan-launcher; do
    swift build "${form[@]}" --product "$product" >&2
done
swift build "${form[@]}" --show-bin-path
