#!/bin/bash
# shellcheck source-path=SCRIPTDIR
# Makes the images the test cluster needs, without any image registry, in an image storage of the cache's own: images.sh [<image>]
# From the binaries built before, from busybox-static, and from a Debian that debootstrap installs. Getting them to the node is store.sh's.
set -euo pipefail
cd "$(dirname "$0")"
. ./versions.sh
. ./storage.sh
. ./emulation.sh

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

# debian_root <folder> <architecture>: without documentation, like the image everybody knows.
debian_root() {
  rm -rf "$1"
  debootstrap --arch="$2" --variant=minbase --include=ca-certificates "$DEBIAN" "$1"
  printf 'path-exclude=/usr/share/%s/*\n' doc man info locale groff lintian linda >"$1/etc/dpkg/dpkg.cfg.d/slim"
  rm -rf "$1"/usr/share/{doc,man,info,locale}/* "$1"/var/cache/apt/*.bin "$1"/var/cache/apt/archives/*.deb "$1"/var/lib/apt/lists/*
  {
    echo "deb http://deb.debian.org/debian $DEBIAN main"
    echo "deb http://deb.debian.org/debian $DEBIAN-updates main"
    echo "deb http://deb.debian.org/debian-security $DEBIAN-security main"
  } >"$1/etc/apt/sources.list"
}

# debian_image <architecture> <image>
debian_image() {
  local root=$CACHE/debian-$1
  debian_root "$root" "$1"
  tar -C "$root" -c . | podman import -q --os linux --arch "$1" - "$2"
  rm -rf "$root"
}

# Under its usual name, so that ordinary Containerfiles (FROM debian:bookworm-slim) build here.
build_debian_image() { debian_image amd64 "docker.io/library/debian:$DEBIAN-slim"; }

# The same for arm64, and the builder on it. Emulated: their package scripts run through qemu, in a mount namespace that remembers it.
build_arm64_images() {
  [ "${EMULATED:-}" ] || EMULATED=1 exec unshare --mount bash images.sh arm64_images
  emulate_arm64
  debian_image arm64 "docker.io/arm64v8/debian:$DEBIAN-slim"
  folder_image builder-arm64:1 images/builder --platform linux/arm64 --from "docker.io/arm64v8/debian:$DEBIAN-slim"
}

# folder_image <image> <folder> [more options]: downloaded packages stay in the cache for the next build
build_options=(--network host --pull=never)
folder_image() { podman build "${build_options[@]}" --volume "$CACHE/apt:/var/cache/apt" -t "localhost/$1" "${@:2}"; }
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
arm64_images $debian $(digest images/builder)
product_images $debian $(cd ../.. && digest dist/controller.mjs deploy/images tasks/runner)
LIST
