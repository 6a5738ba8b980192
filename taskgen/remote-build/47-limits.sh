# shellcheck shell=sh disable=SC2034,SC2154 # variables cross the parts
# Limits of CPU and memory, on the host. Where podman's user has no say over the cgroup of its containers, podman refuses a limit or fails with
# it; there the build runs without, and says so.

mp_host_limits() { # CONTROLLER OPTION
  case " $(mp_host_podman info --format '{{range .Host.CgroupControllers}}{{.}} {{end}}' 2>/dev/null)" in *" $1 "*) return 0 ;; esac
  mp_host_say "podman cannot limit the $1 of containers for this user on this host: $2 has no effect"
  return 1
}

mp_host_can() { # podman-argument
  case $1 in
    --cpus=*) mp_host_limits cpu "$1" ;;
    --memory=*) mp_host_limits memory "$1" ;;
  esac
}
