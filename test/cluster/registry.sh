#!/bin/bash
# shellcheck source-path=SCRIPTDIR
# What every cluster's registry holds from the start: base and builder images, for both architectures where there are both.
# Decides nothing about how the registry runs in a cluster: registry.sh, then the supervisor clones the folder.
set -euo pipefail
cd "$(dirname "$0")"
. ./versions.sh
. ./storage.sh

# <name in the registry> <images of the storage that make it up …>
content() {
  echo "builder:1 localhost/builder:1 localhost/builder-arm64:1"
  echo "debian:$DEBIAN-slim docker.io/library/debian:$DEBIAN-slim"
  echo "busybox:1 localhost/busybox:1 localhost/busybox-arm64:1"
}

# As process 1 of namespaces of its own, so that the registry ends with it.
push_content() {
  local name images image index
  ip link set lo up
  printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:5000"}\n' "$1" >"$1/config.yaml"
  docker-registry serve "$1/config.yaml" &
  until curl -fs http://127.0.0.1:5000/v2/ >/dev/null; do sleep 0.1; done
  content | while read -r name images; do
    index=localhost/index-$name
    podman manifest rm "$index" 2>/dev/null || true
    podman manifest create "$index"
    for image in $images; do podman manifest add "$index" "containers-storage:$image"; done
    podman manifest push --all --tls-verify=false "$index" "docker://127.0.0.1:5000/$name"
    podman manifest rm "$index"
  done
  rm "$1/config.yaml"
}

make_content() {
  rm -rf "$CACHE/registry.new"
  mkdir "$CACHE/registry.new"
  unshare --net --mount --pid --fork --kill-child bash registry.sh push "$CACHE/registry.new"
  rm -rf "$CACHE/registry"
  mv "$CACHE/registry.new" "$CACHE/registry"
}

if [ "${1:-}" = push ]; then
  push_content "$2"
  exit
fi
wanted=$(podman images --no-trunc --format '{{.ID}} {{.Repository}}:{{.Tag}}' | grep -F "$(content | tr ' ' '\n' | grep /)" | sort | sha256sum)
stamped registry "$wanted" && exit
stage "registry content" make_content
stamp registry "$wanted"
