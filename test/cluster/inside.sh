#!/bin/bash
# Runs a command inside a cluster's namespaces: inside.sh <process that made them> <command …>. For looking around: inside.sh "$(cat …/run/demo/namespaces)" bash
set -euo pipefail
cd "$(dirname "$0")"
. ./versions.sh
# Process 1 of the cluster is the only child of the one that made the namespaces.
first=$(cut -d' ' -f1 "/proc/$1/task/$1/children" 2>/dev/null || true)
[ -n "$first" ] || fail "process $1 has made no namespaces, or ended"
shift
exec nsenter --target "$first" --net --mount --pid env PATH="$CACHE/bin:$PATH" CONTAINERD_ADDRESS=/run/containerd/containerd.sock CONTAINERD_NAMESPACE=k8s.io "$@"
