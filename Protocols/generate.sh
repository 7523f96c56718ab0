#!/bin/sh
# Regenerates Sources/WireProtocol/Generated from the .proto files beside this script; running it again changes nothing.
#
# Needs protoc. The Swift plugin is $PROTOC_GEN_SWIFT when that is set (its version must be the pinned one), otherwise
# it is built from swift-protobuf at the pinned version in a temporary package, which takes minutes.
set -eu

version=1.39.0
here=$(cd "$(dirname "$0")" && pwd)
output=$here/../Sources/WireProtocol/Generated

if [ -n "${PROTOC_GEN_SWIFT:-}" ]; then
    plugin=$PROTOC_GEN_SWIFT
else
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    mkdir "$scratch/Sources"
    cat >"$scratch/Package.swift" <<PACKAGE
// swift-tools-version: 6.0
import PackageDescription
let package = Package(
    name: "generator",
    dependencies: [.package(url: "https://github.com/apple/swift-protobuf", exact: "$version")],
    targets: [.target(name: "Generator", dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")], path: "Sources")])
PACKAGE
    echo 'import SwiftProtobuf' >"$scratch/Sources/Generator.swift"
    swift build --package-path "$scratch" --configuration release --product protoc-gen-swift
    plugin=$(swift build --package-path "$scratch" --configuration release --show-bin-path)/protoc-gen-swift
fi

found=$("$plugin" --version | awk '{ print $NF }')
if [ "$found" != "$version" ]; then
    echo "generate.sh: $plugin is version $found, pinned is $version" >&2
    exit 1
fi

mkdir -p "$output"
rm -f "$output"/*.pb.swift
cd "$here"
protoc --proto_path=. --plugin=protoc-gen-swift="$plugin" --swift_out="$output" \
    --swift_opt=Visibility=Internal --swift_opt=FileNaming=DropPath --swift_opt=UseAccessLevelOnImports=true \
    agent/v1/values.proto agent/v1/agent.proto agent/v1/coordinator.proto agent/v1/logs.proto agent/v1/enrollment.proto
