#!/bin/sh
# Writes ops.txt anew: ops as Go's deterministic encoder, which BuildKit uses, encodes them.
#
# Needs Go, protoc, protoc-gen-go and the Go module google.golang.org/protobuf. On Debian:
#   apt-get install golang-go golang-google-protobuf-dev protobuf-compiler protoc-gen-go
set -eu
here=$(cd "$(dirname "$0")" && pwd)
proto=$here/../../../../proto/proto
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/src/golden/pb"
protoc -I "$proto" --go_out="$work/src" --go_opt=Mbuildkit/ops.proto=golden/pb buildkit/ops.proto
cp "$here/main.go" "$work/src/golden/"
GO111MODULE=off GOPATH="$work:/usr/share/gocode" go run golden > "$work/ops.txt"
mv "$work/ops.txt" "$here/ops.txt"
