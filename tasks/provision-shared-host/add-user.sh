#!/bin/sh
# Host side of provision-shared-host: makes the user of one build attempt. Sent after on-host.sh; `main` is called by the line
# that follows. A repeat for the same attempt ends in the same state with the new key; another attempt's user is never touched.
# shellcheck disable=SC2154 # state_dir and lock_wait are on-host.sh's
# Sent along: NAME IDENTITY PUBLIC_KEY OTHER_PUBLIC_KEY SUDO_COMMANDS LIMIT_NOFILE LIMIT_NPROC LIMIT_MEMORY LIMIT_CPUS LIMIT_CPU_MINUTES
# MIN_FREE_MB REQUIRE_PODMAN OTELCOL_CONFIG

# Cleanup leaves a tombstone before it waits for our lock: from then on each further step is one too many.
next() {
  [ -z "$IDENTITY" ] || [ ! -e "$state_dir/tombstones/$NAME" ] || fail AlreadyCleaned "this attempt was cleaned up already"
  step "$1"
}

check_host() {
  need_commands useradd userdel usermod getent flock find awk setpriv prlimit df
  base=$(useradd -D | sed -n 's/^HOME=//p')
  base=${base:-/home}
  free=$(df -Pk "$base" | awk 'NR == 2 { print int($4 / 1024) }')
  [ "${free:-0}" -ge "$MIN_FREE_MB" ] || fail NoSpace "$base has ${free:-no} MiB free, $MIN_FREE_MB are needed"
}

check_podman() {
  [ "$REQUIRE_PODMAN" = true ] || return 0
  command -v podman >/dev/null && return
  command -v dnf >/dev/null || fail NoPodman 'podman is not installed'
  dnf install -y podman >&2 || fail NoPodman 'podman is not installed, and dnf could not install it'
}

add_user() {
  if getent passwd "$NAME" >/dev/null; then
    { [ -n "$IDENTITY" ] && [ "$(known "$NAME" identity)" = "$IDENTITY" ]; } ||
      fail UserExists "the host has a user $NAME already that was not made for this attempt"
    return 0
  fi
  [ ! -e "$base/$NAME" ] || fail UserExists "the host has $base/$NAME already, without a user of that name"
  # First of all, so that a repeat after a cut knows the user for its own.
  write_known "$NAME" "$IDENTITY"
  # useradd hands out subordinate ids only where these files exist.
  touch /etc/subuid /etc/subgid && chmod 644 /etc/subuid /etc/subgid
  shell=/bin/bash
  [ -x "$shell" ] || shell=/bin/sh
  # '*' and not '!': without PAM sshd takes '!' for a locked account and refuses its key.
  retry_while_locked useradd -m -d "$base/$NAME" -U -s "$shell" -p '*' -c 'multi-platform build' "$NAME" ||
    fail UserNotAdded "useradd ended with code $?"
}

# Rootless podman needs 65,536 subordinate ids; useradd gives none to some accounts and on some distributions.
give_subordinate_ids() { # uid or gid
  grep -q "^$NAME:" "/etc/sub$1" && return
  # A range that reaches beyond 2^31 is one for all containers of podman --userns=auto, with nothing usable behind it.
  first=$(awk -F: 'BEGIN { next_id = 100000 } $2 + $3 > next_id && $2 + $3 < 2 ^ 31 { next_id = $2 + $3 } END { printf "%.0f\n", next_id }' "/etc/sub$1")
  retry_while_locked usermod "--add-sub${1}s" "$first-$((first + 65535))" "$NAME" ||
    fail NoSubordinateIds "no sub$1 range for $NAME, which rootless podman needs"
}

prepare_account() {
  add_user
  give_subordinate_ids uid
  give_subordinate_ids gid
  write_known "$NAME" "$IDENTITY" || fail HostUnsuitable "cannot write $state_dir"
}

read_account() {
  uid=$(account "$NAME" 3)
  gid=$(account "$NAME" 4)
  home=$(account "$NAME" 6)
  [ -d "$home" ] || install -d -o "$uid" -g "$gid" "$home" || fail HomeNotMade "cannot make $home"
  chmod 700 "$home"
}

