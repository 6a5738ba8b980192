#!/bin/bash
# Pushes the images that build.sh made and pins them by digest: push.sh <repository> <tag> <kustomization.yaml>…
#   push.sh registry.example.com/team v1 my-overlay/kustomization.yaml my-drain/kustomization.yaml
# Each kustomization gets an `images:` list, and installs from then on these very images, whatever becomes of the tag.
set -euo pipefail

fail() {
  echo "push.sh: $*" >&2
  exit 1
}

if [ $# -lt 3 ]; then
  echo 'usage: push.sh <repository> <tag> <kustomization.yaml>…' >&2
  exit 2
fi
repository=$1 tag=$2
shift 2
# docker does not tell the digest of what it pushed.
engine=${CONTAINER_ENGINE:-$(command -v podman || true)}
[ -n "$engine" ] || fail 'podman is not installed (CONTAINER_ENGINE names another program with push --digestfile)'
for kustomization in "$@"; do
  if ! [ -f "$kustomization" ] || grep -q '^images:' "$kustomization"; then
    fail "$kustomization must be a kustomization.yaml without images: of its own"
  fi
done

# Before anything is pushed: what an image was built on has to be as certain as the image itself.
for image in controller runner pod-host; do
  base=$("$engine" image inspect --format '{{index .Config.Labels "org.opencontainers.image.base.name"}}' "localhost/multi-platform-$image:dev")
  [[ $base =~ @sha256:[0-9a-f]{64}$ ]] ||
    fail "multi-platform-$image was built on '$base', which may be another image tomorrow: build with BASE_IMAGE=<name>@sha256:<digest> deploy/images/build.sh"
done

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
echo 'images:' >"$work/images"
for image in controller runner pod-host; do
  target=$repository/multi-platform-$image
  "$engine" push --digestfile "$work/digest" "localhost/multi-platform-$image:dev" "$target:$tag"
  digest=$(<"$work/digest")
  [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || fail "$engine said '$digest', which is no digest of $target:$tag"
  names=("$image")
  # The key server is in the controller's image.
  [ "$image" != controller ] || names+=(otp-server)
  for name in "${names[@]}"; do
    printf '  - { name: multi-platform-%s, newName: %s, digest: "%s" } # %s\n' "$name" "$target" "$digest" "$tag" >>"$work/images"
  done
done
for kustomization in "$@"; do cat "$work/images" >>"$kustomization"; done
