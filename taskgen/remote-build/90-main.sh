# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # variables cross the parts; a test checks the whole
# The order of everything, signals, and the end. Closing file descriptor 9 is what stops the container on the host.

mp_cleanup() {
  local code=$? now
  trap - EXIT
  trap '' TERM INT HUP
  set +e
  exec 9>&-
  # shellcheck disable=SC2046 # process numbers
  kill $(jobs -p) 2>/dev/null
  if [[ -n $MP_CONNECTED ]]; then
    # Nothing is left to clear when the container ended by itself, except its folder.
    mp_host_command mp_host_clear "$MP_JOB" "$MP_NAME" "${MP_ENDED:-all}"
    timeout 20 ssh -F "$MP_TMP/ssh_config" build-host "$REPLY" </dev/null >/dev/null 2>&1 || mp_log "the job folder on $MP_HOST could not be removed; the host's clean-up does it"
    mp_ssh -O exit build-host >/dev/null 2>&1
  fi
  [[ -z $MP_TMP ]] || rm -rf "$MP_TMP"
  mp_clock now
  mp_seconds "$((now - MP_STARTED))"
  mp_log "timeline$MP_TIMELINE total=$REPLY exit=$code"
  exit "$code"
}

# The host session and the sending side by side; whichever fails first decides.
mp_send_and_start() {
  local sender code=0 began now
  mp_host_command mp_host "$MP_JOB" "$MP_NAME" "$MP_NONCE" "$MP_IMAGE" "$MP_MODE" "${MP_SHELL:-/bin/sh}" "${MP_PULL_CREDENTIAL:+pull}" "${MP_MAKE[@]}" -- "${MP_RUN[@]}"
  mkfifo "$MP_TMP/lifeline"
  exec 9<>"$MP_TMP/lifeline"
  # Before anybody reads it: a pipe holds 64 KiB.
  [[ -z $MP_PULL_CREDENTIAL ]] || printf '%s\n' "$MP_PULL_CREDENTIAL" >&9
  # Opened for reading only and without 9: were ssh to hold a writing end, the host would never see ours close.
  ssh -F "$MP_TMP/ssh_config" build-host "$REPLY" <"$MP_TMP/lifeline" 9>&- &
  MP_HOST_PID=$!
  mp_clock began
  mp_send 9>&- &
  sender=$!
  wait -n "$MP_HOST_PID" "$sender" || :
  if kill -0 "$MP_HOST_PID" 2>/dev/null; then
    wait "$sender" || code=$?
    ((code == 0)) || mp_sending_failed "$code"
    mp_add_bytes "$MP_TMP/send.stats"
    mp_clock now
    mp_phase send "$((now - began))" "$MP_BYTES"
    mp_clock MP_RUNNING_SINCE
    echo go >&9
    if [[ -n $MP_WANTED_IMAGE && $MP_TRANSFER == stream ]]; then
      mp_receive_image 9>&- &
      MP_RECEIVER=$!
    fi
    [[ $MP_MODE == detached ]] || mp_give_push_credential
  fi
  mp_await_host
  kill "$sender" 2>/dev/null || :
}

mp_give_push_credential() { [[ -z $MP_PUSH_CREDENTIAL ]] || printf 'push %s\n' "$MP_PUSH_CREDENTIAL" >&9; }

# A container whose image nobody reads would wait for ever. (With the whole connection lost, the other session knows more.)
mp_check_receiver() {
  [[ -n $MP_RECEIVER ]] && ! kill -0 "$MP_RECEIVER" 2>/dev/null || return 0
  if ! wait "$MP_RECEIVER"; then
    mp_pause 1
    ! kill -0 "$MP_HOST_PID" 2>/dev/null || mp_die 75 "the stream of the image from $MP_HOST broke off; run the build again"
  fi
  MP_RECEIVER=''
}

# A sign of life now and then. The sleep does not hold the lifeline: it must close with us, however we end.
mp_await_host() {
  local sleeper
  while kill -0 "$MP_HOST_PID" 2>/dev/null; do
    sleep 15 9>&- &
    sleeper=$!
    wait -n "$MP_HOST_PID" "$sleeper" ${MP_RECEIVER:+"$MP_RECEIVER"} || :
    mp_check_receiver
    kill "$sleeper" 2>/dev/null || :
    echo alive >&9
  done
  MP_HOST_STATUS=0
  wait "$MP_HOST_PID" || MP_HOST_STATUS=$?
}

# Detached: the script goes on while there is no connection, and its log is read on from where it broke off.
mp_follow() {
  local seen=0 count
  while :; do
    mp_host_command mp_host_follow "$MP_JOB" "$seen"
    { ssh -F "$MP_TMP/ssh_config" build-host "$REPLY" <"$MP_TMP/lifeline" 9>&- | dd bs=64k 2>"$MP_TMP/followed" 9>&-; exit "${PIPESTATUS[0]}"; } &
    MP_HOST_PID=$!
    mp_give_push_credential
    mp_await_host
    case $MP_HOST_STATUS in 75 | 10[0-3]) return 0 ;; esac
    count=$(sed -n 's/^\([0-9]*\) bytes.*/\1/p' "$MP_TMP/followed")
    seen=$((seen + ${count:-0}))
    mp_log "lost the connection to $MP_HOST; the build goes on there"
    mp_drop_connection
    mp_connect 12 || return 0
  done
}