# pam_limits refuses the login when it may not raise a limit so far, as in an unprivileged container: then it stays as it is.
limit_line() { # name, for limits.d and for prlimit; wanted, for limits.d; wanted, for prlimit
  if [ -n "$2" ] && prlimit "--$1=$3:$3" true 2>/dev/null; then
    printf '%s - %s %s\n' "$NAME" "$1" "$2"
  fi
}

# What one process may do. Where systemd keeps all of a user's processes in a slice, that has the memory.
limit_lines() {
  kib=
  running_systemd || case $LIMIT_MEMORY in
    *G) kib=$((${LIMIT_MEMORY%G} * 1048576)) ;;
    *M) kib=$((${LIMIT_MEMORY%M} * 1024)) ;;
  esac
  # limits.d counts minutes of CPU time and KiB of memory, prlimit seconds and bytes.
  limit_line nofile "$LIMIT_NOFILE" "$LIMIT_NOFILE" &&
    limit_line nproc "$LIMIT_NPROC" "$LIMIT_NPROC" &&
    limit_line cpu "$LIMIT_CPU_MINUTES" "$((${LIMIT_CPU_MINUTES:-0} * 60))" &&
    limit_line as "$kib" "$((${kib:-0} * 1024))"
}

set_limits() {
  running_systemd || [ -z "$LIMIT_CPUS" ] || echo "limit cpus needs systemd: builds on this host have all CPUs" >&2
  [ -d /etc/security/limits.d ] || return 0
  limits=/etc/security/limits.d/$NAME.conf
  { limit_lines >"$limits.new" && chmod 644 "$limits.new" && mv -f "$limits.new" "$limits"; } ||
    fail LimitsNotSet "cannot write $limits"
}

# Linger gives rootless podman its user manager and XDG_RUNTIME_DIR although nobody logs in on a terminal.
start_user_manager() {
  running_systemd || return 0
  loginctl enable-linger "$NAME" >&2 || echo "linger could not be enabled for $NAME" >&2
  systemctl set-property --runtime "user-$uid.slice" "TasksMax=$LIMIT_NPROC" ${LIMIT_MEMORY:+"MemoryMax=$LIMIT_MEMORY"} \
    ${LIMIT_CPUS:+"CPUQuota=${LIMIT_CPUS}00%"} >&2 || [ -z "$LIMIT_MEMORY$LIMIT_CPUS" ] ||
    fail LimitsNotSet "systemd does not take the limits of user-$uid.slice"
}

allow_sudo() {
  rules=/etc/sudoers.d/$NAME
  if [ -z "$SUDO_COMMANDS" ]; then
    rm -f "$rules"
    return 0
  fi
  command -v visudo >/dev/null || fail NoSudo 'sudo-commands is configured, but sudo is not installed'
  # sudo reads no file with a dot in its name, so the half-written one is never in force.
  { printf '%s ALL=(ALL) NOPASSWD: %s\n' "$NAME" "$SUDO_COMMANDS" >"$rules.new" && chmod 440 "$rules.new"; } ||
    fail SudoersInvalid "cannot write $rules"
  if ! visudo -c -f "$rules.new" >&2; then
    rm -f "$rules.new"
    fail SudoersInvalid 'sudo-commands is not valid in a sudoers file'
  fi
  mv -f "$rules.new" "$rules"
}

# Not as root: on a repeat the home belongs to somebody who may have put symbolic links into it.
as_user() { setpriv --reuid="$uid" --regid="$gid" --clear-groups -- "$@"; }

# In FIPS mode, and where the admin allows other kinds only, sshd takes no ed25519 key. An sshd that does not tell takes all.
takes_ed25519() {
  [ "$(cat /proc/sys/crypto/fips_enabled 2>/dev/null)" != 1 ] || return 1
  kinds=$(sshd -T 2>/dev/null | sed -n -e 's/^pubkeyacceptedalgorithms //p' -e 's/^pubkeyacceptedkeytypes //p')
  case ,$kinds, in
    ,, | *,ssh-ed25519,*) ;;
    *,ecdsa-sha2-nistp256,*) return 1 ;;
  esac
}

choose_key() {
  takes_ed25519 && return
  printf 'key ecdsa\n'
  PUBLIC_KEY=$OTHER_PUBLIC_KEY
}

