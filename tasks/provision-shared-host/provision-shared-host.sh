#!/usr/bin/env bash
# Pod side of provision-shared-host: makes a key pair, a user on the host who accepts it, and the Secret the build waits for.
# Leaves a half-made user to the cleanup TaskRun that the controller runs for every attempt.
# shellcheck source=tasks/runner/connect.sh
. "${BASH_SOURCE[0]%/*}/connect.sh"

# What a build user may use, for admins to set in the Task's env. Open files and processes are those of a container build with
# many parallel compilers; the space is what an empty image storage needs to be of any use.
: "${LIMIT_NOFILE:=524288}" "${LIMIT_NPROC:=32768}" "${MIN_FREE_MB:=1024}" "${REQUIRE_PODMAN:=true}"

account=/var/run/secrets/kubernetes.io/serviceaccount
# Good at the one-time password server only: it must not be able to act as this pod.
otp_token=/var/run/secrets/multi-platform-otp/token

check_parameters() {
  check_build_parameters
  check SECRET_NAME '[a-z0-9]([-a-z0-9.]*[a-z0-9])?' 'the name of a Secret'
  check SUDO_COMMANDS '[^[:cntrl:]]*' 'one line of a sudoers command list'
  check LIMIT_NOFILE '[0-9]+' 'a number'
  check LIMIT_NPROC '[0-9]+' 'a number'
  check MIN_FREE_MB '[0-9]+' 'a number'
}

make_user() {
  # shellcheck disable=SC2034 # sent to the host by name
  local PUBLIC_KEY OTELCOL_CONFIG=
  ssh-keygen -q -t ed25519 -N '' -C "$NAME" -f "$work/id_rsa"
  # shellcheck disable=SC2034
  PUBLIC_KEY=$(<"$work/id_rsa.pub")
  # shellcheck disable=SC2034
  [[ ! -r /otelcol/config.yaml ]] || OTELCOL_CONFIG=$(</otelcol/config.yaml)
  run_on_host NAME IDENTITY PUBLIC_KEY SUDO_COMMANDS LIMIT_NOFILE LIMIT_NPROC MIN_FREE_MB REQUIRE_PODMAN OTELCOL_CONFIG \
    -- "$scripts/on-host.sh" "$scripts/add-user.sh"
  home=$(answer home)
  # The build's own scripts put it into commands.
  [[ $home =~ ^/[A-Za-z0-9._/@+-]{1,255}$ ]] || fail HostScriptFailed "$USER@$HOST: the home of the user is '$home', which is no usable path"
}

# Sets status, 000 when there was no answer, and sure=false once a request without an answer may have been carried out.
post() { # URL, certificate of the authority, content type, file, file with the token; more headers
  local try code header headers=()
  for header in "${@:6}"; do headers+=(-H "$header"); done
  sure=true
  for try in 1 2 3 4 5; do
    code=0
    status=$(curl -q --silent --show-error --noproxy '*' --connect-timeout 5 --max-time 15 --cacert "$2" \
      -H "Content-Type: $3" "${headers[@]}" -H @<(printf 'Authorization: Bearer %s' "$(<"$5")") \
      --data-binary "@$4" --output "$work/reply" --write-out '%{http_code}' -- "$1" 2>"$work/said") || code=$?
    case $status in
      000 | 429 | 5??) ;;
      *) return ;;
    esac
    log "POST $1: $status $(last_line "$work/said")"
    # 6, 7, 35 and 60 end before a request is sent; 429 refuses it.
    [[ $code =~ ^(6|7|35|60)$ || $status == 429 ]] || sure=false
    ((try == 5)) || sleep "$try"
  done
}

operator_namespace() { cat -- "$account/namespace"; }

