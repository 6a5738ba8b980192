#!/bin/bash
# Pushes the images that build.sh made and pins them by digest: push.sh <repository> <tag> <kustomization.yaml>
#   push.sh registry.example.com/team v1 my-overlay/kustomization.yaml
# The kustomization gets an `images:` list, and installs from then on these very images, whatever becomes of the tag.
set -euo pipefail

if [ $# -ne 3 ]; then
  echo 'usage: push.sh <repository> <tag> <kustomization.yaml>' >&2
  exit 2
fi
repository=$1 tag=$2 kustomization=$3
# docker does not tell the digest of what it pushed.
engine=${CONTAINER_ENGINE:-$(command -v podman || true)}
if [ -z "$engine" ]; then
  echo 'push.sh: podman is not installed (CONTAINER_ENGINE names another program with push --digestfile)' >&2
  exit 1
fi
if ! [ -f "$kustomization" ] || grep -q '^images:' "$kustomization"; then
  echo "push.sh: $kustomization must be a kustomization.yaml without images: of its own" >&2
  exit 1
fi

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
echo 'images:' >"$work/images"
for image in controller runner pod-host; do
  target=$repository/multi-platform-$image
  "$engine" push --digestfile "$work/digest" "localhost/multi-platform-$image:dev" "$target:$tag"
  digest=$(<"$work/digest")
  if ! [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]]; then
    echo "push.sh: $engine said '$digest', which is no digest of $target:$tag" >&2
    exit 1
  fi
  names=("$image")
  # The key server is in the controller's image.
  [ "$image" != controller ] || names+=(otp-server)
  for name in "${names[@]}"; do
    printf '  - { name: multi-platform-%s, newName: %s, digest: "%s" } # %s\n' "$name" "$target" "$digest" "$tag" >>"$work/images"
  done
done
cat "$work/images" >>"$kustomization"
