#!/bin/sh
# Host side of clean-shared-host: undoes one attempt. Sent after on-host.sh and remove-user.sh; the line that follows calls `main`.
# Sent along: NAME IDENTITY
# shellcheck disable=SC2154 # state_dir and lock_wait are on-host.sh's

leave_tombstone() {
  [ -z "$IDENTITY" ] || (: >"$state_dir/tombstones/$NAME") 2>/dev/null
}

main() {
  step 'looking at the host'
  prepare_state
  need_commands userdel getent flock find awk setpriv
  # Before the wait for the lock: a provision script that has it stops at its next step. Where the user filled the disk it
  # can be left only when that is removed.
  leave_tombstone || echo "cannot write $state_dir yet" >&2
  step 'waiting for other scripts of this user'
  lock_user "$NAME" "$lock_wait" || fail UserBusy "another script kept the lock of $NAME for $lock_wait s"
  step 'removing the user'
  remove_user "$NAME"
  leave_tombstone || fail HostUnsuitable "cannot write $state_dir"
  forget_old
  step 'done'
}
