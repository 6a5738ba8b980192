#!/bin/bash
# shellcheck source-path=SCRIPTDIR
# Unpacks all images of the cache's image storage into a containerd store that clusters start from: store.sh
# A store is never changed once it is finished; a change of images makes another one, from the last, with only what is new.
set -euo pipefail
cd "$(dirname "$0")"
. ./versions.sh
. ./storage.sh
. ./clone.sh
STORES=$CACHE/store

# <image id> <name>, sorted. Debian itself is only a base; what is for arm64 goes to the registry, for hosts.
wanted_images() { podman images --no-trunc --format '{{.ID}} {{.Repository}}:{{.Tag}}' | grep ' localhost/' | grep -v -e '-arm64:' | sort -u; }

# As process 1 of a namespace of its own, so that nothing of containerd outlives it.
import_images() {
  local store=$1 name socket=/run/containerd/containerd.sock
  mount --make-rprivate / && mount -t tmpfs tmpfs /run
  printf 'version = 3\nroot = "%s"\nstate = "/run/containerd"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n' "$store" >/run/containerd.toml
  "$CACHE/bin/containerd" -c /run/containerd.toml >"$CACHE/log/containerd-import" 2>&1 &
  until "$CACHE/bin/ctr" -a $socket version >/dev/null 2>&1; do sleep 0.1; done
  while read -r _ name; do
    echo "importing $name"
    podman save -q "$name" | "$CACHE/bin/ctr" -a $socket -n k8s.io image import --local - >/dev/null
  done
  kill %1
  wait %1 || true
}

make_store() {
  local store=$STORES/new previous=$STORES/current
  rm -rf "$store"
  if [ -d "$previous" ]; then clone_folder "$previous" "$store" '*.db'; else mkdir -p "$store"; fi
  touch "$store/images"
  comm -13 "$store/images" "$1" >"$1.new"
  unshare --mount --pid --fork --kill-child bash "$PWD/store.sh" import "$store" <"$1.new"
  cp "$1" "$store/images"
  mv "$store" "$STORES/$2"
  ln -sfn "$2" "$STORES/current"
}

case ${1:-} in
  import) import_images "$2" ;;
  '')
    mkdir -p "$STORES"
    list=$(mktemp -p "$STORES")
    trap 'rm -f "$list" "$list.new"' EXIT
    wanted_images >"$list"
    key=$(sha256sum <"$list" | cut -c1-16)
    [ "$(readlink "$STORES/current" || true)" = "$key" ] && exit
    stage "import images" make_store "$list" "$key"
    # A clone has links of its own, so an older store can go even while a cluster made from it runs.
    find "$STORES" -mindepth 1 -maxdepth 1 -type d ! -name "$key" -exec rm -rf {} +
    ;;
esac
