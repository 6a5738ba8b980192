#!/bin/bash
# shellcheck source-path=SCRIPTDIR disable=SC2317
# Owns one running cluster, from before its first file until after its last: supervise.sh <name> [--detached]
# It ends the cluster when it is told to (TERM, INT), when the cluster breaks, and, unless detached, when its standard input closes: whoever started
# it holds the other end and may die any way it likes. If this process itself is killed, the kernel ends the cluster; `down.sh` removes its files.
set -euo pipefail
cd "$(dirname "$0")"
. ./versions.sh
. ./instance.sh
. ./clone.sh
name_instance "${1:-}"
export PATH=$PWD/../../node_modules/.bin:$PATH

mkdir -p "$CACHE/run"
exec 9>"$RUN.lock"
# The second half: down.sh may have removed the file in between, and a lock on a removed file keeps nobody out.
{ flock -n 9 && [ "$RUN.lock" -ef /proc/self/fd/9 ]; } || fail "a cluster named '$NAME' is running; end it with test/cluster/down.sh $NAME"
remove_leftovers

end_cluster() {
  trap - EXIT
  trap '' TERM INT
  if [ -n "${cluster:-}" ]; then
    kill -KILL "$cluster" 2>/dev/null || true
    wait "$cluster" 2>/dev/null || true
  fi
  # shellcheck disable=SC2086
  kill ${forwarder:-} ${lifeline:-} 2>/dev/null || true
  # Process 1 of the cluster holds the lock as well: once nobody but us has it, every process is gone.
  exec 9>&-
  exec 9>"$RUN.lock"
  flock -w 30 9 || fail "processes of cluster '$NAME' are still there after 30 s"
  [ ! -e "$RUN/died" ] || report_death
  remove_leftovers
  rm -f "$RUN.lock"
}

report_death() {
  local component
  read -r component _ <"$RUN/died"
  echo "cluster '$NAME': $(cat "$RUN/died"); the end of its log:" >&2
  tail -n 15 "$RUN/log/$component" | cut -c1-300 >&2
}

trap end_cluster EXIT
trap 'exit 0' TERM INT HUP
mkdir -p "$RUN"
echo $$ >"$RUN/supervisor"
if [ "${2:-}" != --detached ]; then
  cat >/dev/null <&0 9>&- &
  lifeline=$!
fi
# 9>&- everywhere but for the cluster itself: the lock must say what the cluster does.
bash pki.sh "$RUN/pki" 9>&-
{
  flock -s 8
  clone_folder "$CACHE/store/current" "$RUN/containerd" '*.db'
  clone_folder "$CACHE/registry" "$RUN/registry" link
} 8>"$CACHE/.lock" 9>&-
make_cgroups
setpriv --pdeathsig KILL unshare --net --mount --pid --fork --mount-proc --kill-child bash node.sh "$RUN" "$CGROUP" </dev/null >"$RUN/node.log" 2>&1 &
cluster=$!
echo "$cluster" >"$RUN/namespaces"
setpriv --pdeathsig KILL node forward.ts "127.0.0.1:0=$RUN/api.sock" "127.0.0.1:0=$RUN/registry.sock" </dev/null >"$RUN/ports" 2>>"$RUN/node.log" 9>&- &
forwarder=$!
until [ "$(wc -l <"$RUN/ports")" = 2 ]; do
  kill -0 "$forwarder" 2>/dev/null || fail "the forwarder ended: $(tail -n 3 "$RUN/node.log")"
  sleep 0.05
done
sed "s/127.0.0.1:6443/127.0.0.1:$(port api)/" "$RUN/pki/admin.kubeconfig" >"$RUN/admin.kubeconfig"
# In one piece, so that nothing of this file is read after hours of waiting, when it may be another version.
{
  wait -n || true
  exit
}
