#!/usr/bin/env bash
# Pod side of the tasks that give a build its Secret: creates it, never overwrites one, and tells the controller at once.
# shellcheck disable=SC2153,SC2154 # params of the Task, and what connect.sh sets
# Sourced after connect.sh. Of the API server it may ask only that; a Secret outside its namespace it cannot read.

account=/var/run/secrets/kubernetes.io/serviceaccount

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
      409) is_conflict || return 0 ;;
      *) return ;;
    esac
    log "POST $1: $status $(last_line "$work/said")"
    # 6, 7, 35 and 60 end before a request is sent; 429 and a conflict refuse it.
    [[ $code =~ ^(6|7|35|60)$ || $status == 429 || $status == 409 ]] || sure=false
    ((try == 5)) || sleep "$try"
  done
}

# A quota that two requests counted at once. That the object exists has the same status, and a reason of its own.
is_conflict() { [[ $(jq -r '.reason // empty' "$work/reply" 2>/dev/null) == Conflict ]]; }

operator_namespace() { cat -- "$account/namespace"; }

api_url() { # namespace, resource
  local server=${KUBERNETES_SERVICE_HOST:?}
  [[ $server != *:* ]] || server="[$server]"
  echo "https://$server:${KUBERNETES_SERVICE_PORT:?}/api/v1/namespaces/$1/$2"
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

create_secret() { # may an earlier try have made it?; command that finds the note of one that did
  local message what="Secret $NAMESPACE/$SECRET_NAME"
  post "$(api_url "$NAMESPACE" secrets)" "$account/ca.crt" application/json "$work/secret.json" "$account/token"
  message=$(jq -r '.message // empty' "$work/reply" 2>/dev/null) || message=
  case $status in
    201) log "$what created" ;;
    409)
      ! is_conflict || fail ApiUnavailable "$what: $message"
      # Not ours to read, so it cannot be told whose it is; but never overwritten.
      if [[ -n ${2:-} ]] && "$2"; then
        log "$what was created by an earlier try"
        return
      fi
      [[ $sure == false || $1 == true ]] || fail SecretExists "$what exists already; it was not overwritten"
      fail SecretUncertain "$what exists; an earlier try of this task may have made it"
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

# An Event about our own TaskRun. Only a hint: without it the controller learns a second later, from the end of this pod.
tell_controller() { # reason, message
  local namespace now
  [[ -n ${OWN_UID:-} ]] || return 0
  namespace=$(operator_namespace)
  now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  jq -n --arg namespace "$namespace" --arg now "$now" --arg reason "$1" --arg message "${2:0:1000}" '{
    apiVersion: "v1", kind: "Event", type: "Normal", $reason, $message,
    metadata: { generateName: "provision-", namespace: $namespace }, firstTimestamp: $now, lastTimestamp: $now, count: 1,
    source: { component: "multi-platform-provision" }, reportingComponent: "multi-platform-provision",
    involvedObject: { apiVersion: "tekton.dev/v1", kind: "TaskRun", namespace: $namespace, name: env.OWN_NAME, uid: env.OWN_UID } }' >"$work/event.json"
  curl -q --silent --noproxy '*' --connect-timeout 2 --max-time 5 --cacert "$account/ca.crt" -H 'Content-Type: application/json' \
    -H @<(printf 'Authorization: Bearer %s' "$(<"$account/token")") --data-binary "@$work/event.json" --output /dev/null \
    -- "$(api_url "$namespace" events)" || log 'the controller could not be told at once'
}
