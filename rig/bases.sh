# Stand-ins for the official Python and Rust images, for an engine that can pull none. Sourced by ./dev.
#
# Each is Debian's own Python under the official name. What differs from the official images: Python
# lives in /usr instead of /usr/local, and its system scheme is dist-packages.

BASES=$CACHE/bases

# bases_rootfs SUITE ARCH: a root file system with Python, as a tar. Another architecture's packages are
# unpacked and none of their code is run.
bases_rootfs() {
  local suite=$1 arch=$2 tar="$BASES/$1-$2.tar" new="$BASES/$1-$2.new.tar" variant=minbase foreign=()
  [ -f "$tar" ] && return
  engine_tools
  say "making the $arch root file system for the stand-in images from Debian $suite's packages"
  mkdir -p "$BASES"
  if [ "$arch" != "$(dpkg --print-architecture)" ]; then variant=extract; fi
  [ "$variant" = minbase ] || foreign=(--architectures="$arch" --include=libc-bin,base-files,bash)
  quietly "base-$suite-$arch" mmdebstrap --variant="$variant" "${foreign[@]}" \
    --include=python3,python3-venv,python3-pip,ca-certificates,netbase,tzdata \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin "$1"/var/log/*' \
    --customize-hook='rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED' \
    --customize-hook='mkdir -p "$1"/usr/local/bin && ln -s /usr/bin/python3 "$1"/usr/local/bin/python && ln -s /usr/bin/python3 "$1"/usr/local/bin/python3' \
    --customize-hook="cp /etc/ssl/certs/ca-certificates.crt \"\$1\"/etc/ssl/certs/ca-certificates.crt" \
    "$suite" "$new" "$(engine_mirror)"
  mv "$new" "$tar"
}

# bases_python SUITE MINOR ARCH...: python:MINOR-slim for all of ARCH, python:MINOR for the machine's own.
bases_python() {
  local suite=$1 minor=$2 arch platforms=() mark
  shift 2
  mark=$(fingerprint "$ROOT/rig/bases/python.Dockerfile" "$ROOT/rig/bases.sh")-$*
  [ "$(docker image inspect -f '{{index .Config.Labels "stand-in"}}' "python:$minor" 2>/dev/null)" = "$mark" ] && return
  for arch in "$@"; do
    bases_rootfs "$suite" "$arch"
    platforms+=("linux/$arch")
  done
  local version
  version=$(tar -xOf "$BASES/$suite-$(dpkg --print-architecture).tar" ./var/lib/dpkg/status |
    sed -n "/^Package: python$minor\$/,/^\$/s/^Version: \([0-9.]*\).*/\1/p")
  say "importing the stand-in images python:$minor-slim and python:$minor ($version)"
  local build=(docker buildx build -q -f "$ROOT/rig/bases/python.Dockerfile" --provenance=false
    --build-arg "SUITE=$suite" --build-arg "PYTHON_VERSION=$version" --build-arg "MARK=$mark")
  quietly "import-$minor-slim" "${build[@]}" --target slim --platform "$(IFS=,; echo "${platforms[*]}")" \
    -t "python:$minor-slim" -t "python:$minor-slim-$suite" -t "python:$version-slim" "$BASES"
  quietly "import-$minor" "${build[@]}" --target full -t "python:$minor" -t "python:$minor-$suite" -t "python:$version" "$BASES"
}

# rust:1 from the machine's own toolchain.
bases_rust() {
  rust_toolchain
  local toolchain mark
  toolchain=$(rustc --print sysroot)
  mark=$(rustc --version | tr ' ' -)
  [ "$(docker image inspect -f '{{index .Config.Labels "stand-in"}}' rust:1-bookworm 2>/dev/null)" = "$mark" ] && return
  bases_python bookworm 3.11 amd64 arm64
  say "importing the stand-in image rust:1-bookworm ($mark)"
  mkdir -p "$BASES/rust"
  tar -C "$toolchain" --exclude=./share -cf "$BASES/rust/toolchain.tar" .
  quietly import-rust docker buildx build -q -f "$ROOT/rig/bases/rust.Dockerfile" --provenance=false \
    --build-arg "MARK=$mark" -t rust:1-bookworm "$BASES/rust"
  rm -rf "$BASES/rust"
}

# What ./dev demo needs.
bases_demo() {
  bases_rust
}

# What ./dev test needs.
bases_tests() {
  bases_python bookworm 3.11 amd64 arm64
  bases_python trixie 3.13 amd64
  bases_rust
}
