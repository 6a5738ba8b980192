#!/bin/sh
# Removes a user of ours from a host with everything it left there. Sent after on-host.sh, by clean-shared-host and update-host.
# The account goes last: while it exists nobody else can get its uid. Every step may be cut and repeated; nothing there is success.
# shellcheck disable=SC2154 # state_dir and lock_wait are on-host.sh's

# Where a program can leave files of its own outside its home.
shared_dirs='/tmp /var/tmp /dev/shm /dev/mqueue /run/lock /var/crash'

# Sets name, uid, home and the range of its subordinate ids, from the account or from what an earlier run remembered.
look_up() { # name
  name=$1 uid=$(account "$1" 3) home=$(account "$1" 6)
  if [ -n "$uid" ]; then
    write_known "$name" "$(known "$name" identity)"
  else
    uid=$(known "$name" uid) home=$(known "$name" home)
    # The number belongs to somebody else by now: its files are not ours to touch.
    [ -z "$uid" ] || [ -z "$(getent passwd "$uid")" ] || uid=
  fi
  case $home in */"$name") ;; *) home= ;; esac
  # Without a range of its own the range is the user itself. On a full disk the record may have no line for it, and without the
  # account somebody else may have the range that it remembers.
  subuid=$(subordinate_uids "$name")
  [ -n "$subuid" ] || subuid=$(known "$name" subuid)
  # shellcheck disable=SC2086 # two numbers
  ! is_others_range $subuid || subuid=
  subuid=${subuid:-$uid 1}
  sub_first=${subuid% *} sub_count=${subuid#* }
  [ -z "$uid" ] || [ "$uid" -ge 500 ] || fail UserNotOurs "$name has uid $uid, which is a system account's"
}

is_others_range() { # first id, number of ids
  [ "$#" -eq 2 ] && awk -F: -v own="$name" -v s="$1" -v n="$2" '$1 != own && $2 < s + n && s < $2 + $3 { found = 1 } END { exit !found }' /etc/subuid 2>/dev/null
}

# sshd reads the keys as the user: with root as owner of the home nobody can log in any more, whatever the user put there.
close_home() {
  [ ! -d "$home" ] || [ -L "$home" ] || { chown root:root "$home" && chmod 700 "$home"; } || fail HomeNotClosed "cannot close $home"
}

# What would start something again while all else is being ended.
remove_timers() {
  rm -f -- "/var/spool/cron/crontabs/$name" "/var/spool/cron/tabs/$name" "/var/spool/cron/$name" || fail FilesLeft "cannot remove the crontab of $name"
  for spool in /var/spool/cron/atjobs /var/spool/cron/atspool /var/spool/at /var/spool/atjobs; do remove_files_in "$spool"; done
}

# Processes of the user and of its rootless containers; a zombie is gone already. By xargs: somebody may have so many that
# they fill more than one command line.
process_ids() {
  (cd /proc && printf '%s/status\n' [0-9]* | xargs cat) 2>/dev/null | awk -v u="$uid" -v s="$sub_first" -v n="$sub_count" '
    /^State:/ { state = $2 }
    /^Pid:/ { pid = $2 }
    /^Uid:/ { for (i = 2; i <= 5; i++) if ($i == u || ($i >= s && $i < s + n)) { if (state != "Z") print pid; break } }'
}

# Asks first, then kills. One kill for all that the uid may signal, so that nothing can fork its way past a list.
end_processes() {
  if running_systemd; then
    loginctl disable-linger "$name" >&2
    loginctl terminate-user "$name" >&2
  fi
  rounds=0
  while pids=$(process_ids) && [ -n "$pids" ]; do
    signal=KILL
    [ "$rounds" -gt 0 ] || signal=TERM
    # shellcheck disable=SC2016 # meant for the inner shell
    setpriv --reuid="$uid" --regid="$uid" --clear-groups -- /bin/sh -c 'kill -s "$1" -- -1' sh "$signal" 2>/dev/null
    # shellcheck disable=SC2086 # a list
    kill -s "$signal" $pids 2>/dev/null
    wait_for_processes
    rounds=$((rounds + 1))
    [ "$rounds" -lt 15 ] || fail ProcessesLeft "processes of $name do not end: $(echo "$pids" | head -n 5 | tr '\n' ' ')"
  done
}

wait_for_processes() {
  waits=0
  while [ -n "$(process_ids)" ] && [ "$waits" -lt 10 ]; do
    sleep 0.2
    waits=$((waits + 1))
  done
}

