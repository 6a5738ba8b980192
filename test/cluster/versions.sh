# shellcheck shell=bash disable=SC2034
# Which versions make up the test cluster, and where everything it needs is kept. Sourced by the scripts beside it; does nothing by itself.
KUBERNETES=1.35.4
TEKTON=1.15.0
ETCD=3.6.8
CONTAINERD=2.4.2
COREDNS=1.14.7
RUNC=1.5.2
DEBIAN=bookworm

CACHE=${MPC_CLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/multi-platform-cluster}
NODE_ADDRESS=10.200.0.1
REGISTRY=registry.local:5000
# Seconds; an idle machine needs 15.
START_LIMIT=300

fail() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# stage <name> <command …>: one line before, the time after; the output goes to a log that is shown only on failure.
stage() {
  local name=$1 log started=$SECONDS
  shift
  log=$CACHE/log/${name//[^a-z0-9]/-}
  mkdir -p "$CACHE/log"
  printf '%-48s' "$name"
  if "$@" >"$log" 2>&1; then
    echo "$((SECONDS - started)) s"
  else
    echo "failed after $((SECONDS - started)) s, last lines of $log:"
    tail -n 20 "$log" | sed 's/^/  | /'
    return 1
  fi
}

# stamped <name> <wanted>: was this stage finished for exactly these inputs?
stamped() { [ "$(cat "$CACHE/stamp/$1" 2>/dev/null)" = "$2" ]; }
stamp() {
  mkdir -p "$CACHE/stamp"
  printf '%s\n' "$2" >"$CACHE/stamp/$1"
}
