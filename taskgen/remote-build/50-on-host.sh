# shellcheck shell=sh disable=SC1091,SC2034,SC2154 # variables cross the parts
# Functions that run on the host, under its sh: bash here only prints them (declare -f). Nothing secret is in their arguments.

mp_host_say() { printf '[%s] remote-build: %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" >&2; }
mp_host_fail() {
  mp_host_code=$1
  shift
  mp_host_say "ERROR: $*"
  exit "$mp_host_code"
}
mp_host_clock() {
  read -r mp_host_up _ </proc/uptime
  mp_host_now=${mp_host_up%.*}${mp_host_up#*.}
}

# As root, and what there is to settle then, in Tasks of taskgen --host-rootful: 58-as-root.sh.
mp_host_podman() { podman "$@"; }
mp_host_check_rights() { :; }
mp_host_settle() { :; }

# Whoever waits at a pipe for a container that has ended would wait for ever.
mp_host_wake() {
  for mp_host_pipe in "$1"/root/mp-job/*.pipe; do
    [ ! -p "$mp_host_pipe" ] || : <>"$mp_host_pipe"
  done
}

# Rootless containers leave files of subordinate ids, which only the user namespace may remove.
mp_host_clear() { # JOB NAME all|folder
  MP_JOB=$1
  if [ "$3" = all ]; then
    mp_host_podman kill "$2"
    mp_host_podman rm -f -v "$2"
  fi >/dev/null 2>&1
  mp_host_wake "$1"
  mp_host_settle
  rm -rf "$1" 2>/dev/null || podman unshare rm -rf "$1"
}

mp_host_prepare() {
  umask 077
  [ ! -e "$MP_JOB" ] || mp_host_clear "$MP_JOB" "$MP_NAME" all
  [ "$(uname -s)" = Linux ] || mp_host_fail 78 "this host runs $(uname -s); builds need Linux"
  mkdir -p "$MP_JOB/root" || mp_host_fail 78 "cannot create $MP_JOB: is the Secret's user-dir right, and is there room on the disk?"
  for mp_host_tool in podman rsync; do
    command -v "$mp_host_tool" >/dev/null || mp_host_fail 78 "this host has no $mp_host_tool"
  done
  mp_host_check_rights
  while [ "$1" != -- ]; do
    case $1 in
      pipe:*) mkfifo "$MP_JOB/root${1#pipe:}" ;;
      file:*) mkdir -p "$(dirname "$MP_JOB/root${1#file:}")" && : >"$MP_JOB/root${1#file:}" ;;
      *) mkdir -p "$MP_JOB/root$1" ;;
    esac || exit 78
    shift
  done
  : >"$MP_JOB/root/mp-job/facts"
  : >"$MP_JOB/ready-$MP_NONCE"
}

# What the container wrote as its last act stays true without us.
mp_host_stop() {
  [ -e "$MP_JOB/root/mp-job/rc" ] || : >"$MP_JOB/lost"
  mp_host_podman kill "$MP_NAME"
  mp_host_podman rm -f -v "$MP_NAME"
  mp_host_settle
}

# Three minutes without a sign of life: a line that went silent looks like one that is idle.
mp_host_guard() {
  trap 'kill "$mp_host_sleep" 2>/dev/null; exit' TERM
  : >"$MP_JOB/heard"
  while [ -z "$(find "$MP_JOB/heard" -mmin +3 2>&1)" ]; do
    sleep 10 &
    mp_host_sleep=$!
    wait "$mp_host_sleep"
  done
  [ ! -d "$MP_JOB" ] || mp_host_stop
}

# The credential for a push waits in memory until the container asks for it; of several connections the first one does this.
mp_host_hand_over() {
  mkdir "$MP_JOB/handed" || return 0
  echo "$1" | base64 -d >"$MP_JOB/root/mp-job/credential.pipe"
}

# The other side writes a line now and then; when it closes this one, it is gone.
mp_host_hear() {
  while read -r mp_host_word mp_host_rest <&3; do
    : >"$MP_JOB/heard"
    [ "$mp_host_word" != push ] || mp_host_hand_over "$mp_host_rest" >/dev/null 2>&1 3<&- &
  done
}

# The container must not outlive the connection: podman ignores a hang-up, and a killed ssh client leaves a silent job running.
mp_host_watch() {
  mp_host_guard 3<&- &
  mp_host_guarding=$!
  trap 'kill "$mp_host_guarding" 2>/dev/null; exit' TERM
  mp_host_hear
  kill "$mp_host_guarding" 2>/dev/null
  mp_host_stop
}

# Exit status: 100 the container ended and rc says how, + 1 it left an image, + 2 it left files only its user namespace can read;
# 104 it runs, and is to be followed.
mp_host_answer() {
  mp_host_settle
  mp_host_status=100
  [ ! -e "$MP_JOB/root/mp-job/exported" ] || mp_host_status=$((mp_host_status + 1))
  [ "$(id -u)" = 0 ] || [ -z "$(find "$MP_JOB/root" \( ! -uid "$(id -u)" -o ! -perm -400 \) ! -type l -print 2>&1 | head -n 1)" ] || mp_host_status=$((mp_host_status + 2))
  exit "$mp_host_status"
}

# Fails when the build was given up meanwhile: then there is nothing to answer.
mp_host_run() {
  mp_host_status=0
  mp_host_podman start --attach "$MP_NAME" 3<&- || mp_host_status=$?
  mp_host_wake "$MP_JOB"
  [ -e "$MP_JOB/root" ] && [ ! -e "$MP_JOB/lost" ] || return 1
  if [ ! -e "$MP_JOB/root/mp-job/rc" ]; then
    mp_host_say "the container ended with status $mp_host_status before its script did"
    [ "$mp_host_status" -ne 0 ] || mp_host_status=125
    echo "$mp_host_status" >"$MP_JOB/root/mp-job/rc"
  fi
}

# The connection may come and go: the log is a file, and only a long silence ends the container.
mp_host_run_detached() {
  mp_host_guard >/dev/null 2>&1 &
  mp_host_guarding=$!
  mp_host_run || :
  mp_host_settle
  kill "$mp_host_guarding"
}

# mp_host_follow JOB BYTES: the log from there on, until its writer has ended.
mp_host_follow() {
  MP_JOB=$1
  exec 3<&0 </dev/null
  mp_host_hear &
  tail -s 0.2 --pid="$(cat "$MP_JOB/runner")" -c "+$(($2 + 1))" -f "$MP_JOB/log"
  [ -e "$MP_JOB/root/mp-job/rc" ] && [ ! -e "$MP_JOB/lost" ] || exit 75
  mp_host_answer
}

# The image as the container writes it. gzip may be missing; the other side sees whether it was there.
mp_host_stream() { # JOB COMPRESSION
  exec <"$1/root/mp-job/image.pipe"
  if [ -n "$2" ] && command -v gzip >/dev/null; then exec gzip -1; fi
  exec cat
}

# mp_host JOB NAME NONCE IMAGE MODE SHELL AUTH folder… -- podman-argument…
mp_host() {
  MP_JOB=$1 MP_NAME=$2 MP_NONCE=$3 mp_host_image=$4 mp_host_mode=$5 mp_host_shell=$6 mp_host_auth=$7
  shift 7
  # A background command of dash reads /dev/null instead of standard input, so the lifeline gets a number of its own.
  exec 3<&0 </dev/null
  mp_host_say "on host $(uname -n), $(uname -srm)"
  mp_host_prepare "$@"
  while [ "$1" != -- ]; do shift; done
  shift
  # It comes through the lifeline, so it is in nobody's arguments.
  mp_host_credential=''
  [ "$mp_host_auth" != pull ] || read -r mp_host_credential <&3 || mp_host_fail 78 'the credential for the pull did not arrive'
  mp_host_image "$mp_host_image"
  mp_host_survey 3<&- &
  mp_host_count=$#
  while [ "$mp_host_count" -gt 0 ]; do
    mp_host_word=$1
    shift
    ! mp_host_can "$mp_host_word" || set -- "$@" "$mp_host_word"
    mp_host_count=$((mp_host_count - 1))
  done
  mp_host_map_user "$@"
  [ -z "$mp_host_uid" ] || set -- "--user=$mp_host_user" "--userns=keep-id:uid=$mp_host_uid,gid=$mp_host_uid" "$@"
  [ ! -w /dev/fuse ] || set -- --device /dev/fuse "$@"
  mp_host_create "$@" || mp_host_fail 125 'podman cannot make the container'
  if ! read -r mp_host_word <&3 || [ "$mp_host_word" != go ]; then
    mp_host_clear "$MP_JOB" "$MP_NAME" all
    exit 75
  fi
  mp_host_prove "$@"
  # Whoever the script runs as finds its own files there; nobody else comes through the folder above.
  chmod -R a+rwX "$MP_JOB/root/mp-job"
  mp_host_say "running the script in $mp_host_image"
  if [ "$mp_host_mode" = detached ]; then
    : >"$MP_JOB/log"
    # By exec: a redirection of the call would keep copies of what it replaces, and the connection open.
    (
      exec >"$MP_JOB/log" 2>&1 3<&-
      mp_host_run_detached
    ) &
    echo "$!" >"$MP_JOB/runner"
    exit 104
  fi
  mp_host_watch >/dev/null 2>&1 &
  mp_host_watcher=$!
  mp_host_run || exit 75
  kill "$mp_host_watcher"
  mp_host_answer
}