mp_sending_failed() {
  (($1 != 12 && $1 != 255 && $1 != 30 && $1 != 10)) || mp_die 75 "lost the connection to $MP_HOST while sending (rsync $1)"
  mp_die 74 "sending to $MP_HOST failed (rsync $1): the list is above"
}

mp_drop_connection() {
  MP_CONNECTED=''
  mp_ssh -O exit build-host 2>/dev/null || :
  rm -f "$MP_TMP/c"
}

# A lost line is 255, a killed ssh 128 and more, and neither says anything of the script: only the host knows whether it had ended by then.
mp_ask_after_loss() {
  MP_HOST_STATUS=75
  mp_log "lost the connection to $MP_HOST"
  mp_drop_connection
  mp_connect 2 || return 0
  mp_quote "$MP_JOB"
  mp_host_command eval "MP_JOB=$REPLY; [ ! -e \"\$MP_JOB/lost\" ] && [ -e \"\$MP_JOB/root/mp-job/rc\" ] || exit 75; mp_host_answer"
  mp_run ssh -F "$MP_TMP/ssh_config" build-host "$REPLY" || MP_HOST_STATUS=$?
}

mp_remote() {
  local began now complete=true
  mp_prepare_key
  mp_write_ssh_config
  mp_clock began
  mp_connect 12 || mp_die 75 "cannot connect to $MP_HOST: $(<"$MP_TMP/ssh.err")"
  mp_clock now
  mp_phase connect "$((now - began))"
  mp_choose_compression
  MP_HOST_STATUS=0 MP_BYTES=0 MP_TOTAL=0 MP_IMAGE_SIZE='' MP_RSYNC_PATH=() MP_MODE=attached
  [[ ${MP_DETACHED:-} != true ]] || MP_MODE=detached
  mp_send_and_start
  ((MP_HOST_STATUS != 104)) || mp_follow
  case $MP_HOST_STATUS in 75 | 78 | 125 | 10[0-3]) ;; *) mp_ask_after_loss ;; esac
  case $MP_HOST_STATUS in
    10[0-3]) ;;
    78 | 125) exit "$MP_HOST_STATUS" ;;
    *) mp_die 75 "the connection to $MP_HOST was lost and the build there was stopped; run it again" ;;
  esac
  MP_ENDED=folder MP_BYTES=0
  ((!(MP_HOST_STATUS & 2))) || MP_RSYNC_PATH=(--rsync-path='podman unshare rsync')
  mp_clock began
  mp_fetch || complete=false
  mp_clock now
  mp_report_facts
  mp_phase fetch "$((now - began))" "$MP_BYTES"
  ((MP_RC == 0 || ${MP_TIMEOUT:-0} == 0 || began - MP_RUNNING_SINCE < MP_TIMEOUT * 100)) || mp_log "the script was ended after ${MP_TIMEOUT}s, its time limit on the host"
  ((MP_RC != 137)) || mp_log "exit code 137: something killed the script, most often the host running out of memory"
  ((MP_RC == 0)) || exit "$MP_RC"
  [[ $complete == true ]] || mp_die 74 "the script succeeded, but not everything could be brought back: the list is above"
  if [[ -n $MP_WANTED_IMAGE ]]; then
    ((MP_HOST_STATUS & 1)) || mp_die 74 "the script succeeded, but the image $MP_WANTED_IMAGE could not be exported: see above"
    mp_leave_image
  fi
}

mp_main() {
  mp_clock MP_STARTED
  trap mp_cleanup EXIT
  trap 'mp_log "stopped by a signal"; exit 143' TERM INT HUP
  mp_leave_mode none
  mp_wait_for_secret
  mp_read_secret
  if [[ $MP_HOST == localhost ]]; then
    [[ ${MP_LOCAL:-} != off ]] || mp_die 78 "$PLATFORM builds in the cluster, which this Task does not (taskgen --local off); ask for a platform that has hosts"
    mp_cut_script "$MP_SHARED/script"
    mp_leave_mode local
    mp_log "this build runs in its own pod"
    exit 0
  fi
  MP_TMP=$(mktemp -d /dev/shm/mp.XXXXXX 2>/dev/null || mktemp -d "${TMPDIR:-/tmp}/mp.XXXXXX" 2>/dev/null || mktemp -d "$MP_SHARED/mp.XXXXXX")
  MP_NONCE=$BASHPID-$RANDOM$RANDOM
  mp_plan "$@"
  mp_remote
}

mp_main "$@"
exit
