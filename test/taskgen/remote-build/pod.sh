#!/bin/bash
# Runs the build step of one pod: its folders ($1/volumes/*) at the places a pod has them (/ssh, /mp-shared, /workspace …), exactly the environment
# and the arguments listed in $1/env and $1/args (each ended by NUL), as uid $2. Decides nothing about the step.
set -euo pipefail
pod=$1 uid=$2
for folder in "$pod"/volumes/*/; do
  chown -R "$uid" "$folder"
  mount --bind "$folder" "/$(basename "$folder")"
done
mapfile -d '' -t variables <"$pod/env"
mapfile -d '' -t arguments <"$pod/args"
cd /
exec setpriv --reuid "$uid" --regid "$uid" --clear-groups env -i "${variables[@]}" "$pod/step" "${arguments[@]}"
