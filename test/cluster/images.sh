#!/bin/bash
# shellcheck source-path=SCRIPTDIR
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
  # As in the images people run: without it nothing of Tekton is admitted where root is refused.
  buildah config --user 65532:65532 --entrypoint "[\"$3\"]" --cmd '' "$container"
  buildah commit -q --rm "$container" "localhost/$1"
}

build_tekton_images() {
  local program
  for program in controller webhook entrypoint nop workingdirinit events resolvers sidecarlogresults; do
    binary_image "tekton/$program:v$TEKTON" "$CACHE/bin/tekton/$program" "/ko-app/$program"
  done
}

build_coredns_image() { binary_image coredns:1 "$CACHE/bin/coredns" /coredns; }

# busybox_root <folder> <busybox>
busybox_root() {
  local name
  mkdir -p "$1/bin" "$1/etc"
  mkdir -m 1777 "$1/tmp"
  cp "$2" "$1/bin/busybox"
  for name in $(/bin/busybox --list | grep -v '^busybox$'); do ln -s busybox "$1/bin/$name"; done
  echo 'root:x:0:0::/:/bin/sh' >"$1/etc/passwd"
}

# busybox for steps of tests, and the same as the pod sandbox.
build_busybox_images() {
  local container root
  container=$(buildah from scratch)
  root=$(buildah mount "$container")
  busybox_root "$root" /bin/busybox
  buildah umount "$container"
  buildah config --cmd /bin/sh "$container"
  buildah config --user 65532:65532 "$container"
  buildah commit -q "$container" localhost/busybox:1
  buildah config --entrypoint '["/bin/busybox","sleep","999999999"]' --cmd '' "$container"
  buildah commit -q --rm "$container" localhost/pause:1
}

# Where this machine gets this Debian from; it and nobody else is reachable on some machines.
debian_sources() {
  # shellcheck disable=SC2016 # for apt
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' | sort -u |
    awk -v release="$DEBIAN" '$3 == "main" && ($2 == release || $2 == release "-updates" || $2 == release "-security") { print "deb", $1, $2, $3 }'
}

# A Debian under its usual name, so that ordinary Containerfiles (FROM debian:bookworm-slim) build here. Without documentation, as the usual one.
build_debian_image() {
  local root=$CACHE/debian
  rm -rf "$root"
  debootstrap --variant=minbase --include=ca-certificates "$DEBIAN" "$root"
  printf 'path-exclude=/usr/share/%s/*\n' doc man info locale groff lintian linda >"$root/etc/dpkg/dpkg.cfg.d/slim"
  rm -rf "$root"/usr/share/{doc,man,info,locale}/* "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  debian_sources >"$root/etc/apt/sources.list"
  tar -C "$root" -c . | podman import -q - "docker.io/library/debian:$DEBIAN-slim"
  rm -rf "$root"
}

# What an arm64 host needs. busybox is a real arm64 program; the builder has the programs of this machine and plays arm64 (images/arm64), because
# buildah's own helpers for RUN do not survive qemu. What either builds are real arm64 images, and RUN steps run emulated.
build_arm64_images() {
  local container root
  container=$(buildah from --pull-never localhost/builder:1)
  buildah copy -q --chmod 755 "$container" images/arm64/uname /usr/local/bin/uname
  buildah copy -q --chmod 755 "$container" images/arm64/with-arch /usr/local/bin/buildah
  buildah config --arch arm64 "$container"
  buildah commit -q --rm "$container" localhost/builder-arm64:1
  container=$(buildah from scratch)
  root=$(buildah mount "$container")
  unpack_arm64_package busybox-static "$CACHE/busybox-arm64"
  busybox_root "$root" "$CACHE/busybox-arm64/bin/busybox"
  rm -rf "$CACHE/busybox-arm64"
  buildah umount "$container"
  buildah config --arch arm64 --cmd /bin/sh "$container"
  buildah commit -q --rm "$container" localhost/busybox-arm64:1
}

# unpack_arm64_package <package> <folder>: with apt's checks, but beside the machine's own package lists
unpack_arm64_package() {
  local apt=$2/apt
  rm -rf "$2"
  mkdir -p "$apt"/{state/lists/partial,cache/archives/partial}
  debian_sources >"$apt/sources.list"
  local options=(-o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State="$apt/state" -o Dir::State::status=/dev/null
    -o Dir::Cache="$apt/cache" -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=- -o APT::Sandbox::User=root)
  apt-get "${options[@]}" update
  (cd "$apt" && apt-get "${options[@]}" download "$1" && dpkg-deb -x ./*.deb "$2")
}

# folder_image <name>: images/<name>; downloaded packages stay in the cache for the next build
build_options=(--network host --pull=never)
folder_image() { podman build "${build_options[@]}" --volume "$CACHE/apt:/var/cache/apt" -f "images/$1/Containerfile" -t "localhost/$1:1" images; }
build_ssh_host_image() { folder_image ssh-host; }
build_builder_image() { folder_image builder; }
build_pod_host_image() { folder_image pod-host; }
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
busybox_images 3
debian_image $debian
ssh_host_image $debian $(digest images/ssh-host images/builder images/arm64)
builder_image $debian $(digest images/builder)
arm64_images $debian $(digest images/builder images/arm64)
product_images $debian $(cd ../.. && digest dist/controller.mjs dist/otp-server.mjs deploy/images tasks/runner tasks/provider-pod/image)
pod_host_image $debian $(digest images/pod-host images/builder/registries.conf ../../tasks/provider-pod/image)
LIST
