# A Rust toolchain for the tests. Sourced by ./dev.

# Tests need cargo on this machine, and so does the stand-in of the Rust image that a private engine builds the frontend in.
rust_toolchain() {
  command -v cargo >/dev/null && return
  if [ -x "$HOME/.cargo/bin/cargo" ]; then
    PATH="$HOME/.cargo/bin:$PATH"
  elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && (apt_install rustup gcc libc6-dev); then
    say "installing a Rust toolchain with rustup"
    quietly rustup rustup default stable
  else
    die "the tests need cargo: install Rust from https://rustup.rs"
  fi
}

# The Poetry that the tests compare with.
POETRY_ORACLE_VERSION=2.5.1

# Real Poetry in an environment of its own, which POETRY_ORACLE_PYTHON names. One that you name yourself is taken as it is.
poetry_oracle() {
  [ -z "${POETRY_ORACLE_PYTHON:-}" ] || return 0
  local venv=$CACHE/poetry-oracle-$POETRY_ORACLE_VERSION
  # An environment cannot be moved, so a marker tells that it is complete.
  if [ ! -f "$venv/.done" ] || ! "$venv/bin/python" -c 'import poetry' 2>/dev/null; then
    say "installing Poetry $POETRY_ORACLE_VERSION for the tests to compare with"
    rm -rf "$venv"
    mkdir -p "$CACHE"
    poetry_oracle_venv "$venv"
    quietly poetry-oracle "$venv/bin/pip" install --quiet "poetry==$POETRY_ORACLE_VERSION"
    touch "$venv/.done"
  fi
  export POETRY_ORACLE_PYTHON=$venv/bin/python
}

# Lets real Poetry's answers to many questions at once come from records; see tests/oracle.
recorded_python() {
  cargo test --workspace --no-run --quiet
  export POETRY_ORACLE_REAL_PYTHON=$POETRY_ORACLE_PYTHON
  export POETRY_ORACLE_PYTHON=${CARGO_TARGET_DIR:-$ROOT/target}/debug/recorded-python
}

# poetry_oracle_venv FOLDER: an empty environment with pip. Debian keeps what that takes in a package of its own.
poetry_oracle_venv() {
  python3 -m venv "$1" >/dev/null 2>&1 && return
  rm -rf "$1"
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
    die "the tests compare with real Poetry, and 'python3 -m venv' does not work here: install Python 3 with venv"
  apt_install python3-venv
  quietly poetry-oracle-venv python3 -m venv "$1"
}
