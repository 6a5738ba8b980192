# shellcheck shell=bash disable=SC2034,SC2154 # variables cross the parts; a test checks the whole
# Makes the private key usable: from the Secret, or from the one-time server. It is never printed and never an argument.

# ssh refuses to run for a uid without a name (OpenShift gives such uids); libnss-wrapper lends it one.
mp_name_this_uid() {
  local library
  ! id -un >/dev/null 2>&1 || return 0
  for library in /usr/lib/*/libnss_wrapper.so /usr/lib64/libnss_wrapper.so /usr/lib/libnss_wrapper.so; do
    [[ -e $library ]] || continue
    printf 'build:x:%d:%d::%s:/bin/sh\n' "$EUID" "$(id -g)" "$MP_TMP" >"$MP_TMP/passwd"
    printf 'build:x:%d:\n' "$(id -g)" >"$MP_TMP/group"
    export LD_PRELOAD=$library NSS_WRAPPER_PASSWD=$MP_TMP/passwd NSS_WRAPPER_GROUP=$MP_TMP/group
    return 0
  done
  mp_die 78 "uid $EUID has no name and ssh needs one: use a runner image with libnss-wrapper"
}

# Without a .curlrc: HOME may be in a workspace.
mp_ask_otp_server() {
  mp_run curl -q -sSf --noproxy '*' --proto '=https' --connect-timeout 10 --max-time 60 \
    --cacert "$MP_SECRET/otp-ca" -o "$MP_TMP/key" -w '%{http_code}' -d "@$MP_SECRET/otp" --url "$1" \
    >"$MP_TMP/http-code" 2>"$MP_TMP/curl.err"
}

# A refused token is asked for again: after a Tekton retry the controller re-arms it, which takes a moment.
mp_redeem_otp() {
  local url started now result code said='' key
  for key in otp-server otp-ca; do [[ -s $MP_SECRET/$key ]] || mp_die 78 "the Secret has a key otp but no $key: start a new TaskRun"; done
  url=$(<"$MP_SECRET/otp-server")
  mp_clock started
  while :; do
    result=0
    mp_ask_otp_server "$url" || result=$?
    ((result != 0)) || return 0
    code=$(<"$MP_TMP/http-code")
    case $result in
      3 | 1 | 51 | 60 | 77) mp_die 77 "the key server $url cannot be trusted: $(<"$MP_TMP/curl.err")" ;;
    esac
    [[ $said == "$result $code" ]] || mp_log "key server answered $code ($(<"$MP_TMP/curl.err")), asking again for half a minute"
    said="$result $code"
    mp_clock now
    ((now - started < 3000)) || break
    mp_pause 1
  done
  [[ $code != 4* ]] || mp_die 77 "the one-time token was refused (HTTP $code): it was used already or has expired; start a new TaskRun"
  mp_die 75 "the key server $url did not answer: $(<"$MP_TMP/curl.err")"
}

mp_prepare_key() {
  mp_name_this_uid
  if [[ -e $MP_SECRET/otp ]]; then
    mp_redeem_otp
  else
    [[ -s $MP_SECRET/id_rsa ]] || mp_die 78 "the Secret has neither id_rsa nor otp: start a new TaskRun"
    cat "$MP_SECRET/id_rsa" >"$MP_TMP/key"
  fi
  # Keys that passed through $(cat …) have lost the last newline, and ssh calls them an invalid format.
  echo >>"$MP_TMP/key"
  ssh-keygen -y -P '' -f "$MP_TMP/key" >/dev/null 2>"$MP_TMP/keygen.err" ||
    mp_die 78 "what the Secret gave is no usable private key ($(<"$MP_TMP/keygen.err")): start a new TaskRun"
}
