# A private Docker Engine in a folder, from Debian's packages. Sourced by ./dev.
#
# The engine lives in a tree of its own (Debian trixie), is started in a mount namespace of its own,
# and talks on a socket below $ENGINE. So nothing is installed on the machine but mmdebstrap, and when the
# daemon ends no mount is left. `docker` is a wrapper that enters that namespace; the folders a build
# reads ($ROOT, $CACHE, the temporary folder) have the same paths inside.

TREE=$CACHE/engine-tree
# An engine is a folder with its data and its image store, containerd or classic.
ENGINE=$CACHE/engine
ENGINE_STORE=containerd

engine_usable() { docker version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1; }

engine_mirror() {
  local uri
  uri=$(sed -nE 's/^URIs:[[:space:]]*([^[:space:]]+).*/\1/p; s/^deb (\[[^]]*\] )?([^[:space:]]+) .*/\2/p' \
    /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -m1 '/debian/*$')
  printf '%s' "${uri:?no Debian mirror in the sources of apt}"
}

engine_tools() {
  command -v mmdebstrap >/dev/null && return
  apt_install mmdebstrap
}

# The tree is renamed into place when it is whole.
engine_tree() {
  local suite=trixie
  [ -x "$TREE/usr/sbin/dockerd" ] && [ -x "$TREE/usr/bin/ssh" ] && [ -x "$TREE/usr/bin/docker-registry" ] && return
  engine_tools
  say "making a private Docker Engine from Debian $suite's packages"
  rm -rf "$TREE.new"
  quietly engine-tree mmdebstrap --variant=minbase \
    --include=docker.io,docker-cli,docker-buildx,ca-certificates,iptables,git,openssh-client,docker-registry \
    "$suite" "$TREE.new" "$(engine_mirror)"
  rm -rf "$TREE"
  mv "$TREE.new" "$TREE"
}

engine_pid() {
  local pid
  pid=$(cat "$ENGINE/run/dockerd.pid" 2>/dev/null) || return 1
  [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ] && printf '%s' "$pid"
}

engine_start() {
  mkdir -p "$ENGINE/bin" "$ENGINE/run" "$ENGINE/data"
  engine_tree
  engine_wrapper
  export PATH="$ENGINE/bin:$PATH"
  unset DOCKER_HOST DOCKER_CONTEXT
  engine_pid >/dev/null && engine_usable && return
  say "starting the private Docker Engine ($ENGINE_STORE image store)"
  rm -f "$ENGINE/run/dockerd.pid" "$ENGINE/run/docker.sock"
  setsid unshare --mount --propagation slave \
    bash "$ROOT/rig/engine-inside.sh" "$TREE" "$ENGINE" "$ENGINE_STORE" "$ROOT" "$CACHE" "${TMPDIR:-/tmp}" \
    >"$ENGINE/dockerd.log" 2>&1 </dev/null &
  ENGINE_STARTED=1
  local tries=0
  until engine_usable; do
    tries=$((tries + 1))
    [ $tries -lt 150 ] || { tail -n 20 "$ENGINE/dockerd.log" >&2; die "the private Docker Engine does not answer"; }
    sleep 0.2
  done
}

engine_wrapper() {
  cat >"$ENGINE/bin/docker" <<WRAPPER
#!/bin/sh
# Runs the private engine's own client, with the caller's folder and environment.
pid=\$(cat '$ENGINE/run/dockerd.pid') || exit 125
exec nsenter --target "\$pid" --mount --wdns="\$PWD" /usr/bin/docker "\$@"
WRAPPER
  chmod 755 "$ENGINE/bin/docker"
}

# Stops what this run started, by the process id in the daemon's own file.
engine_stop() {
  [ -n "${ENGINE_STARTED:-}" ] || return 0
  local pid
  pid=$(engine_pid) || return 0
  kill "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  ENGINE_STARTED=
}

# engine_move FOLDER STORE PATTERN: goes on with another private engine, which gets the images whose names match.
engine_move() {
  local images
  mapfile -t images < <(docker images --format '{{.Repository}}:{{.Tag}}' | grep -xE "$3")
  docker save --output "$CACHE/images.tar" "${images[@]}"
  engine_stop
  ENGINE=$1 ENGINE_STORE=$2
  export POETRY_BUILDKIT_PRIVATE_ENGINE=$ENGINE
  engine_start
  docker load --quiet --input "$CACHE/images.tar" >/dev/null
  rm "$CACHE/images.tar"
}

# Goes on with a private engine that is new and whose state is in memory, where no disk stalls, if there is enough of it.
engine_in_memory() {
  local free
  free=$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)
  ENGINE_FORGET=/dev/shm/poetry-buildkit-engine
  if [ "${free:-0}" -lt 8000000 ]; then
    say "/dev/shm has less than 8 GB: the engine's state is on disk, so that times say less"
    ENGINE_FORGET=$CACHE/engine-new
  fi
  rm -rf "$ENGINE_FORGET"
  engine_move "$ENGINE_FORGET" containerd 'poetry-buildkit:latest'
  bases_python bookworm 3.11 amd64 arm64
}

# What such an engine leaves.
engine_forget() {
  [ -z "${ENGINE_FORGET:-}" ] || rm -rf "$ENGINE_FORGET"
}
