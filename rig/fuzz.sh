# Fuzzing of the parsers with libFuzzer. Sourced by ./dev.

# A build of its own, so as not to disturb that of the tests.
FUZZ_BUILD=${CARGO_TARGET_DIR:-$ROOT/target}/fuzz
# As cargo-fuzz does it. These flags work with every toolchain, and libFuzzer needs no more than them.
FUZZ_FLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares"

# libFuzzer is C++.
fuzz_compiler() {
  command -v c++ >/dev/null && return
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || die "fuzzing needs a C++ compiler: install g++"
  apt_install g++
}

fuzz_build() {
  local host
  host=$(rustc -vV | sed -n 's/^host: //p')
  # With a target given, the flags do not reach build scripts, which could not be linked with them.
  RUSTFLAGS="$(echo $FUZZ_FLAGS)" CARGO_TARGET_DIR=$FUZZ_BUILD \
    cargo build --manifest-path fuzz/Cargo.toml --locked --release --bins --target "$host" --quiet
  FUZZ_BIN=$FUZZ_BUILD/$host/release
}

fuzz_targets() { sed -n 's/^name = "\(.*\)"/\1/p' fuzz/Cargo.toml | tail -n +2; }

# Runs target $1 for $2 seconds. New inputs stay in the build folder; fuzz/corpus is only read. Archives are unpacked in
# memory where that is possible.
fuzz_target() {
  local target=$1 seconds=$2 found=$FUZZ_BUILD/corpus/$1 artifacts=fuzz/artifacts/$1 log=$FUZZ_BUILD/$1.log memory=/dev/shm count
  mkdir -p "$found" "$artifacts"
  [ -w $memory ] || memory=${TMPDIR:-/tmp}
  if ! TMPDIR=$memory "$FUZZ_BIN/$target" "$found" "fuzz/corpus/$target" -max_total_time="$seconds" -artifact_prefix="$artifacts/" \
    -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    die "fuzzing $target failed; the whole log is in $log, the input in $artifacts. To run it again:
  $FUZZ_BIN/$target $artifacts/…"
  fi
  count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  printf '%-14s %10s executions in %s s\n' "$target" "$count" "$(sed -n 's/^Done .* in \([0-9]*\) second.*/\1/p' "$log")"
}

# Builds all targets and runs each for $1 seconds.
fuzz() {
  local target
  fuzz_compiler
  say "building the fuzz targets"
  fuzz_build
  say "fuzzing each of them for $1 seconds"
  for target in $(fuzz_targets); do
    fuzz_target "$target" "$1"
  done
}