# The build's own tools read these keys, trailing bytes included: the token without a line feed, the other values with one.
write_one_time_password() {
  local server otp
  server=https://multi-platform-otp-server.$(operator_namespace).svc.cluster.local
  printf '%s' "$(<"$work/id_rsa")" >"$work/key-to-store"
  post "$server/store-key" /tls/tls.crt application/octet-stream "$work/key-to-store" "$otp_token" \
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

write_secret() {
  local file from=()
  for file in "$work"/secret/*; do from+=(--rawfile "${file##*/}" "$file"); done
  # shellcheck disable=SC2016 # for jq
  jq -n "${from[@]}" '{
    apiVersion: "v1", kind: "Secret", type: "Opaque", stringData: $ARGS.named,
    metadata: ({ name: env.SECRET_NAME, namespace: env.NAMESPACE,
      labels: { "build.appstudio.redhat.com/multi-platform-secret": "true" } }
      + if env.TASKRUN_UID == "" then {} else { ownerReferences: [
        { apiVersion: "tekton.dev/v1", kind: "TaskRun", name: env.TASKRUN_NAME, uid: env.TASKRUN_UID } ] } end) }' >"$work/secret.json"
}

api_url() { # namespace, resource
  local server=${KUBERNETES_SERVICE_HOST:?}
  [[ $server != *:* ]] || server="[$server]"
  echo "https://$server:${KUBERNETES_SERVICE_PORT:?}/api/v1/namespaces/$1/$2"
}

create_secret() {
  local message what="Secret $NAMESPACE/$SECRET_NAME"
  post "$(api_url "$NAMESPACE" secrets)" "$account/ca.crt" application/json "$work/secret.json" "$account/token"
  message=$(jq -r '.message // empty' "$work/reply" 2>/dev/null) || message=
  case $status in
    201) log "$what created" ;;
    409)
      # Not ours to read, so it cannot be told whose it is; but never overwritten.
      [[ $sure == true ]] || fail SecretUncertain "$what exists; an earlier try of this task may have made it"
      fail SecretExists "$what exists already; it was not overwritten"
      ;;
    404) fail NamespaceGone "$what: $message" ;;
    401 | 403)
      [[ $message != *'being terminated'* ]] || fail NamespaceGone "$what: $message"
      fail Forbidden "$what: $message"
      ;;
    000 | 429 | 5??) fail ApiUnavailable "$what: the API server answered $status $message $(last_line "$work/said")" ;;
    *) fail SecretRefused "$what: $status $message" ;;
  esac
}

# A second earlier than the end of this pod is noticed by anybody. Only a hint: without it the build starts that second later.
tell_controller() {
  local namespace now
  [[ -n ${OWN_UID:-} ]] || return 0
  namespace=$(operator_namespace)
  now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  jq -n --arg namespace "$namespace" --arg now "$now" '{
    apiVersion: "v1", kind: "Event", type: "Normal", reason: "SecretCreated", message: "the Secret of the build is there",
    metadata: { generateName: "provision-", namespace: $namespace }, firstTimestamp: $now, lastTimestamp: $now, count: 1,
    source: { component: "multi-platform-provision" }, reportingComponent: "multi-platform-provision",
    involvedObject: { apiVersion: "tekton.dev/v1", kind: "TaskRun", namespace: $namespace, name: env.OWN_NAME, uid: env.OWN_UID } }' >"$work/event.json"
  curl -q --silent --noproxy '*' --connect-timeout 2 --max-time 5 --cacert "$account/ca.crt" -H 'Content-Type: application/json' \
    -H @<(printf 'Authorization: Bearer %s' "$(<"$account/token")") --data-binary "@$work/event.json" --output /dev/null \
    -- "$(api_url "$namespace" events)" || log 'the controller could not be told at once'
}

main() {
  check_parameters
  choose_user_name
  log "user $NAME on $HOST for TaskRun $NAMESPACE/$TASKRUN_NAME, attempt $ATTEMPT"
  make_user
  write_secret_keys
  write_secret
  create_secret
  tell_controller
}

main
