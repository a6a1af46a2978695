# Shared by ./dev and the scripts of this folder. Sourced, not run.
[ "${BASH_VERSINFO[0]}" -ge 5 ] || { echo "error: ./dev needs bash 5 or later, and this is $BASH_VERSION" >&2; exit 1; }
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# What is expensive to make (engine trees, base images, wheels) outlives a clone.
CACHE=${POETRY_BUILDKIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/poetry-buildkit}
export ROOT CACHE POETRY_BUILDKIT_CACHE=$CACHE

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Runs a command quietly; shows its output only if it fails. $1 is the log's name.
quietly() {
  local log="$CACHE/logs/$1.log"
  shift
  mkdir -p "$CACHE/logs"
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 40 "$log" >&2
    die "'$*' failed; the whole log is in $log"
  fi
}

# apt_install PACKAGE...: installs Debian packages, with the lists brought up to date if they are too old for it.
apt_install() {
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@")
  say "installing $*"
  "${install[@]}" >/dev/null 2>&1 && return
  quietly apt-update apt-get update
  quietly "apt-$1" "${install[@]}"
}

# needs_room GB FOLDER...: says so where a folder's disk has less free than what follows may need.
needs_room() {
  local gb=$1 folder free
  shift
  for folder in "$@"; do
    mkdir -p "$folder"
    free=$(df --output=avail -BG "$folder" | tail -n 1 | tr -dc 0-9)
    [ "$free" -ge "$gb" ] || say "WARNING: $folder has $free GB free, and this may need $gb GB"
  done
}

# A short name for everything a thing is made from; the thing is made anew when it changes.
fingerprint() { cat "$@" | sha256sum | cut -c1-16; }
