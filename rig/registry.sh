# A registry on loopback, for what pushes and pulls. Sourced by ./dev.

REGISTRY_PORT=5099

# Starts it empty, and names it and its access log in BENCH_REGISTRY and BENCH_REGISTRY_LOG.
registry_start() {
  local folder=$ENGINE/registry tries=0
  ! (: <"/dev/tcp/127.0.0.1/$REGISTRY_PORT") 2>/dev/null || die "the registry needs the port $REGISTRY_PORT, which is in use"
  rm -rf "$folder"
  mkdir -p "$folder"
  cat >"$folder/config.yml" <<YAML
version: 0.1
log: {level: error, accesslog: {disabled: false}}
storage: {filesystem: {rootdirectory: $folder/data}}
http: {addr: 127.0.0.1:$REGISTRY_PORT}
YAML
  if [ -n "${OWN_ENGINE:-}" ]; then
    nsenter --target "$(engine_pid)" --mount --wdns=/ /usr/bin/docker-registry serve "$folder/config.yml" >"$folder/log" 2>&1 &
    REGISTRY_PID=$!
  else
    docker rm --force poetry-buildkit-registry >/dev/null 2>&1 || true
    docker run --detach --rm --name poetry-buildkit-registry --publish "127.0.0.1:$REGISTRY_PORT:5000" registry:2 >/dev/null
    docker logs --follow poetry-buildkit-registry >"$folder/log" 2>&1 &
  fi
  until (: <"/dev/tcp/127.0.0.1/$REGISTRY_PORT") 2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || { cat "$folder/log" >&2; die "the registry does not answer"; }
    sleep 0.1
  done
  export BENCH_REGISTRY=127.0.0.1:$REGISTRY_PORT BENCH_REGISTRY_LOG=$folder/log
}

registry_stop() {
  if [ -n "${REGISTRY_PID:-}" ]; then
    kill "$REGISTRY_PID" && wait "$REGISTRY_PID" || true
    REGISTRY_PID=
  elif [ -n "${BENCH_REGISTRY:-}" ]; then
    docker stop poetry-buildkit-registry >/dev/null
  fi
  unset BENCH_REGISTRY BENCH_REGISTRY_LOG
}
