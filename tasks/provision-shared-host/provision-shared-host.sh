#!/usr/bin/env bash
# Pod side of provision-shared-host: makes a key pair, a user on the host who accepts it, and the Secret the build waits for.
# Leaves a half-made user to the cleanup TaskRun that the controller runs for every attempt.
# shellcheck source=tasks/runner/connect.sh
. "${BASH_SOURCE[0]%/*}/connect.sh"
# shellcheck source=tasks/runner/build-secret.sh
. "$scripts/build-secret.sh"

# shellcheck source=tasks/provision-shared-host/build-limits.sh
. "$scripts/build-limits.sh"

# For admins to set in the Task's env. The space is what an empty image storage needs to be of any use.
: "${MIN_FREE_MB:=1024}" "${REQUIRE_PODMAN:=true}"

# Good at the key server (one-time passwords) only: it must not be able to act as this pod.
otp_token=/var/run/secrets/multi-platform-otp/token

check_parameters() {
  check_build_parameters
  check SECRET_NAME '[a-z0-9]([-a-z0-9.]*[a-z0-9])?' 'the name of a Secret'
  check SUDO_COMMANDS '[^[:cntrl:]]*' 'one line of a sudoers command list'
  check MIN_FREE_MB '[0-9]+' 'a number'
  read_limits
}

make_user() {
  # shellcheck disable=SC2034 # sent to the host by name
  local PUBLIC_KEY OTHER_PUBLIC_KEY OTELCOL_CONFIG=
  ssh-keygen -q -t ed25519 -N '' -C "$NAME" -f "$work/id_rsa"
  # Hosts in FIPS mode take no ed25519 key: the host chooses.
  ssh-keygen -q -t ecdsa -b 256 -N '' -C "$NAME" -f "$work/id_ecdsa"
  # shellcheck disable=SC2034
  PUBLIC_KEY=$(<"$work/id_rsa.pub") OTHER_PUBLIC_KEY=$(<"$work/id_ecdsa.pub")
  # shellcheck disable=SC2034
  [[ ! -r /otelcol/config.yaml ]] || OTELCOL_CONFIG=$(</otelcol/config.yaml)
  run_on_host NAME IDENTITY PUBLIC_KEY OTHER_PUBLIC_KEY SUDO_COMMANDS LIMIT_NOFILE LIMIT_NPROC LIMIT_MEMORY LIMIT_CPUS LIMIT_CPU_MINUTES \
    MIN_FREE_MB REQUIRE_PODMAN OTELCOL_CONFIG \
    -- "$scripts/on-host.sh" "$scripts/add-user.sh"
  [[ $(answer key) != ecdsa ]] || mv -- "$work/id_ecdsa" "$work/id_rsa"
  home=$(answer home)
  # The build's own scripts put it into commands.
  [[ $home =~ ^/[A-Za-z0-9._/@+-]{1,255}$ ]] || fail HostScriptFailed "$USER@$HOST: the home of the user is '$home', which is no usable path"
}

# The build's own tools read these keys, trailing bytes included: the token without a line feed, the other values with one.
write_one_time_password() {
  local server otp
  server=https://multi-platform-otp-server.$(operator_namespace).svc.cluster.local
  printf '%s' "$(<"$work/id_rsa")" >"$work/key-to-store"
  # A port with limits of its own: builds do not come to it.
  post "$server:8444/store-key" /tls/tls.crt application/octet-stream "$work/key-to-store" "$otp_token" \
    "X-TaskRun-Uid: $TASKRUN_UID" "X-TaskRun-Namespace: $NAMESPACE" "X-TaskRun-Name: $TASKRUN_NAME" "X-TaskRun-Attempt: $ATTEMPT"
  [[ $status == 200 ]] || fail OtpServerRefused "the one-time password server answered $status $(last_line "$work/said")"
  otp=$(<"$work/reply")
  [[ $otp =~ ^[0-9A-Za-z-]{20,128}$ ]] || fail OtpServerRefused 'the one-time password server answered something that is no token'
  printf '%s' "$otp" >"$work/secret/otp"
  printf '%s\n' "$server/otp" >"$work/secret/otp-server"
  cat /tls/tls.crt >"$work/secret/otp-ca"
  # Tells the controller that there is a stored key to arm again after a retry, and to remove at the end.
  [[ -z ${ONE_TIME_KEY_FILE:-} ]] || printf true >"$ONE_TIME_KEY_FILE"
}

write_secret_keys() {
  mkdir "$work/secret"
  printf '%s\n' "$NAME@$HOST" >"$work/secret/host"
  printf '%s\n' "$home" >"$work/secret/user-dir"
  if [[ -e /tls/tls.crt ]]; then
    write_one_time_password
  else
    cp "$work/id_rsa" "$work/secret/id_rsa"
  fi
  # The build learns the keys of its own host only.
  if [[ -r $SSH_DIR/known_hosts ]]; then
    ssh-keygen -F "$HOST" -f "$SSH_DIR/known_hosts" | grep -v '^# ' >"$work/secret/known_hosts" || rm "$work/secret/known_hosts"
  fi
}

main() {
  check_parameters
  choose_user_name
  log "user $NAME on $HOST for TaskRun $NAMESPACE/$TASKRUN_NAME, attempt $ATTEMPT"
  make_user
  write_secret_keys
  write_secret
  create_secret false
  tell_controller SecretCreated 'the Secret of the build is there'
}

main
