#!/bin/sh
# Builds both binaries without any dynamic library, for Dockerfile.frontend.
# usage: build-static.sh amd64|arm64 CARGO_HOME TARGET_DIR OUT
set -eu
case $1 in
  amd64) arch=x86_64 ;;
  arm64) arch=aarch64 ;;
  *) echo "error: no static build for $1: the frontend runs on amd64 and arm64 builders" >&2; exit 1 ;;
esac
out=$4
export CARGO_TARGET_DIR="$3"
[ ! -f /run/secrets/ca-bundle ] || export CARGO_HTTP_CAINFO=/run/secrets/ca-bundle SSL_CERT_FILE=/run/secrets/ca-bundle

# musl where the toolchain can have it (the official Rust image); else glibc, linked statically.
if command -v rustup >/dev/null && rustup target add "$arch-unknown-linux-musl"; then
  target=$arch-unknown-linux-musl
else
  target=$arch-unknown-linux-gnu
fi
if [ "$arch" != "$(uname -m)" ] && ! command -v "$arch-linux-gnu-gcc" >/dev/null; then
  apt-get update
  apt-get install -y --no-install-recommends "gcc-$(echo $arch | tr _ -)-linux-gnu"
fi
variable=$(echo "$target" | tr 'a-z-' 'A-Z_')
compiler=gcc
[ "$arch" = "$(uname -m)" ] || compiler=$arch-linux-gnu-gcc
export "CC_$(echo "$target" | tr - _)=$compiler"
case $target in
  *-musl) export "CARGO_TARGET_${variable}_LINKER=rust-lld" ;;
  *) export "CARGO_TARGET_${variable}_LINKER=$compiler" ;;
esac
# getrandom would look its system call up with dlsym, which a static binary does not have.
export "CARGO_TARGET_${variable}_RUSTFLAGS=-C target-feature=+crt-static --cfg getrandom_backend=\"linux_getrandom\""

CARGO_HOME_BIN=$(dirname "$(command -v cargo)")
PATH=$CARGO_HOME_BIN:$PATH
CARGO_HOME=$2
export PATH CARGO_HOME
cargo build --release --locked --target "$target" -p poetry-buildkit -p poetry-buildkit-installer
mkdir -p "$out"
cp "$CARGO_TARGET_DIR/$target/release/poetry-buildkit" "$CARGO_TARGET_DIR/$target/release/installer" "$out/"
# The same binary gets the same layer, whenever it was built.
find "$out" -exec touch -h -d @315532800 {} +
