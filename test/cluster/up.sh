#!/bin/bash
# shellcheck source-path=SCRIPTDIR
# Starts a cluster that stays until down.sh ends it: up.sh <name>. Prints how to reach it.
set -euo pipefail
cd "$(dirname "$0")"
. ./versions.sh
. ./instance.sh
name_instance "${1:-}"
[ "$(id -u)" = 0 ] || fail "a cluster of its own needs root (namespaces, mounts); run it with sudo, or use the cluster of your kubeconfig"
[ -d "$CACHE/store/current/" ] || fail "the cluster is not built yet: run sh test/setup.sh"
[ ! -e "$RUN/ready" ] || flock -n "$RUN.lock" true 2>/dev/null || fail "cluster '$NAME' is up already: KUBECONFIG=$RUN/admin.kubeconfig"

mkdir -p "$CACHE/run"
setsid bash supervise.sh "$NAME" --detached </dev/null >"$RUN.out" 2>&1 &
supervisor=$!
trap 'kill "$supervisor"; wait "$supervisor"; rm -f "$RUN.out"; exit 130' INT TERM
until [ -e "$RUN/ready" ] && [ -e "$RUN/admin.kubeconfig" ]; do
  if ! kill -0 "$supervisor" 2>/dev/null; then
    cat "$RUN.out" >&2
    rm -f "$RUN.out"
    exit 1
  fi
  if [ "$SECONDS" -gt "$START_LIMIT" ]; then
    kill "$supervisor"
    fail "cluster '$NAME' is not ready after $SECONDS s; how far it came: $(tail -n 1 "$RUN/log/start" 2>/dev/null)"
  fi
  sleep 0.2
done
cat <<T
cluster '$NAME' is up after $SECONDS s
  export KUBECONFIG=$RUN/admin.kubeconfig PATH=$CACHE/bin:\$PATH
  registry: $REGISTRY inside, 127.0.0.1:$(port registry) (plain http) here
T
