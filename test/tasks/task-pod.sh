#!/bin/bash
# Runs a step of a Task as in its pod: read-only root filesystem, /tmp in memory, a uid without any capability.
#   task-pod.sh <folder> <uid> <command…>    run-task.ts starts it in new mount and pid namespaces
# The folder holds files/ (laid over the root), results/ (where the step writes them) and env (NUL-separated, the step's whole environment).
set -euo pipefail
dir=$1 uid=$2
shift 2
mount --make-rprivate /
mapfile -d '' -t environment <"$dir/env"
memory=$dir/memory
mkdir "$memory"
mount -t tmpfs tmpfs "$memory"
mkdir "$memory/root"
cp -r "$dir/files" "$memory/files"
mkdir -p "$memory"/files/{tmp,proc,dev,tekton/results}
mount -t overlay overlay -o "lowerdir=$memory/files:/" "$memory/root"
mount -t tmpfs -o mode=1777,size=16m tmpfs "$memory/root/tmp"
mount -t proc proc "$memory/root/proc"
mount --rbind /dev "$memory/root/dev"
mount --bind "$dir/results" "$memory/root/tekton/results"
exec chroot "$memory/root" setpriv --reuid="$uid" --regid="$uid" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \
  env -i -C / "${environment[@]}" "$@"
