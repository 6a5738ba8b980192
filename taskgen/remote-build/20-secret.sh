# shellcheck shell=bash disable=SC2034,SC2154 # variables cross the parts; a test checks the whole
# What the Secret says: wait for it, then error, localhost or a host. Decides nothing about the connection.

mp_leave_mode() { (umask 022 && printf '%s\n' "$1" >"$MP_SHARED/mode.new" && mv "$MP_SHARED/mode.new" "$MP_SHARED/mode"); }

# The kubelet writes annotations as name="text" with Go's escapes; control characters stay escaped, so they cannot reach the terminal.
mp_annotation() {
  local line prefix="build.appstudio.redhat.com/$1=\""
  REPLY=''
  [[ -r $MP_ANNOTATIONS ]] || return 0
  while IFS= read -r line || [[ -n $line ]]; do
    [[ $line == "$prefix"*'"' ]] || continue
    line=${line#"$prefix"}
    line=${line%'"'}
    REPLY=${line//'\"'/'"'}
  done <"$MP_ANNOTATIONS"
}

mp_wait_message() {
  local reason position
  mp_annotation wait-reason
  reason=$REPLY
  mp_annotation queue-position
  position=$REPLY
  REPLY="waiting for a build host for ${PLATFORM:-this build}${reason:+: $reason}${position:+ (position $position in the queue)}"
}

mp_wait_for_secret() {
  local said='' started now turn=0 limit=${MP_SECRET_WAIT:-0}
  [[ $limit =~ ^[0-9]+$ ]] || mp_die 78 "MP_SECRET_WAIT is '$limit': write a number of seconds"
  mp_clock started
  until [[ -e $MP_SECRET/error || -e $MP_SECRET/host ]]; do
    if ((turn++ % 10 == 0)); then
      mp_wait_message
      [[ $REPLY == "$said" ]] || mp_log "$REPLY"
      said=$REPLY
      mp_clock now
      ((limit == 0 || now - started < limit * 100)) || mp_die 75 "no build host after ${limit}s (MP_SECRET_WAIT); run the build again later"
    fi
    mp_pause 0.1
  done
  mp_clock now
  mp_phase wait "$((now - started))"
}

mp_read_secret() {
  if [[ -e $MP_SECRET/error ]]; then
    printf '%s\n' "$(<"$MP_SECRET/error")" >&2
    mp_die 69 "no build host for PLATFORM ${PLATFORM:-}: the reason is above"
  fi
  [[ -s $MP_SECRET/host ]] || mp_die 78 "the Secret's key host is empty: start a new TaskRun"
  MP_HOST=$(<"$MP_SECRET/host")
  MP_HOST=${MP_HOST%%[[:space:]]*}
  [[ $MP_HOST != localhost ]] || return 0
  [[ $MP_HOST =~ ^([A-Za-z0-9_][A-Za-z0-9_.-]*)@([A-Za-z0-9:][A-Za-z0-9:.-]*)$ ]] ||
    mp_die 78 "the Secret's key host is '$MP_HOST': it must be user@address"
  MP_USER=${BASH_REMATCH[1]} MP_ADDRESS=${BASH_REMATCH[2]}
  MP_PORT=22
  [[ ! -s $MP_SECRET/port ]] || MP_PORT=$(<"$MP_SECRET/port")
  [[ $MP_PORT =~ ^[1-9][0-9]{0,4}$ && $MP_PORT -le 65535 ]] || mp_die 78 "the Secret's key port is '$MP_PORT': it must be a number up to 65535"
  [[ -s $MP_SECRET/user-dir ]] || mp_die 78 "the Secret has no key user-dir, or it is empty: start a new TaskRun"
  MP_USER_DIR=$(<"$MP_SECRET/user-dir")
  [[ $MP_USER_DIR =~ ^/[^:[:cntrl:]]*$ ]] || mp_die 78 "the Secret's key user-dir is '$MP_USER_DIR': only hosts with absolute POSIX paths (Linux) are supported"
  [[ ${MP_UID:-} =~ ^[A-Za-z0-9-]+$ ]] || mp_die 78 "MP_UID is '${MP_UID:-}': it must be the TaskRun's uid"
  MP_NAME=mp-$MP_UID MP_JOB=${MP_USER_DIR%/}/mp-$MP_UID
}

# Without a shebang the interpreter is what Tekton would use: /bin/sh, stopping at the first failure.
mp_cut_script() {
  local body
  tail -n "+$MP_SCRIPT_LINE" -- "$0" | head -n -1 >"$1"
  body=$(<"$1")
  if [[ ! $body =~ ^[[:space:]]*'#!' ]]; then
    { printf '#!%s\nset -e\n' "${MP_SHELL:-/bin/sh}" && cat "$1"; } >"$1.with-interpreter"
    mv "$1.with-interpreter" "$1"
  fi
  chmod 0755 "$1"
}
