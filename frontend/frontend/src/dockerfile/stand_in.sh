#!/bin/sh
# poetry-buildkit has installed the packages of this image without Poetry. This stands in Poetry's place.

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

decline() {
  fail "poetry $*: this image has no Poetry, as poetry-buildkit has installed its packages." \
    "It has \`poetry run\`, \`poetry env info\` and \`poetry version\`." \
    "To keep Poetry, write \"# poetry-buildkit: off\" above the instruction that installs it."
}

while :; do
  case ${1-} in
    -q | --quiet | -v | -vv | -vvv | --verbose | -n | --no-interaction | --ansi | --no-ansi | --no-plugins | --no-cache) shift ;;
    *) break ;;
  esac
done
case ${1-} in
  -V | --version)
    echo @version@
    exit
    ;;
  run | version) ;;
  env) [ "${2-}" = info ] || decline "$@" ;;
  *) decline "$@" ;;
esac

folder=$(pwd -P)
until [ -f "$folder/pyproject.toml" ]; do
  [ -n "$folder" ] || fail "Poetry could not find a pyproject.toml file in $(pwd -P) or its parents"
  folder=${folder%/*}
done
case ${folder:-/} in
  @projects@
  *) decline "$1: nothing is installed for the project in ${folder:-/}" ;;
esac
if [ -n "${VIRTUAL_ENV:-}" ]; then
  environment=$VIRTUAL_ENV python=$VIRTUAL_ENV/bin/python
fi

case $1 in
  run)
    shift
    case ${1-} in
      '') fail 'Not enough arguments (missing: "args")' ;;
      -*) decline "run $*" ;;
    esac
    if [ -n "$environment" ]; then
      export VIRTUAL_ENV="$environment" PATH="$environment/bin:$PATH"
      unset PYTHONHOME __PYVENV_LAUNCHER__
    fi
    # Another pip would install into another environment.
    if [ "$1" = pip ]; then
      shift
      set -- "$python" -m pip "$@"
    fi
    command -v "$1" >/dev/null || fail "Command not found: $1"
    exec "$@"
    ;;
  env)
    case ${3-} in
      -p | --path)
        [ -n "$environment" ] || exit 1
        printf '%s\n' "$environment"
        ;;
      -e | --executable)
        [ -n "$environment" ] || exit 1
        printf '%s\n' "$python"
        ;;
      '')
        exec "$python" -c 'import os, platform, sys
path, program = sys.argv[1:] if sys.argv[1] else ("NA", "NA")
print(f"""
Virtualenv
Python:         {platform.python_version()}
Implementation: {platform.python_implementation()}
Path:           {path}
Executable:     {program}""")
if sys.argv[1]:
    print("Valid:          True")
print(f"""
Base
Platform:   {sys.platform}
OS:         {os.name}
Python:     {platform.python_version()}
Path:       {sys.base_prefix}
Executable: {os.path.realpath(sys._base_executable)}""")' "$environment" "$python"
        ;;
      *) decline "$@" ;;
    esac
    ;;
  version)
    case ${2-} in
      '' | -s | --short) ;;
      *) decline "$@" ;;
    esac
    "$python" -c 'import sys, tomllib
with open(sys.argv[1], "rb") as file:
    document = tomllib.load(file)
tables = [document.get("project", {}), document.get("tool", {}).get("poetry", {})]
name, version = (next((table[key] for table in tables if key in table), None) for key in ("name", "version"))
if version is None:
    sys.exit(1)
print(version if sys.argv[2] else f"{name} {version}")' "$folder/pyproject.toml" "${2-}" 2>/dev/null ||
      decline "version: the version is not in pyproject.toml, or this Python reads no TOML"
    ;;
esac
