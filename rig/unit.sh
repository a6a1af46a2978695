# The tests that need no Docker, as many programs at once as there are processors: most of the time they wait for Python.
# Sourced by ./dev.

# Every test program but those of the end-to-end tests, one a line: the folder of its package, and its path. All packages are
# built together, because a part of them would be built once more with other features.
unit_programs() {
  cargo test --workspace --no-run --quiet --message-format=json-render-diagnostics | python3 -c '
import json, os, sys
for message in map(json.loads, sys.stdin):
    if message.get("executable") and message["profile"]["test"]:
        folder = os.path.dirname(message["manifest_path"])
        needs_docker = os.path.samefile(folder, sys.argv[1]) and "test" in message["target"]["kind"]
        if not needs_docker:
            print(folder, message["executable"], sep="\t")
' "$ROOT/tests"
}

# unit_program LINE ARGUMENT…: runs one of them in its folder, and shows all that it said when it has ended.
unit_program() {
  local folder=${1%%$'\t'*} program=${1#*$'\t'} log status=0
  shift
  log=$(mktemp)
  (cd "$folder" && "$program" "$@") >"$log" 2>&1 </dev/null || status=$?
  [ $status = 0 ] || echo "FAILED: $program in $folder" >>"$log"
  { echo "     Running ${program##*/}"; cat "$log"; } | flock "$UNIT_LIST" cat >&2
  rm "$log"
  return $status
}

# unit_tests ARGUMENT…: all of them, and the examples in the documentation.
unit_tests() {
  export UNIT_LIST=$CACHE/logs/unit.list
  mkdir -p "$CACHE/logs"
  unit_programs >"$UNIT_LIST"
  export -f unit_program
  # A quarter of the programs has no test of its own, and none at all means that the list is wrong.
  [ "$(wc -l <"$UNIT_LIST")" -gt 20 ] || die "there are too few test programs: $(cat "$UNIT_LIST")"
  xargs --arg-file="$UNIT_LIST" --delimiter='\n' --max-procs="$(nproc)" -I{} \
    bash -c 'unit_program "$@"' unit {} "$@" || die "tests failed: see FAILED above"
  cargo test --workspace --doc --quiet
}
