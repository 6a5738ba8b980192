#!/bin/sh
# Host side of every task, sent in front of the task's own script: how it reports, which locks it takes, what it remembers.
# Runs as root in a plain POSIX shell. What it reports on standard output is read by connect.sh.
set -u
umask 077
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL

# Below it: users/ what we know of each user of ours, tombstones/ users that must not come (back), locks/ one per user.
state_dir=/var/lib/multi-platform
lock_wait=120
# Builder images for all builds of this host: stores 1/, 2/ … and current, the number of the one to use. Only root writes there.
images_dir=/var/lib/multi-platform-images

step() { printf 'step %s\n' "$1"; }

fail() { # reason, message
  printf 'fail %s %s\n' "$1" "$2"
  exit 1
}

prepare_state() {
  { mkdir -p "$state_dir/users" "$state_dir/tombstones" "$state_dir/locks" && chmod 700 "$state_dir"; } || fail HostUnsuitable "cannot write $state_dir"
}

need_commands() {
  for need_command in "$@"; do
    command -v "$need_command" >/dev/null || fail HostUnsuitable "the host has no command $need_command"
  done
}

# Held until the script ends: provisioning and cleanup of one user never overlap.
lock_user() { # name, seconds to wait
  # Tried before, because an exec that cannot open a file ends the script. Where no file can be made any more, as when the build that is
  # to be cleaned used up all inodes, the directory will do.
  if true >>"$state_dir/locks/$1"; then exec 9>>"$state_dir/locks/$1"; else exec 9<"$state_dir/locks"; fi
  flock -w "$2" 9 && touch -c "$state_dir/locks/$1"
}

# Everything that rewrites /etc/passwd and its neighbours, one build at a time: useradd itself gives up instead of waiting.
with_user_database() { # command
  (
    flock -w "$lock_wait" 8 || fail UserDatabaseBusy "other builds kept the user database for $lock_wait s"
    "$@" 8>&- 9>&-
  ) 8>"$state_dir/user-database.lock"
}

# Programs that are not ours may hold /etc/passwd too: 1 and 10 are what useradd and userdel say then.
retry_while_locked() { # command
  retry_left=20
  while :; do
    "$@" && return 0
    retry_code=$?
    case $retry_code in 1 | 10) ;; *) return "$retry_code" ;; esac
    retry_left=$((retry_left - 1))
    [ "$retry_left" -gt 0 ] || return "$retry_code"
    sleep 0.5
  done
}

known() { # name of the user, name of the fact
  [ ! -f "$state_dir/users/$1" ] || sed -n "s/^$2 //p" "$state_dir/users/$1"
}

account() { getent passwd "$1" | cut -d: -f"$2"; } # name, number of the field

# First id and number: rootless containers own files and processes under these.
subordinate_uids() { # name
  sed -n "s/^$1:\([0-9]*\):\([0-9]*\)\$/\1 \2/p" /etc/subuid 2>/dev/null | head -n 1
}

# A full disk must not cost us the record we had.
write_known() { # name, identity
  {
    printf 'identity %s\nuid %s\nhome %s\n' "$2" "$(account "$1" 3)" "$(account "$1" 6)" &&
      subordinate_uids "$1" | sed 's/^/subuid /'
  } >"$state_dir/users/.$1" && mv -f "$state_dir/users/.$1" "$state_dir/users/$1"
}

# Prints the store that builds may use; nothing when there is none, or one that somebody else could have changed.
image_store() {
  image_store_number=$(head -c 9 "$images_dir/current" 2>/dev/null) || return 0
  case $image_store_number in '' | *[!0-9]*) return 0 ;; esac
  image_store_path=$images_dir/$image_store_number
  [ -f "$image_store_path/overlay-images/images.json" ] || return 0
  [ -n "$(find /var /var/lib "$images_dir" "$images_dir/current" "$image_store_path" "$image_store_path"/overlay* -maxdepth 0 \
    \( ! -uid 0 -o -perm /022 -o -type l \) -print 2>&1)" ] || printf '%s\n' "$image_store_path"
}

running_systemd() { [ -d /run/systemd/system ] && command -v loginctl >/dev/null; }