# What podman or fuse mounted for the user and a kill left behind. mountinfo writes odd characters in octal; the dot keeps a
# line feed at the end.
unmount_all() {
  awk -v home="$home/" -v run="/run/user/$uid" -v owner="user_id=$uid" '
    { n = split($NF, option, ","); mine = $5 == run || index($5, run "/") == 1 || (home != "/" && index($5 "/", home) == 1) }
    { for (i = 1; i <= n; i++) if (option[i] == owner) mine = 1 }
    mine { print $5 }' /proc/self/mountinfo | sort -r | sed 's/\\/\\0/g' | while read -r mounted; do
    mounted=$(printf '%b.' "$mounted")
    mounted=${mounted%.}
    case $mounted in
      "${home:-/none}"/* | "/run/user/$uid" | "/run/user/$uid"/*) umount -l -- "$mounted" >&2 ;;
      *) unmount_as_user "$mounted" ;;
    esac
  done
}

# Elsewhere the way to it may be somebody else's directory and turn into a symbolic link meanwhile; root would follow it.
# fusermount does not, and takes nothing that is not the user's.
unmount_as_user() { # mount point
  fusermount=$(command -v fusermount3 || command -v fusermount) || return 0
  setpriv --reuid="$uid" --regid="$uid" --clear-groups -- "$fusermount" -u -z -- "$1" >&2
}

files_in() { # directory, what find shall do with the files of the user
  files_dir=$1
  shift
  [ ! -d "$files_dir" ] ||
    find "$files_dir" -mindepth 1 -xdev \( -uid "$uid" -o -uid "+$((sub_first - 1))" -uid "-$((sub_first + sub_count))" \) -prune "$@"
}

# -execdir, because the way to a file may be somebody else's directory and turn into a symbolic link meanwhile.
remove_files_in() { # directory
  files_in "$1" -execdir rm -rf --one-file-system -- {} + >&2
  [ -z "$(files_in "$1" -print -quit)" ] || fail FilesLeft "files of $name are left in $1"
}

remove_shared_files() {
  for shared_dir in $shared_dirs; do remove_files_in "$shared_dir"; done
}

# A subvolume that the build made is another file system for rm, though nothing is mounted there.
remove_home() {
  rm -rf --one-file-system -- "$home" >&2 && return
  ! awk -v home="$home/" 'index($5 "/", home) == 1 { found = 1 } END { exit !found }' /proc/self/mountinfo && rm -rf -- "$home" >&2
}

is_our_uid() { [ "$1" = "$uid" ] || { [ "$1" -ge "$sub_first" ] && [ "$1" -lt "$((sub_first + sub_count))" ]; }; }

# What the system keeps for a uid, to be read by the next one who has it: journals, and the memory of programs that crashed
# (core.<program>.<uid>.<boot>.<pid>.<time>).
remove_system_traces() {
  for trace in /var/log/journal/*/user-* /run/log/journal/*/user-* /var/lib/systemd/coredump/core.*; do printf '%s\n' "$trace"; done |
    sed -n -e 's|^.*/user-\([0-9][0-9]*\)[@.].*$|\1 &|p' \
      -e 's|^.*/core\..*\.\([0-9][0-9]*\)\.[0-9a-f]\{32\}\.[0-9]*\.[0-9]*\(\.[a-z0-9]*\)\{0,1\}$|\1 &|p' | while read -r trace_uid trace; do
    ! is_our_uid "$trace_uid" || rm -f -- "$trace" >&2
  done
  ! command -v keyctl >/dev/null || setpriv --reuid="$uid" --regid="$uid" --clear-groups -- keyctl clear @u 2>/dev/null
}

remove_own_files() {
  [ -z "$home" ] || remove_home || fail FilesLeft "cannot remove $home"
  [ -z "$uid" ] || rm -rf --one-file-system -- "/run/user/$uid" "/run/systemd/system.control/user-$uid.slice.d" >&2
  rm -f -- "/etc/security/limits.d/$name.conf" "/etc/security/limits.d/$name.conf.new" \
    "/etc/sudoers.d/$name" "/etc/sudoers.d/$name.new" "/var/lib/systemd/linger/$name" "/var/mail/$name" "/var/spool/mail/$name" ||
    fail FilesLeft "cannot remove the files of $name below /etc and /var"
  # By name or, in newer versions, by uid: it must not vouch for the next user with that number.
  for sudo_state in /run/sudo/ts /var/run/sudo/ts /var/lib/sudo/ts /var/lib/sudo/lectured /var/db/sudo/lectured; do
    rm -f -- "$sudo_state/$name" ${uid:+"$sudo_state/$uid"}
  done
}

remove_shared_memory() {
  for ipc in m:shm s:sem q:msg; do
    awk -v u="$uid" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "uid") column = i; next } $column == u { print $2 }' \
      "/proc/sysvipc/${ipc#*:}" 2>/dev/null | while read -r id; do ipcrm "-${ipc%:*}" "$id" >&2; done
  done
}

delete_account() {
  if getent passwd "$name" >/dev/null; then
    retry_while_locked userdel "$name" >&2 || fail UserNotDeleted "userdel ended with code $?"
  fi
  if getent group "$name" >/dev/null; then
    retry_while_locked groupdel "$name" >&2 || fail UserNotDeleted "groupdel ended with code $?"
  fi
  for ids in /etc/subuid /etc/subgid; do
    ! grep -qs "^$name:" "$ids" || sed -i "/^$name:/d" "$ids" || fail UserNotDeleted "cannot take $name out of $ids"
  done
}

remove_user() { # name; its lock is held
  look_up "$1"
  if [ -n "$uid" ]; then
    close_home
    remove_timers
    end_processes
    unmount_all
    remove_shared_files
    remove_shared_memory
    remove_system_traces
  fi
  remove_own_files
  with_user_database delete_account || exit 1
  rm -f "$state_dir/users/$name" "$state_dir/users/.$name"
}

# A late provision script or a repeat cannot come after a day.
forget_old() {
  find "$state_dir/tombstones" "$state_dir/locks" -type f -mmin +1440 -delete
}
