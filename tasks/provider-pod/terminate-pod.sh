#!/usr/bin/env bash
# Task terminate-pod: removes everything one host is made of, found by its launch token alone, and returns when the pod is gone.
# Nothing there is success. Says in LOST how the pod had ended, if it had ended before anybody asked for it.
# shellcheck source=tasks/runner/connect.sh
. "${BASH_SOURCE[0]%/*}/connect.sh"
# shellcheck source=tasks/provider-pod/cluster-api.sh
. "$scripts/cluster-api.sh"

# A pod whose node is gone never ends by itself; after this long its object is removed all the same.
: "${TERMINATE_PATIENCE:=120}"

check_parameters() {
  check LAUNCH_TOKEN 'mp-[0-9a-f]{20}' 'a launch token'
  check HOSTS_NAMESPACE '[a-z0-9]([-a-z0-9]*[a-z0-9])?' 'the namespace of the host pods'
}

remove() { # resource, name; query
  api DELETE "$(path_of "$1" "$2")${3:-}"
  case $status in
    200 | 202 | 404) ;;
    *) explain_api "deleting $1 $2" ;;
  esac
}

# Looked at before anything is removed: afterwards every pod has ended. The Service is what goes first, so a Service means that
# no terminate was here before; and only a host that its build was given can be lost.
note_loss() {
  local loss
  api GET "$(path_of services "$LAUNCH_TOKEN")"
  [[ $status == 200 ]] || return 0
  jq -e --arg key "$label/build-secret" '.metadata.annotations[$key] == "made"' "$work/reply" >/dev/null || return 0
  api GET "$(path_of pods "$LAUNCH_TOKEN")"
  case $status in
    200) loss=$(jq -r -f "$scripts/pod-loss.jq" "$work/reply") ;;
    404) loss='it was deleted' ;;
    *) return 0 ;;
  esac
  [[ -n $loss ]] || return 0
  log "lost: $loss"
  write_result LOST "pod $LAUNCH_TOKEN: $loss"
}

await_end() {
  local forced=false
  while :; do
    api GET "$(path_of pods "$LAUNCH_TOKEN")"
    case $status in
      404) return ;;
      200) ;;
      *) explain_api "reading pod $LAUNCH_TOKEN" ;;
    esac
    if ((SECONDS > TERMINATE_PATIENCE)) && [[ $forced == false ]]; then
      log "pod $LAUNCH_TOKEN is still there after $SECONDS s; its object is removed"
      remove pods "$LAUNCH_TOKEN" '?gracePeriodSeconds=0'
      forced=true
    fi
    sleep 0.3
  done
}

main() {
  [[ -n ${LAUNCH_TOKEN:-} ]] || LAUNCH_TOKEN=${INSTANCE_ID:-}
  check_parameters
  use_hosts_cluster
  note_loss
  remove services "$LAUNCH_TOKEN"
  remove pods "$LAUNCH_TOKEN"
  await_end
  remove secrets "multi-platform-ssh-$LAUNCH_TOKEN"
  remove networkpolicies "$LAUNCH_TOKEN"
  log "host $LAUNCH_TOKEN is gone"
}

main
