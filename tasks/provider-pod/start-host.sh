#!/bin/sh
# Runs in the pod that is a build host, in whatever image: makes sure of the account, takes the keys, becomes sshd. What is wrong
# goes to the termination log as "Reason: sentence", where launch-pod finds it.
# Comes with a Secret that is mounted beside it. Environment: MP_USER MP_PORT MP_TOOLS MP_USERNS
set -u
umask 022
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
keys=${MP_KEYS:-/multi-platform}
home=/home/$MP_USER

fail() { # reason, sentence
  echo "$1: $2" >&2
  echo "$1: $2" >"${MP_TERMINATION_LOG:-/dev/termination-log}"
  exit 70
}

# A runtime that does not know hostUsers starts the pod without a word, with the ids of the node.
check_user_namespace() {
  [ "$MP_USERNS" = true ] || return 0
  while read -r _ _ length; do
    [ "$length" != 4294967295 ] || fail UserNamespacesUnsupported \
      'the container runtime of this node ignores hostUsers: false: use containerd 2 or CRI-O 1.25 and newer, or set privileged: "true"'
  done <"${MP_UID_MAP:-/proc/self/uid_map}"
}

install_tools() {
  [ -n "$MP_TOOLS" ] || return 0
  tools=$(echo "$MP_TOOLS" | tr , ' ')
  # shellcheck disable=SC2086 # names of packages, checked by launch-pod
  if command -v apk; then
    apk add --no-cache $tools
  elif command -v apt-get; then
    apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $tools
  elif command -v dnf; then
    dnf install -y $tools
  else
    fail ToolsNotInstalled 'the image has neither apk nor apt-get nor dnf'
  fi >&2 || fail ToolsNotInstalled "the packages $tools cannot be installed; the log of the pod says why"
}

# sshd lets only accounts in that have a name, and a pod may run as any uid.
name_account() { # uid, gid
  case $(grep "^$MP_USER:" /etc/passwd) in
    "$MP_USER":*:"$1":*:"$home":*) return ;;
  esac
  entry="$MP_USER:*:$1:$2::$home:$(command -v bash || echo /bin/sh)"
  accounts=$(grep -v -e "^$MP_USER:" -e "^[^:]*:[^:]*:$1:" /etc/passwd)
  printf '%s\n%s\n' "$accounts" "$entry" >/etc/passwd ||
    fail ImageUnsuitable "the image has no account $MP_USER with uid $1 and home $home, and /etc/passwd is not writable for its group"
}

# Rootless podman needs a range of ids beside its own; in a user namespace there are 65,536 in all, its own among them.
give_subordinate_ids() { # uid
  ranges="$MP_USER:100000:65536"
  if [ "$MP_USERNS" = true ] && [ "$1" -lt 65536 ]; then
    ranges=$(printf '%s:1:%d\n%s:%d:%d\n' "$MP_USER" "$(($1 - 1))" "$MP_USER" "$(($1 + 1))" "$((65535 - $1))")
  fi
  for file in /etc/subuid /etc/subgid; do
    [ "$(cat "$file" 2>/dev/null)" = "$ranges" ] || echo "$ranges" >"$file" ||
      fail ImageUnsuitable "$file of the image has not the ranges that uid $1 needs, and is not writable for its group"
  done
}

# Root is only there to install packages: nobody ever logs in as root, and sshd runs as the account.
leave_root() {
  [ "$(id -u)" = 0 ] || return 0
  uid=$(id -u "$MP_USER" 2>/dev/null || echo 1000)
  gid=$(id -g "$MP_USER" 2>/dev/null || echo 1000)
  name_account "$uid" "$gid"
  give_subordinate_ids "$uid"
  chown "$uid:$gid" "$home" || fail ImageUnsuitable "$home cannot be given to $MP_USER"
  MP_TOOLS=
  export MP_TOOLS
  exec setpriv --reuid="$uid" --regid="$gid" --clear-groups /bin/sh "$0"
}

# sshd refuses a host key that others can read, and Secrets are mounted so.
write_sshd_config() {
  {
    mkdir -p "$home/.multi-platform" && chmod 700 "$home/.multi-platform" &&
      cp "$keys/ssh_host_ed25519_key" "$home/.multi-platform/host_key" && chmod 600 "$home/.multi-platform/host_key"
  } || fail ImageUnsuitable "$home is not writable"
  cat >"$home/.multi-platform/sshd_config" <<CONFIG
Port $MP_PORT
HostKey $home/.multi-platform/host_key
AuthorizedKeysFile $keys/authorized_keys
StrictModes no
AllowUsers $MP_USER
PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
AllowTcpForwarding no
AllowStreamLocalForwarding no
AllowAgentForwarding no
PermitTunnel no
X11Forwarding no
UsePAM no
PidFile none
PrintMotd no
MaxStartups 100
MaxSessions 100
Subsystem sftp internal-sftp
CONFIG
}

check_user_namespace
install_tools
leave_root
sshd=$(command -v sshd) || fail ImageUnsuitable 'the image has no sshd'
name_account "$(id -u)" "$(id -g)"
give_subordinate_ids "$(id -u)"
write_sshd_config
cd "$home" || exit 70
# The first podman of a new home makes its storage, which takes a second or more; sshd starts meanwhile, and launch-pod reads the outcome.
{
  code=0
  HOME=$home podman info >/dev/null 2>"$home/.multi-platform/podman-said" || code=$?
  echo "$code" >"$home/.multi-platform/podman-code.new" && mv "$home/.multi-platform/podman-code.new" "$home/.multi-platform/podman-code"
} &
exec "$sshd" -D -e -f "$home/.multi-platform/sshd_config"
