#!/bin/sh
# Host side of update-host: system packages, users that cleanup never reached, dangling images, and a report. Sent after on-host.sh
# and remove-user.sh; the line that follows calls `main`. Never touches a user with a process or with anything new in its home.
# Sent along: STALE_HOURS MIN_FREE_MB UPDATE_PACKAGES
# shellcheck disable=SC2154 # state_dir and lock_wait are on-host.sh's, uid and name remove-user.sh's

our_users() {
  { getent passwd | cut -d: -f1 && ls "$state_dir/users"; } | grep -Ex 'u-[0-9a-f]{28}' | sort -u
}

is_stale() { # name; looked up before
  [ -z "$uid" ] || [ -z "$(process_ids)" ] || return 1
  # Deep enough for what a build touches: its mounts below build/, and podman's storage below .local/share/containers.
  for is_stale_path in "$state_dir/users/$1" "$home"; do
    [ ! -e "$is_stale_path" ] || [ -z "$(find "$is_stale_path" -maxdepth 5 -mmin "-$((STALE_HOURS * 60))" -print -quit)" ] || return 1
  done
}

remove_stale_user() { # name
  # Provisioned or cleaned at this moment: not stale.
  lock_user "$1" 0 || return 0
  known_since=$(stat -c %Y "$state_dir/users/$1" 2>/dev/null)
  look_up "$1"
  # look_up writes down what it found; the age of the record is the user's.
  [ -z "$known_since" ] || touch -d "@$known_since" "$state_dir/users/$1"
  [ -n "$known_since" ] || rm -f "$state_dir/users/$1"
  is_stale "$1" || return 0
  echo "removing $1, left without a process for more than $STALE_HOURS h" >&2
  remove_user "$1"
  printf 'removed %s\n' "$1"
}

remove_stale_users() {
  failed=0
  for stale in $(our_users); do
    (remove_stale_user "$stale") || failed=$((failed + 1))
  done
}

update_packages() {
  case $UPDATE_PACKAGES in
    dnf) ! command -v dnf >/dev/null || dnf update -y >&2 ;;
    apt) DEBIAN_FRONTEND=noninteractive && export DEBIAN_FRONTEND && apt-get update -q -o APT::Update::Error-Mode=any >&2 && apt-get upgrade -y -q >&2 ;;
    *) : ;;
  esac
}

prune_images() {
  command -v podman >/dev/null || return 0
  timeout 300 podman image prune --force >&2 || echo 'podman image prune failed' >&2
}

report() {
  podman=$(podman version --format '{{.Client.Version}}' 2>/dev/null)
  base=$(useradd -D | sed -n 's/^HOME=//p')
  free=$(df -Pk "${base:-/home}" | awk 'NR == 2 { print int($4 / 1024) }')
  printf 'report podman %s, %s MiB free in %s, %s build users\n' "${podman:-missing}" "$free" "${base:-/home}" "$(our_users | wc -l)"
}

main() {
  step 'looking at the host'
  prepare_state
  need_commands userdel getent flock find awk setpriv df stat
  step 'removing stale users'
  remove_stale_users
  forget_old
  step 'removing dangling images'
  prune_images
  step 'updating packages'
  update_packages || fail PackageUpdateFailed "$UPDATE_PACKAGES ended with code $?"
  step 'reporting'
  report
  [ "$failed" -eq 0 ] || fail StaleUsersLeft "$failed stale users could not be removed"
  [ "${free:-0}" -ge "$MIN_FREE_MB" ] || fail NoSpace "${base:-/home} has $free MiB free, $MIN_FREE_MB are needed"
}
