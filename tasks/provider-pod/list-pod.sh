#!/usr/bin/env bash
# Task list-pod: which hosts there are, as JSON in INSTANCES. Network policies are what it counts: the first object of a host to
# be made and the last to be removed.
# shellcheck source=tasks/runner/connect.sh
. "${BASH_SOURCE[0]%/*}/connect.sh"
# shellcheck source=tasks/provider-pod/cluster-api.sh
. "$scripts/cluster-api.sh"

# All results of a TaskRun share 4096 bytes, so the oldest come first and the next look gets the rest.
limit=3000

main() {
  check HOSTS_NAMESPACE '[a-z0-9]([-a-z0-9]*[a-z0-9])?' 'the namespace of the host pods'
  use_hosts_cluster
  api GET "$(path_of networkpolicies)?labelSelector=$label/launch-token"
  [[ $status == 200 ]] || explain_api 'listing the hosts'
  jq -jc --argjson limit "$limit" -f "$scripts/instances.jq" "$work/reply" >"$INSTANCES_FILE"
  log "$(jq '.items | length' "$work/reply") hosts in $HOSTS_NAMESPACE, $(jq length "$INSTANCES_FILE") of them listed"
}

main
