#!/usr/bin/env bash
# Pod side of the tasks that work on a host: checks what came in, opens the one connection, says in REASON and MESSAGE why it failed.
# Never puts a value into text that a shell reads again unquoted, and never a secret into the arguments of a process.
# shellcheck disable=SC2034 # some variables are for the scripts that source this one
set -euo pipefail
umask 077
export LC_ALL=C

scripts=${BASH_SOURCE[0]%/*}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
# How long the script on the host may take, all waiting for other builds' user changes included.
: "${HOST_TIMEOUT:=300}"
# In seconds, for what passes by itself before anybody is logged in.
: "${LOGIN_PATIENCE:=60}"

# ssh and ssh-keygen refuse to run for a uid without a name, which is what OpenShift gives a pod.
if ! getent passwd "$(id -u)" >/dev/null; then
  # shellcheck source=tasks/runner/name-for-uid.sh
  . /usr/local/lib/multi-platform/name-for-uid.sh
fi

log() { printf '%s\n' "$*" | printable >&2; }

# What a host says, or a build made it say, must not steer the terminal of whoever reads it: no controls but tab and line feed, none of
# those that UTF-8 writes in two bytes, and nothing that turns the direction of writing. Put in their place, a ? makes no new ones.
printable() {
  tr -d '\000-\010\013-\037\177' |
    sed 's/\xc2[\x80-\x9f]\|\xd8\x9c\|\xe2\x80[\x8e\x8f\xa8-\xae]\|\xe2\x81[\xa6-\xa9]/?/g'
}

write_result() { # name, value; a result must fit, with all others, into 4096 bytes
  local file
  file=${1}_FILE
  [[ -z ${!file:-} ]] || printf '%s' "${2:0:700}" | printable >"${!file}"
}

fail() { # reason, message
  log "$1: $2"
  write_result REASON "$1"
  write_result MESSAGE "$2"
  exit 1
}

check() { # name of a variable, pattern its whole value must match, what it should be
  [[ ${!1:-} =~ ^($2)$ ]] || fail InvalidParameter "param $1 is '${!1:-}'; it must be $3"
}

check_host_parameters() {
  check HOST '[A-Za-z0-9:]([A-Za-z0-9._:%-]{0,252}[A-Za-z0-9:])?' 'an IP address or a DNS name'
  check USER '[A-Za-z_][A-Za-z0-9_.-]{0,63}' 'the name of the account on the host that may become root'
}

check_build_parameters() {
  local label='[a-z0-9]([-a-z0-9]*[a-z0-9])?'
  check_host_parameters
  check NAMESPACE "$label" 'the namespace of the TaskRun'
  check TASKRUN_NAME "$label([.]$label)*" 'the name of the TaskRun'
  check TASKRUN_UID '[A-Za-z0-9-]{0,64}' 'the uid of the TaskRun, or empty'
  check ATTEMPT '[0-9]{1,9}' 'a number'
}

# The user of one attempt of one build. Without a uid (an older controller) it is the name that always was: then equal glued
# names collide and a name comes back when its TaskRun does, so such users have no identity and no tombstone.
choose_user_name() {
  local digest
  if [[ -n ${TASKRUN_UID:-} ]]; then
    IDENTITY=$TASKRUN_UID/$NAMESPACE/$TASKRUN_NAME/$ATTEMPT
    digest=$(printf '%s\n' "$IDENTITY" | sha256sum)
  else
    IDENTITY=
    digest=$(printf '%s%s\n' "$TASKRUN_NAME" "$NAMESPACE" | md5sum)
  fi
  NAME=u-${digest:0:28}
}

write_ssh_options() {
  [[ -r $SSH_DIR/id_rsa ]] || fail SshSecretInvalid "the ssh Secret of the host has no key id_rsa"
  # A key pasted into a Secret may have lost its last line feed or gained carriage returns; ssh takes neither.
  { tr -d '\r' <"$SSH_DIR/id_rsa" && echo; } >"$work/host-key"
  ssh-keygen -y -P '' -f "$work/host-key" >/dev/null 2>&1 ||
    fail SshSecretInvalid "key id_rsa in the ssh Secret of the host is not a private key without a passphrase"
  ssh_options=(-F none -T -l "$USER" -i "$work/host-key" -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes
    -o PreferredAuthentications=publickey -o ConnectTimeout=10 -o ServerAliveInterval=10 -o ServerAliveCountMax=3
    -o ClearAllForwardings=yes -o GlobalKnownHostsFile=none -o UpdateHostKeys=no -o LogLevel=ERROR)
  if [[ -r $SSH_DIR/known_hosts ]]; then
    cat -- "$SSH_DIR/known_hosts" >"$work/known_hosts"
    ssh_options+=(-o StrictHostKeyChecking=yes)
  else
    ssh_options+=(-o StrictHostKeyChecking=accept-new)
  fi
  ssh_options+=(-o UserKnownHostsFile="$work/known_hosts")
}

write_remote_script() { # names of variables to send, --, files
  local name quote="'\\''"
  while [[ $1 != -- ]]; do
    name=$1
    printf "%s='%s'\n" "$name" "${!name//\'/$quote}"
    shift
  done
  shift
  cat -- "$@"
  # Nothing runs before the last line has arrived: a connection cut half-way does nothing.
  printf '%s\n' 'main </dev/null' 'exit'
}

why_ssh_failed() { # prints a reason for what ssh wrote
  case $1 in
    *'Permission denied'* | *'Too many authentication failures'*) echo AuthenticationFailed ;;
    *'IDENTIFICATION HAS CHANGED'*) echo HostKeyChanged ;;
    *'Host key verification failed'*) echo HostKeyUnknown ;;
    # No answer of the name server, other than the answer that there is no such name.
    *'Temporary failure in name resolution'* | *'Try again'*) echo HostUnreachable ;;
    *'Could not resolve hostname'*) echo HostUnknown ;;
    *) echo HostUnreachable ;;
  esac
}

# sshd turns connections away at random while more than MaxStartups (10) of them log in, and name servers restart: that deserves
# patience; a host that is down deserves one more try.
worth_another_try() { # number of this try, what ssh wrote
  [[ $(why_ssh_failed "$2") == HostUnreachable ]] || return 1
  case $2 in
    *'closed by'* | *'reset by'* | *'Temporary failure in name resolution'* | *'Try again'*) ((SECONDS < LOGIN_PATIENCE)) ;;
    *) (($1 == 1 && SECONDS < 5)) ;;
  esac
}

last_line() { grep '[^[:space:]]' -- "$1" | tail -n 1 || true; }

explain_failure() { # exit code of ssh
  local step line
  step=$(sed -n 's/^step //p' "$work/answer" | tail -n 1)
  line=$(last_line "$work/said")
  line=${line#"$USER@$HOST: "}
  if IFS=' ' read -r _ REASON MESSAGE < <(grep '^fail ' "$work/answer"); then
    fail "$REASON" "$USER@$HOST: $MESSAGE"
  elif (($1 == 124 || $1 == 137)); then
    fail HostTimeout "$USER@$HOST: no end after $HOST_TIMEOUT s, at: ${step:-connecting}"
  elif (($1 == 153)); then
    fail HostScriptFailed "$USER@$HOST: says more than 4 MiB, at: ${step:-connecting}"
  elif (($1 == 255)) && [[ -n $step ]]; then
    fail ConnectionLost "$USER@$HOST: connection lost at: $step. $line"
  elif (($1 == 255)); then
    fail "$(why_ssh_failed "$(<"$work/said")")" "$USER@$HOST: ${line:-ssh failed without a word}"
  elif [[ -z $step ]]; then
    fail RootRefused "$USER@$HOST cannot become root without a password: ${line:-exit code $1}"
  fi
  fail HostScriptFailed "$USER@$HOST: exit code $1 at: $step. $line"
}

# One connection, one script. Standard output of the script is for us (step, fail, and answers), standard error is for the log.
# What a host may say is bounded, in time and in KiB: it may never stop.
run_on_host() { # names of variables to send, --, files
  # shellcheck disable=SC2016 # meant for the host
  local code try become_root='exec /bin/sh -c '\''[ "$(id -u)" = 0 ] && exec /bin/sh -s; exec sudo -n -- /bin/sh -s'\'
  write_ssh_options
  write_remote_script "$@" >"$work/script"
  for ((try = 1; ; try++)); do
    code=0
    (
      ulimit -f 4096
      exec timeout --kill-after=5 "$HOST_TIMEOUT" ssh "${ssh_options[@]}" -- "$HOST" "$become_root"
    ) <"$work/script" >"$work/answer" 2>"$work/said" || code=$?
    if ((code != 255)) || [[ -s $work/answer ]] || ! worth_another_try "$try" "$(<"$work/said")"; then break; fi
    log "try $try: $(last_line "$work/said")"
    sleep "0.$((RANDOM % 900 + 100))"
  done
  cat -- "$work/said" "$work/answer" | printable >&2
  ((code == 0)) || explain_failure "$code"
}

answer() { sed -n "s/^$1 //p" "$work/answer"; }
