#!/bin/bash
# shellcheck source-path=SCRIPTDIR
# Runs a command inside a running cluster's namespaces: inside.sh <name> <command …>
set -euo pipefail
cd "$(dirname "$0")"
. ./versions.sh
. ./instance.sh
name_instance "${1:-}"
shift
# Process 1 of the cluster is the only child of the one that made the namespaces.
namespaces=$(cat "$RUN/namespaces" 2>/dev/null) || fail "no cluster named '$NAME' is up: start it with test/cluster/up.sh $NAME"
first=$(cut -d' ' -f1 "/proc/$namespaces/task/$namespaces/children" 2>/dev/null || true)
[ -n "$first" ] || fail "cluster '$NAME' has ended; remove what is left with test/cluster/down.sh $NAME"
exec nsenter --target "$first" --net --mount --pid env PATH="$CACHE/bin:$PATH" CONTAINERD_ADDRESS=/run/containerd/containerd.sock CONTAINERD_NAMESPACE=k8s.io "$@"
