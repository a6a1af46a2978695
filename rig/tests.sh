# The programs of the tests. Sourced by ./dev.

# Every test program, one a line: whether it needs Docker (unit or end-to-end), its name, the folder of its package and its
# path. All packages are built together, because a part of them would be built once more with other features.
test_programs() {
  cargo test --workspace --no-run --quiet --message-format=json-render-diagnostics | python3 -c '
import json, os, sys
for message in map(json.loads, sys.stdin):
    if message.get("executable") and message["profile"]["test"]:
        folder, target = os.path.dirname(message["manifest_path"]), message["target"]
        needs_docker = os.path.samefile(folder, sys.argv[1]) and "test" in target["kind"]
        print("end-to-end" if needs_docker else "unit", target["name"], folder, message["executable"], sep="\t")
' "$ROOT/tests"
}

# end_to_end NAME ARGUMENT…: one of those that need Docker.
end_to_end() {
  local found
  found=$(test_programs | awk -F'\t' -v name="$1" '$1 == "end-to-end" && $2 == name { print $3 "\t" $4 }')
  [ -n "$found" ] || die "there is no test program $1"
  say "tests of ${1}${2:+: ${*:2}}"
  (cd "${found%%$'\t'*}" && "${found#*$'\t'}" "${@:2}")
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

# unit_tests ARGUMENT…: all that need no Docker, as many at once as there are processors since most of the time they wait for
# Python, and the examples in the documentation.
unit_tests() {
  export UNIT_LIST=$CACHE/logs/unit.list
  mkdir -p "$CACHE/logs"
  test_programs | sed -n 's/^unit\t[^\t]*\t//p' >"$UNIT_LIST"
  export -f unit_program
  # A quarter of the programs has no test of its own, and none at all means that the list is wrong.
  [ "$(wc -l <"$UNIT_LIST")" -gt 20 ] || die "there are too few test programs: $(cat "$UNIT_LIST")"
  xargs --arg-file="$UNIT_LIST" --delimiter='\n' --max-procs="$(nproc)" -I{} \
    bash -c 'unit_program "$@"' unit {} "$@" || die "tests failed: see FAILED above"
  cargo test --workspace --doc --quiet
}
