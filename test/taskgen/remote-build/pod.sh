#!/bin/bash
# Runs the build step of one pod: its folders ($1/volumes/*) at the places a pod has them (/ssh, /mp-shared, /workspace …), those listed in
# $1/mounted as mounts of their own, exactly the environment and the arguments listed in $1/env and $1/args (each ended by NUL), as uid $2. Decides nothing about the step.
set -euo pipefail
pod=$1 uid=$2
for folder in "$pod"/volumes/*/; do
  chown -R "$uid" "$folder"
  mount --bind "$folder" "/$(basename "$folder")"
done
while IFS= read -r line; do
  folder=${line% ro}
  mount --bind "$folder" "$folder"
  [ "$folder" = "$line" ] || mount -o remount,bind,ro "$folder"
done <"$pod/mounted"
mapfile -d '' -t arguments <"$pod/args"
cd /
# As a kubelet does it: no value is ever an argument of a process, not even for a moment, and names may be ones no shell takes.
# shellcheck disable=SC2016
exec setpriv --reuid "$uid" --regid "$uid" --clear-groups perl -e '
  open my $file, "<", shift or die "cannot read the environment: $!";
  local $/ = "\0";
  %ENV = map { chomp; split /=/, $_, 2 } <$file>;
  exec { $ARGV[0] } @ARGV or die "cannot run the step: $!";
' "$pod/env" "$pod/step" "${arguments[@]}"
