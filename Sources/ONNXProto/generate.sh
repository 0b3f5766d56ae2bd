#!/bin/sh
# Writes onnx.pb.swift from onnx.proto. Needed only when onnx.proto changes.
# Needs protoc (Debian: protobuf-compiler) and, on the PATH or in PROTOC_GEN_SWIFT, the plugin of
# the swift-protobuf version in Package.swift: swift build --product protoc-gen-swift
set -eu
cd "$(dirname "$0")"
plugin=${PROTOC_GEN_SWIFT:-$(command -v protoc-gen-swift)}
protoc --plugin=protoc-gen-swift="$plugin" --swift_opt=Visibility=Public --swift_out=. onnx.proto
