#!/usr/bin/env bash
# shellcheck disable=SC2034 # variables cross the parts; a test checks the whole
# The build step of a remote Task: runs the step's script on the host named in the Secret at /ssh and brings back what it made.
# This text holds no Tekton reference and ends in exit: the user's script follows it as data (a here-document nothing ever reads)
# and is cut out of this file by line number, because any delimiter can be forged by a parameter value.
# Exit codes: the script's own, unchanged; 69 no host could be had, 74 something could not be sent or brought back,
# 75 connection lost or no host in time, 77 credential refused, 78 malformed Secret or unsupported host, 125 the builder image or
# its container could not be had, 143 stopped.
#
# Round trips: 1 connection; over it 1 session that prepares, pulls, runs and watches (its standard input is the lifeline),
# 1 rsync in (meanwhile), 1 rsync out per kind of thing (side by side; a streamed image has a session), 1 session that clears the job folder.
set -euo pipefail
umask 077

# The user's script is read by people and shells of other machines: bytes, not characters, and one time zone.
export LC_ALL=C TZ=UTC0

# Filled in when the parts are put together.
readonly MP_SCRIPT_LINE=0
# What taskgen may ask for; it reads this line.
readonly MP_KNOWS='oci stream registry none timeout detached registry-auth append-platform shell'
readonly MP_SECRET=/ssh MP_SHARED=/mp-shared MP_ANNOTATIONS=/mp-pod-info/annotations
MP_TMP='' MP_AS_ROOT='' MP_CONNECTED='' MP_HOST_PID='' MP_RECEIVER='' MP_ENDED='' MP_TIMELINE=''

mp_log() { printf '[%(%Y-%m-%dT%H:%M:%SZ)T] remote-build: %s\n' -1 "$*" >&2; }
mp_die() {
  local code=$1
  shift
  mp_log "ERROR: $*"
  exit "$code"
}

# Single quotes mean the same to dash, bash and busybox, newlines and all other bytes included.
mp_quote() {
  local replacement="'\\''"
  REPLY="'${1//\'/$replacement}'"
}

# Hundredths of a second on a clock that never jumps, without starting a process.
mp_clock() {
  local up
  read -r up _ </proc/uptime
  printf -v "$1" '%d' "$((10#${up/./}))"
}
mp_seconds() { printf -v REPLY '%d.%02ds' "$(($1 / 100))" "$(($1 % 100))"; }
mp_size() {
  if (($1 >= 1000000)); then
    printf -v REPLY '%d.%dMB' "$(($1 / 1000000))" "$(($1 % 1000000 / 100000))"
  else
    printf -v REPLY '%d.%dkB' "$(($1 / 1000))" "$(($1 % 1000 / 100))"
  fi
}

# phase NAME HUNDREDTHS [BYTES|SIZE]: one line for people now, one entry of the summary line for programs. Leaves the size in REPLY.
mp_phase() {
  local took size=${3:-}
  mp_seconds "$2"
  took=$REPLY
  if [[ $size =~ ^[0-9]+$ ]]; then
    mp_size "$size"
    size=$REPLY
  fi
  MP_TIMELINE+=" $1=$took${size:+/$size}"
  REPLY=$size
  # The host itself told of the pull when it was done.
  [[ $1 == pull ]] || mp_log "phase $1 took $took${size:+, $size}"
}

# sleep as a process costs more than the wait it is for; nothing is ever written to this pipe.
exec {mp_idle}<> <(:)
mp_pause() { read -r -t "$1" -u "$mp_idle" _ || :; }

# A trap runs at once only while bash itself waits: whatever can take long runs beside it.
mp_run() {
  "$@" &
  wait "$!"
}
