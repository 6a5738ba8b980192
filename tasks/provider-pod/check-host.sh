#!/usr/bin/env bash
# Ready means: the port is open, the key is let in by the host we made, podman works, the machine is the one that was asked for, and
# there is room on its disk. Each has a reason of its own.
# shellcheck disable=SC2034,SC2154 # variables of the scripts that are sourced first, and for them
# Sourced by launch-pod.sh.

# Seconds for sshd to listen, packages to be installed before (key tools) included.
: "${START_TIMEOUT:=120}"

# Seconds for the node to bring our key to a pod of an earlier try. Mostly one; some nodes look at Secrets only every minute.
: "${KEY_TIMEOUT:=120}"

# Service: the cluster's own address of it, which needs no name to be resolved; IPv6 by name, because rsync takes no bare one.
find_address() {
  local cluster_ip
  port=22
  case $EXPOSE in
    podIP) address=$pod_ip ;;
    nodePort)
      address=$node_ip
      port=$(jq -r '.spec.ports[0].nodePort' "$work/service")
      ;;
    service)
      cluster_ip=$(jq -r '.spec.clusterIP' "$work/service")
      address=$cluster_ip
      [[ $cluster_ip != *:* ]] || address=$LAUNCH_TOKEN.$HOSTS_NAMESPACE.svc
      ;;
  esac
  known_as=$address
  ((port == 22)) || known_as="[$address]:$port"
}

# The kernel sends its first packet again only after a second, and a new Service swallows what comes before kube-proxy knows it: so each
# try is a connection of its own, with a little more patience than the one before.
try_port() { # address, port, number of the try
  local tenths=$(($3 < 30 ? $3 : 30))
  # shellcheck disable=SC2016 # for the inner shell
  timeout "$((tenths / 10)).$((tenths % 10))" bash -c 'exec 3<>"/dev/tcp/$1/$2"' - "$1" "$2" 2>/dev/null
}

# A pod that ends meanwhile says why.
await_port() { # address, port
  local started=$SECONDS tries=1
  until try_port "$1" "$2" "$tries"; do
    if ((tries++ % 5 == 0)); then
      read_pod
      [[ $phase == Running ]] || explain_end
    fi
    ((SECONDS - started < START_TIMEOUT)) || fail_pod PortClosed "nothing listens on $known_as after $START_TIMEOUT s"
    sleep 0.1
  done
}

# Runs on the host. A line "failed" says what, the others are answers.
host_checks() {
  cat <<'CHECKS'
printf 'home %s\nmachine %s\n' "$HOME" "$(uname -m)"
command -v podman >/dev/null || { echo 'failed NoPodman it has no podman'; exit 0; }
# start-host.sh asks podman, while sshd starts.
until [ -e "$HOME/.multi-platform/podman-code" ]; do sleep 0.05; done
read -r code <"$HOME/.multi-platform/podman-code"
[ "$code" = 0 ] || { printf 'failed PodmanBroken podman info: %s\n' "$(tail -n 1 "$HOME/.multi-platform/podman-said")"; exit 0; }
df -Pk "$HOME" | tail -n 1 | { read -r _ _ _ free _; echo "free $free"; }
echo 'done'
CHECKS
}

run_checks() { # address, port
  local code why pause=1 started=$SECONDS
  SSH_DIR=$work/ssh write_ssh_options
  ssh_options+=(-p "$2" -o "HostKeyAlias=$known_as")
  while :; do
    code=0
    host_checks | timeout --kill-after=5 120 ssh "${ssh_options[@]}" -- "$1" /bin/sh -s >"$work/answer" 2>"$work/said" || code=$?
    ((code != 0)) || return 0
    ((code != 124 && code != 137)) || fail_pod HostTimeout 'it did not answer within 120 s'
    why=$(why_ssh_failed "$(<"$work/said")")
    if [[ $adopted == false || $why != AuthenticationFailed ]] || ((SECONDS - started >= KEY_TIMEOUT)); then
      fail_pod "$why" "ssh $USER@$known_as: $(last_line "$work/said")"
    fi
    ((pause > 1)) || log "host $LAUNCH_TOKEN does not know our key yet"
    sleep "$pause"
    # sshd of OpenSSH 9.8 and newer shuts out who is refused faster than every five seconds.
    pause=5
  done
}

check_host() {
  local free wanted failure way=("$address" "$port")
  # It takes kube-proxy a moment to know a new Service; the pod itself can be looked at meanwhile.
  [[ $EXPOSE != service || $away == true || $pod_ip == *:* ]] || way=("$pod_ip" "$pod_port")
  await_port "${way[@]}"
  run_checks "${way[@]}"
  home=$(answer home)
  [[ $home =~ ^/[A-Za-z0-9._/@+-]{1,255}$ ]] || fail_pod ImageUnsuitable "the home of $USER is '$home', which is no usable path"
  failure=$(answer failed)
  [[ -z $failure ]] || fail_pod "${failure%% *}" "${failure#* }"
  [[ $(answer machine) == "$machine" ]] || fail_pod WrongArchitecture "its machine is $(answer machine), platform $PLATFORM is $machine"
  free=$(answer free)
  wanted=$(numfmt --from=auto "$MIN_DISK")
  ((${free:-0} * 1024 >= wanted)) || fail_pod NoSpace "its disk has $((${free:-0} / 1024)) MiB free, min-disk is $MIN_DISK"
  [[ $(last_line "$work/answer") == 'done' ]] || fail_pod HostUnreachable 'the checks on it did not end'
  await_port "$address" "$port"
}