install_key() {
  # shellcheck disable=SC2016 # meant for the inner shell
  printf '%s\n' "$PUBLIC_KEY" | as_user /bin/sh -c '
    cd "$1" && mkdir -p .ssh build && chmod 700 .ssh && cat >.ssh/.new && mv -f .ssh/.new .ssh/authorized_keys' sh "$home" ||
    fail KeyNotInstalled "cannot write $home/.ssh/authorized_keys"
  if command -v restorecon >/dev/null; then
    restorecon -FR "$home/.ssh" >&2 || echo "restorecon failed for $home/.ssh" >&2
  fi
}

# Can layers be stacked where this account keeps its images, by the kernel and without root?
kernel_stacks_layers() {
  # shellcheck disable=SC2016 # meant for the inner shell
  as_user /bin/sh -c 'cd "$1" && mkdir .stack .stack/lower .stack/upper .stack/work .stack/merged && cd .stack || exit
    unshare --user --map-root-user --mount mount -t overlay -o userxattr,lowerdir=lower,upperdir=upper,workdir=work overlay merged
    code=$?
    cd .. && rm -rf .stack
    exit "$code"' sh "$home" 2>/dev/null
}

# Prints storage.conf of the account, or nothing where podman is to do as it likes. Where the system has a setting for the place of
# users' images, or one for all of it, the admin has a plan of its own.
image_storage() {
  store=$(image_store)
  program=$(command -v fuse-overlayfs) && as_user test -w /dev/fuse || program=
  if [ -n "$store" ] && [ -n "$program" ] && ! grep -Eqs '^[[:space:]]*rootless_storage_path' /etc/containers/storage.conf; then
    # Images that care keeps on this host (update-host): read-only, and several builds can use them at once. The build itself does
    # without this file when anything is wrong with it; it knows it by the first line.
    printf '%s\n' '# multi-platform: images that this host keeps for builds' '[storage]' 'driver = "overlay"' '[storage.options]' \
      "additionalimagestores = [\"$store\"]" '[storage.options.overlay]' "mount_program = \"$program\""
  elif [ ! -e /etc/containers/storage.conf ] && [ ! -e /usr/share/containers/storage.conf ] && [ ! -e "$home/.local/share/containers/storage" ]; then
    # Left to itself, podman of some distributions copies whole images, for each layer and for each container.
    if kernel_stacks_layers; then
      printf '%s\n' '# by multi-platform: layers are stacked, not copied' '[storage]' 'driver = "overlay"'
    elif [ -n "$program" ]; then
      printf '%s\n' '# by multi-platform: layers are stacked, not copied' '[storage]' 'driver = "overlay"' '[storage.options.overlay]' \
        "mount_program = \"$program\""
    fi
  fi
}

# A storage.conf of somebody else's stays as it is.
configure_storage() {
  text=$(image_storage)
  [ -n "$text" ] || return 0
  # shellcheck disable=SC2016 # meant for the inner shell
  printf '%s\n' "$text" | as_user /bin/sh -c 'cd "$1" && mkdir -p .config/containers && cd .config/containers &&
      { [ ! -e storage.conf ] || head -n 1 storage.conf | grep -Eq "^# (by )?multi-platform:"; } && cat >.storage.conf && mv -f .storage.conf storage.conf' sh "$home" ||
    echo "storage.conf of $NAME stays as it is" >&2
}

# Only for a collector that the admin installed; nothing is downloaded.
configure_otelcol() {
  if [ -n "$OTELCOL_CONFIG" ] && [ -d /etc/otelcol ]; then
    { printf '%s\n' "$OTELCOL_CONFIG" >/etc/otelcol/.config_mpc.yaml && chmod 644 /etc/otelcol/.config_mpc.yaml &&
      mv -f /etc/otelcol/.config_mpc.yaml /etc/otelcol/config_mpc.yaml; } || echo 'cannot write /etc/otelcol/config_mpc.yaml' >&2
  fi
}

main() {
  step 'looking at the host'
  prepare_state
  check_host
  lock_user "$NAME" "$lock_wait" || fail UserBusy "another script kept the lock of $NAME for $lock_wait s"
  next 'looking for podman'
  check_podman
  configure_otelcol
  next 'adding the user'
  with_user_database prepare_account || exit 1
  read_account
  next 'setting limits'
  set_limits
  start_user_manager
  next 'allowing sudo'
  allow_sudo
  next 'choosing how images are stored'
  configure_storage
  # Last: nobody can log in before all the rest is in place.
  next 'installing the public key'
  choose_key
  install_key
  printf 'home %s\n' "$home"
}
