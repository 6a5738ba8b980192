#!/bin/bash
# shellcheck source-path=SCRIPTDIR
# Ends a cluster and removes everything of it, also after its processes died some other way: down.sh <name>
set -euo pipefail
cd "$(dirname "$0")"
. ./versions.sh
. ./instance.sh
name_instance "${1:-}"
mkdir -p "$CACHE/run"
exec 9>"$RUN.lock"
if ! flock -n 9; then
  supervisor=$(cat "$RUN/supervisor" 2>/dev/null || true)
  # The id may belong to somebody else by now; only our own supervisor is told.
  grep -qzF supervise.sh "/proc/$supervisor/cmdline" 2>/dev/null || supervisor=
  [ -z "$supervisor" ] || kill "$supervisor"
  if ! flock -w 30 9; then
    [ -z "$supervisor" ] || kill -KILL "$supervisor"
    flock -w 30 9 || fail "cluster '$NAME' does not end; its supervisor was process ${supervisor:-unknown}"
  fi
fi
remove_leftovers
rm -f "$RUN.out" "$RUN.lock"
