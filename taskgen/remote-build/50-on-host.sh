# shellcheck shell=sh disable=SC1091
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

# Rootless containers leave files of subordinate ids, which only the user namespace may remove.
mp_host_clear() {
  if [ "$3" = all ]; then
    podman kill "$2"
    podman rm -f -v "$2"
  fi >/dev/null 2>&1
  rm -rf "$1" 2>/dev/null || podman unshare rm -rf "$1"
}

mp_host_platform() {
  case $(uname -m) in
    x86_64) echo linux/amd64 ;;
    aarch64) echo linux/arm64 ;;
    armv7*) echo linux/arm ;;
    i?86) echo linux/386 ;;
    *) echo "linux/$(uname -m)" ;;
  esac
}

# One podman call answers both "is it here" (also in a read-only store of the host's) and "is it for this machine".
mp_host_image() {
  mp_host_clock
  mp_host_begun=$mp_host_now
  if ! mp_host_found=$(podman image inspect --format '{{.Os}}/{{.Architecture}}' "$1" 2>/dev/null); then
    mp_host_say "pulling the builder image $1"
    mp_host_try=1
    until podman pull -q ${2:+--authfile "$2"} "$1" >/dev/null; do
      [ "$mp_host_try" -lt 3 ] || mp_host_fail 125 "the builder image $1 cannot be pulled on this host"
      sleep "$((mp_host_try * 2))"
      mp_host_try=$((mp_host_try + 1))
    done
    mp_host_found=$(podman image inspect --format '{{.Os}}/{{.Architecture}}' "$1") || exit 125
    mp_host_clock
    mp_host_took=$((mp_host_now - mp_host_begun))
    mp_host_say "$(printf 'phase pull took %d.%02ds' "$((mp_host_took / 100))" "$((mp_host_took % 100))")"
  fi
  mp_host_clock
  echo "pull=$((mp_host_now - mp_host_begun))" >>"$MP_JOB/root/mp-job/facts"
  [ "$mp_host_found" = "$(mp_host_platform)" ] || mp_host_fail 78 \
    "the builder image $1 is for $mp_host_found, this host is $(mp_host_platform): name an image, or the digest of an index, that has $(mp_host_platform)"
}

mp_host_prepare() {
  umask 077
  [ ! -e "$MP_JOB" ] || mp_host_clear "$MP_JOB" "$MP_NAME" all
  mkdir -p "$MP_JOB/root" || mp_host_fail 78 "cannot create $MP_JOB: is the Secret's user-dir right, and is there room on the disk?"
  for mp_host_tool in podman rsync; do
    command -v "$mp_host_tool" >/dev/null || mp_host_fail 78 "this host has no $mp_host_tool"
  done
  while [ "$1" != -- ]; do
    case $1 in
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
  podman kill "$MP_NAME"
  podman rm -f -v "$MP_NAME"
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

# The other side writes a line now and then; when it closes this one, it is gone.
mp_host_hear() { while read -r mp_host_word <&3; do : >"$MP_JOB/heard"; done; }

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
  mp_host_status=100
  [ ! -e "$MP_JOB/root/mp-job/image/index.json" ] || mp_host_status=$((mp_host_status + 1))
  [ -z "$(find "$MP_JOB/root" \( ! -uid "$(id -u)" -o ! -perm -400 \) ! -type l -print 2>&1 | head -n 1)" ] || mp_host_status=$((mp_host_status + 2))
  exit "$mp_host_status"
}

# Fails when the build was given up meanwhile: then there is nothing to answer.
mp_host_run() {
  mp_host_status=0
  podman start --attach "$MP_NAME" 3<&- || mp_host_status=$?
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

# The credential comes through the lifeline: it is in nobody's arguments, and gone after the pull.
mp_host_pull() { # IMAGE AUTH
  if [ "$2" != pull ]; then
    mp_host_image "$1" ''
    return
  fi
  if ! read -r mp_host_word <&3 || ! echo "$mp_host_word" | base64 -d >"$MP_JOB/auth.json"; then
    mp_host_fail 78 'the credential for the pull did not arrive'
  fi
  mp_host_image "$1" "$MP_JOB/auth.json"
  rm -f "$MP_JOB/auth.json"
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
  mp_host_pull "$mp_host_image" "$mp_host_auth"
  [ ! -w /dev/fuse ] || set -- --device /dev/fuse "$@"
  podman create --name "$MP_NAME" --rm --pull=never --log-driver=none --stop-timeout 1 --security-opt label=disable \
    --entrypoint "$mp_host_shell" "$@" "$mp_host_image" /mp-job/launch >/dev/null || mp_host_fail 125 "podman cannot make the container"
  if ! read -r mp_host_word <&3 || [ "$mp_host_word" != go ]; then
    mp_host_clear "$MP_JOB" "$MP_NAME" all
    exit 75
  fi
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
