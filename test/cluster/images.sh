#!/bin/bash
# Makes the images the test cluster needs, without any image registry, in an image storage of the cache's own: images.sh [<image>]
# From the binaries built before, from busybox-static, and from a Debian that debootstrap installs. Getting them to the node is store.sh's.
set -euo pipefail
cd "$(dirname "$0")"
. ./versions.sh
. ./storage.sh

# binary_image <image> <binary> <path inside>
binary_image() {
  local container
  container=$(buildah from scratch)
  buildah copy -q "$container" "$2" "$3"
  buildah config --entrypoint "[\"$3\"]" --cmd '' "$container"
  buildah commit -q --rm "$container" "localhost/$1"
}

build_tekton_images() {
  local program
  for program in controller webhook entrypoint nop workingdirinit events resolvers sidecarlogresults; do
    binary_image "tekton/$program:v$TEKTON" "$CACHE/bin/tekton/$program" "/ko-app/$program"
  done
}

build_coredns_image() { binary_image coredns:1 "$CACHE/bin/coredns" /coredns; }

# busybox for steps of tests, and the same as the pod sandbox.
build_busybox_images() {
  local container root name
  container=$(buildah from scratch)
  root=$(buildah mount "$container")
  mkdir -p "$root/bin" "$root/etc"
  mkdir -m 1777 "$root/tmp"
  cp /bin/busybox "$root/bin/busybox"
  for name in $(/bin/busybox --list | grep -v '^busybox$'); do ln -s busybox "$root/bin/$name"; done
  echo 'root:x:0:0::/:/bin/sh' >"$root/etc/passwd"
  buildah umount "$container"
  buildah commit -q "$container" localhost/busybox:1
  buildah config --entrypoint '["/bin/busybox","sleep","999999999"]' "$container"
  buildah commit -q --rm "$container" localhost/pause:1
}

# A Debian under its usual name, so that ordinary Containerfiles (FROM debian:bookworm-slim) build here. Without documentation, as the usual one.
build_debian_image() {
  local root=$CACHE/debian
  rm -rf "$root"
  debootstrap --variant=minbase --include=ca-certificates $DEBIAN "$root"
  printf 'path-exclude=/usr/share/%s/*\n' doc man info locale groff lintian linda >"$root/etc/dpkg/dpkg.cfg.d/slim"
  rm -rf "$root"/usr/share/{doc,man,info,locale}/* "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  {
    echo "deb http://deb.debian.org/debian $DEBIAN main"
    echo "deb http://deb.debian.org/debian $DEBIAN-updates main"
    echo "deb http://deb.debian.org/debian-security $DEBIAN-security main"
  } >"$root/etc/apt/sources.list"
  tar -C "$root" -c . | podman import -q - docker.io/library/debian:$DEBIAN-slim
  rm -rf "$root"
}

# folder_image <image> <folder>: downloaded packages stay in the cache for the next build
build_options=(--network host --pull=never)
folder_image() { podman build "${build_options[@]}" --volume "$CACHE/apt:/var/cache/apt" -t "localhost/$1" "$2"; }
build_ssh_host_image() { folder_image ssh-host:1 images/ssh-host; }
build_builder_image() { folder_image builder:1 images/builder; }
build_product_images() { CONTAINER_ENGINE=podman bash ../../deploy/images/build.sh "${build_options[@]}"; }

if [ $# = 1 ]; then
  "build_$1"
  exit
fi
mkdir -p "$CACHE/apt/archives/partial"
prepare_storage
PATH=$PWD/../../node_modules/.bin:$PATH node ../../deploy/images/bundle.ts
debian=$DEBIAN-1
while read -r name inputs; do
  stamped "image-$name" "$inputs" && continue
  stage "image $name" bash images.sh "$name"
  stamp "image-$name" "$inputs"
done <<LIST
tekton_images $TEKTON
coredns_image $COREDNS
busybox_images 1
debian_image $debian
ssh_host_image $debian $(digest images/ssh-host)
builder_image $debian $(digest images/builder)
product_images $debian $(cd ../.. && digest dist/controller.mjs deploy/images tasks/runner)
LIST
