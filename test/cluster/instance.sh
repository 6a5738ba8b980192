# shellcheck shell=bash disable=SC2034
# Where one cluster instance keeps what outlives its processes, and how that is removed. Sourced after versions.sh.

name_instance() {
  [[ $1 =~ ^[a-z][a-z0-9-]{0,30}$ ]] || fail "'$1' is not a cluster name: lower-case letters, digits and dashes, at most 31 (example: demo)"
  case $CACHE in /var/* | /run/*) fail "the cluster cannot keep its files below /var or /run, which it replaces: set MPC_CLUSTER_CACHE to another folder than $CACHE" ;; esac
  NAME=$1 RUN=$CACHE/run/$1 CGROUP=mpc-$1
}

# port <api|registry>: where it answers on this machine's 127.0.0.1
port() { sed -n "s#^$RUN/$1.sock ##p" "$RUN/ports"; }

# The kubelet wants its root in every hierarchy of cgroup v1, the named systemd one included; with v2 there is one.
make_cgroups() {
  local root=/sys/fs/cgroup hierarchy controller
  if [ -f $root/cgroup.controllers ]; then
    tr ' ' '\n' <$root/cgroup.controllers | while read -r controller; do
      echo "+$controller" >$root/cgroup.subtree_control || true
    done
    mkdir -p "$root/$CGROUP"
    return
  fi
  for hierarchy in "$root"/*/; do
    [ -L "${hierarchy%/}" ] || mkdir -p "$hierarchy$CGROUP"
  done
  for controller in cpus mems; do
    cat $root/cpuset/cpuset.$controller >"$root/cpuset/$CGROUP/cpuset.$controller"
  done
}

# Everything of an instance whose processes are gone. Mounts went with its mount namespace; those that did not are not ours to hide.
remove_leftovers() {
  local folder
  for folder in /sys/fs/cgroup/"$CGROUP" /sys/fs/cgroup/*/"$CGROUP"; do
    if [ ! -d "$folder" ] || [ -L "${folder%/*}" ]; then continue; fi
    # A cgroup is busy for a moment after its last process.
    for _ in {1..50}; do
      find "$folder" -depth -type d -exec rmdir {} + 2>/dev/null || true
      [ -d "$folder" ] || break
      sleep 0.1
    done
    [ ! -d "$folder" ] || echo "warning: $folder is still in use" >&2
  done
  rm -rf --one-file-system "$RUN"
}
