# A Rust toolchain for the tests. Sourced by ./dev.

# Tests need cargo on this machine; the demo does not, since Dockerfile.frontend brings its own.
rust_toolchain() {
  command -v cargo >/dev/null && return
  if [ -x "$HOME/.cargo/bin/cargo" ]; then
    PATH="$HOME/.cargo/bin:$PATH"
  elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get install -y --no-install-recommends rustup gcc libc6-dev >/dev/null 2>&1; then
    say "installing a Rust toolchain with rustup"
    quietly rustup rustup default stable
  else
    die "the tests need cargo: install Rust from https://rustup.rs"
  fi
}
