#!/bin/sh
# Host side of update-host: users that cleanup never reached, dangling images, system packages, and a report. Sent after on-host.sh
# remove-user.sh and keep-images.sh; the line that follows calls `main`. Never touches a user with a process that works or with anything new in its home,
# and on a host where builds run it changes nothing else either.
# Sent along: STALE_HOURS MIN_FREE_MB UPDATE_PACKAGES PACKAGES_TIMEOUT BUILDER_IMAGES KEEP_TIMEOUT
# shellcheck disable=SC2154,SC2034 # state_dir and lock_wait are on-host.sh's; process_ids of remove-user.sh reads uid, sub_first, sub_count

our_users() {
  { getent passwd | cut -d: -f1 && ls "$state_dir/users"; } | grep -Ex 'u-[0-9a-f]{28}' | sort -u
}

# What stays after a build without doing anything: the user's systemd, its message bus, and what podman leaves to hold its namespaces.
# Whoever lingers always has the first, after a reboot too.
is_standing() { # process id
  grep -Eq "/user@$uid\.service/(init\.scope|([^/]+/)*dbus(-broker)?\.service|user\.slice/podman-pause-[^/]+\.scope)\$" "/proc/$1/cgroup" 2>/dev/null && return
  case $(cat "/proc/$1/comm" 2>/dev/null):$(tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null) in
    'podman pause':* | *:'catatonit -P '* | *:*/'catatonit -P '*) return 0 ;;
  esac
  return 1
}

is_working() {
  for working_pid in $(process_ids); do is_standing "$working_pid" || return 0; done
  return 1
}

# Users of builds that run: with a process that works, a login's included. Without look_up, which writes down what it found.
live_users() {
  for live_user in $(our_users); do
    uid=$(account "$live_user" 3) subuid=$(known "$live_user" subuid)
    subuid=${subuid:-$uid 1}
    sub_first=${subuid% *} sub_count=${subuid#* }
    [ -z "$uid" ] || ! is_working || printf '%s\n' "$live_user"
  done
}

is_stale() { # name; looked up before
  [ -z "$uid" ] || ! is_working || return 1
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

# Not for ever: another program may hold the lock of the packages, and a mirror may not answer. Without the lock of care: a
# service that a package starts would keep it.
package_command() {
  package_time=$((packages_until - $(date +%s)))
  [ "$package_time" -gt 0 ] || return 124
  timeout --kill-after=60 "$package_time" "$@" >&2 7>&-
}

# apt waits for the lock of the packages, dpkg gives up at once, with 2.
finish_interrupted() {
  lock_tries=60
  until package_command dpkg --force-confdef --force-confold --configure -a; do
    dpkg_code=$?
    lock_tries=$((lock_tries - 1))
    { [ "$dpkg_code" -eq 2 ] && [ "$lock_tries" -gt 0 ]; } || return "$dpkg_code"
    sleep 5
  done
}

# First what an interrupted update left half-done. Files that the admin changed stay as they are.
update_with_apt() {
  DEBIAN_FRONTEND=noninteractive && export DEBIAN_FRONTEND
  set -- -q -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold
  finish_interrupted &&
    package_command apt-get "$@" -o APT::Update::Error-Mode=any update &&
    package_command apt-get "$@" -y upgrade
}

update_packages() {
  packages_until=$(($(date +%s) + PACKAGES_TIMEOUT))
  case $UPDATE_PACKAGES in
    dnf) ! command -v dnf >/dev/null || package_command dnf update -y ;;
    apt) ! command -v apt-get >/dev/null || update_with_apt ;;
    *) : ;;
  esac
  packages_code=$?
  [ "$packages_code" -ne 124 ] || fail PackageUpdateFailed "$UPDATE_PACKAGES did not end in $PACKAGES_TIMEOUT s"
  [ "$packages_code" -eq 0 ] || fail PackageUpdateFailed "$UPDATE_PACKAGES ended with code $packages_code"
}

prune_images() {
  command -v podman >/dev/null || return 0
  timeout 300 podman image prune --force >&2 7>&- || echo 'podman image prune failed' >&2
}

# A build may have come since the last look, as when it waited too long for this host.
leave_to_builds() {
  live=$(live_users | wc -l)
  [ "$live" -eq 0 ] || fail HostBusy "$live build users are active: $1 were left alone"
}

report() {
  podman=$(podman version --format '{{.Client.Version}}' 2>/dev/null)
  base=$(useradd -D | sed -n 's/^HOME=//p')
  free=$(df -Pk "${base:-/home}" | awk 'NR == 2 { print int($4 / 1024) }')
  printf 'report podman %s, %s MiB free in %s, %s build users%s\n' "${podman:-missing}" "$free" "${base:-/home}" "$(our_users | wc -l)" \
    "${BUILDER_IMAGES:+, $(echo "$BUILDER_IMAGES" | wc -w) builder images kept}"
}

main() {
  step 'looking at the host'
  prepare_state
  need_commands userdel getent flock find awk setpriv df stat timeout
  true >>"$state_dir/care.lock" || fail HostUnsuitable "cannot write $state_dir"
  { exec 7>>"$state_dir/care.lock" && flock -n 7; } || fail HostBusy 'an earlier update of the host is not over yet'
  step 'removing stale users'
  remove_stale_users
  forget_old
  leave_to_builds 'images and packages'
  step 'removing dangling images'
  prune_images
  step 'keeping builder images'
  images_kept=true
  (keep_images) || images_kept=false
  leave_to_builds packages
  step 'updating packages'
  update_packages
  step 'reporting'
  report
  # It has said why.
  [ "$images_kept" = true ] || exit 1
  [ "$failed" -eq 0 ] || fail StaleUsersLeft "$failed stale users could not be removed"
  [ "${free:-0}" -ge "$MIN_FREE_MB" ] || fail NoSpace "${base:-/home} has $free MiB free, $MIN_FREE_MB are needed"
}
