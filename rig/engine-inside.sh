#!/usr/bin/env bash
# Runs in the engine's own mount namespace: makes the tree its root and becomes dockerd.
# Arguments: the tree, the engine's folder, its image store (containerd or classic), then the folders that are to
# have the same path inside.
set -euo pipefail
tree=$1 engine=$2 store=$3
shift 3

# containerd wants its root to be a mount point.
mount --bind "$tree" "$tree"
mount --make-private "$tree"
for dir in proc sys dev; do
  mount --rbind "/$dir" "$tree/$dir"
  mount --make-rslave "$tree/$dir"
done
mount -t tmpfs -o mode=755 tmpfs "$tree/run"
mkdir -p "$tree/var/lib/docker"
mount --bind "$engine/data" "$tree/var/lib/docker"
for dir in "$engine/run" "$@"; do
  mkdir -p "$tree$dir"
  mountpoint -q "$tree$dir" || mount --rbind "$dir" "$tree$dir"
done

cp --remove-destination /etc/resolv.conf "$tree/etc/resolv.conf"
[ ! -f /etc/ssl/certs/ca-certificates.crt ] || cp /etc/ssl/certs/ca-certificates.crt "$tree/etc/ssl/certs/"
# The tests' own authority, for the daemon's Git.
[ ! -f "$CACHE/tls/ca.pem" ] || cat "$CACHE/tls/ca.pem" >>"$tree/etc/ssl/certs/ca-certificates.crt"
# The builder keeps less than it would: the tests are many builds, and each runs once.
cat >"$engine/run/daemon.json" <<JSON
{
  "pidfile": "$engine/run/dockerd.pid",
  "builder": {"gc": {"enabled": true, "defaultKeepStorage": "20GB"}},
  "features": {"containerd-snapshotter": $([ "$store" = classic ] && echo false || echo true)}
}
JSON
# With chroot the machine's own root would stay the namespace's root, and `docker exec` would land there.
cd "$tree"
mkdir -p old-root
pivot_root . old-root
umount --lazy /old-root
rmdir /old-root
exec dockerd --config-file "$engine/run/daemon.json"
