#!/bin/bash
# Runs a command in a mount namespace where the folders of one pod ($1/*) are at the places a pod has them (/ssh, /mp-shared, /workspace …).
set -euo pipefail
pod=$1
shift
for folder in "$pod"/*/; do
  name=$(basename "$folder")
  [ ! -d "/$name" ] || mount --bind "$folder" "/$name"
done
exec "$@"
