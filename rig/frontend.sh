# The frontend image, built by Dockerfile.frontend in the engine at hand. Sourced by ./dev.

# What a build needs to reach the network from here: the machine's own certificates, where it has some.
network_options() {
  if [ -n "${SSL_CERT_FILE:-}" ]; then printf '%s\n' --secret "id=ca-bundle,src=$SSL_CERT_FILE"; fi
}

frontend_image() {
  local options
  mapfile -t options < <(network_options)
  say "building the frontend image (the first time takes some minutes)"
  quietly frontend-image docker buildx build -f "$ROOT/Dockerfile.frontend" "${options[@]}" --provenance=false \
    -t poetry-buildkit "$ROOT"
}
