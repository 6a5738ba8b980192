#!/usr/bin/env bash
# Task launch-pod: a pod with sshd as the host of one build, and the Secret by which the build finds it. Idempotent by launch token:
# a repeat adopts what is there. Leaves whatever it made to terminate-pod, which knows it by the token.
# shellcheck disable=SC2154 # params of the Task
# shellcheck source=tasks/runner/connect.sh
. "${BASH_SOURCE[0]%/*}/connect.sh"
# shellcheck source=tasks/runner/build-secret.sh
. "$scripts/build-secret.sh"
# shellcheck source=tasks/provider-pod/cluster-api.sh
. "$scripts/cluster-api.sh"
# shellcheck source=tasks/provider-pod/launch-settings.sh
. "$scripts/launch-settings.sh"
# shellcheck source=tasks/provider-pod/await-pod.sh
. "$scripts/await-pod.sh"
# shellcheck source=tasks/provider-pod/check-host.sh
. "$scripts/check-host.sh"

# require-existing-node: whoever never adds nodes wants to know at once that there is none.
require_node() {
  local selector="kubernetes.io/os=$os,kubernetes.io/arch=$arch${NODE_SELECTOR:+,$NODE_SELECTOR}"
  [[ $REQUIRE_EXISTING_NODE == true ]] || return 0
  api GET "/api/v1/nodes?limit=1&labelSelector=$(jq -rn --arg selector "$selector" '$selector | @uri')"
  [[ $status == 200 ]] || explain_api 'listing nodes'
  jq -e '.items | length > 0' "$work/reply" >/dev/null || refuse "NodePlatformNotFound: no node has the labels $selector"
}

# Addresses of the API server, which builds have no business with: its Service, and what is behind that.
guarded_addresses() {
  {
    [[ $away == true ]] || printf '%s\n' "$KUBERNETES_SERVICE_HOST"
    api GET /apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes
    [[ $status != 200 ]] || jq -r '.endpoints[]?.addresses[]?' "$work/reply"
  } | sort -u | jq -Rcn '[inputs | select(test("^[0-9a-fA-F.:]+$"))]'
}

write_objects() {
  local operator_namespace
  [[ $EXPOSE != podIP ]] || pod_port=22
  operator_namespace=$(operator_namespace)
  mkdir -p "$work/ssh"
  ssh-keygen -q -t ed25519 -N '' -C "$LAUNCH_TOKEN" -f "$work/ssh/id_rsa"
  ssh-keygen -q -t ed25519 -N '' -C "$LAUNCH_TOKEN" -f "$work/host_key"
  export pod_port operator_namespace away
  jq -nc -f "$scripts/host-objects.jq" --argjson guarded "$(guarded_addresses)" --rawfile client "$work/ssh/id_rsa.pub" \
    --rawfile host "$work/host_key" --rawfile host_public "$work/host_key.pub" --rawfile start "$scripts/start-host.sh" >"$work/objects"
}

create() { # resource, number of the object; sets made, and adopted when it was not
  sed -n "$2p" "$work/objects" >"$work/object"
  api POST "$(path_of "$1")" "$work/object"
  made=true
  case $status in
    201) log "made: $1 of host $LAUNCH_TOKEN" ;;
    409)
      [[ $(api_reason) == AlreadyExists ]] || explain_api "making the $1 of the host"
      made=false adopted=true
      ;;
    *) explain_api "making the $1 of the host" ;;
  esac
}

read_service() {
  api GET "$(path_of services "$LAUNCH_TOKEN")"
  [[ $status == 200 ]] || explain_api "reading service $LAUNCH_TOKEN"
  state=$(jq -r --arg key "$label/build-secret" '.metadata.annotations[$key] // ""' "$work/reply")
}

make_host() {
  local made
  create networkpolicies 1
  create secrets 2
  [[ $made == true ]] || adopt_keys
  create services 3
  [[ $made == true ]] || read_service
  cp "$work/reply" "$work/service"
  create pods 4
}

# An earlier try made the host; its client key went with its pod. Ours is let in beside it, and the host keeps its own key.
adopt_keys() {
  local try
  for try in 1 2 3 4 5; do
    api GET "$(path_of secrets "multi-platform-ssh-$LAUNCH_TOKEN")"
    [[ $status == 200 ]] || explain_api 'reading the keys of the host'
    jq -r '.data["ssh_host_ed25519_key.pub"] | @base64d' "$work/reply" >"$work/host_key.pub"
    jq -c --rawfile key "$work/ssh/id_rsa.pub" '{ metadata: { resourceVersion: .metadata.resourceVersion },
      stringData: { authorized_keys: ((.data.authorized_keys | @base64d) + $key) } }' "$work/reply" >"$work/patch"
    api PATCH "$(path_of secrets "multi-platform-ssh-$LAUNCH_TOKEN")" "$work/patch"
    [[ $status == 409 ]] || break
  done
  [[ $status == 200 ]] || explain_api 'adding our key to the host'
  log "adopted: host $LAUNCH_TOKEN of an earlier try"
  # The kubelet looks at the Secret again when its pod changes.
  annotate pods keys-added "$try-$SECONDS-$RANDOM" || true
}

annotate() { # resource, name of the annotation, value
  jq -nc --arg key "$label/$2" --arg value "$3" '{ metadata: { annotations: { ($key): $value } } }' >"$work/patch"
  api PATCH "$(path_of "$1" "$LAUNCH_TOKEN")" "$work/patch"
  [[ $status == 200 ]]
}

write_known_hosts() {
  printf '%s %s\n' "$known_as" "$(cut -d' ' -f1,2 "$work/host_key.pub")" >"$work/ssh/known_hosts"
}

# The pod of a launch that was deleted has up to 30 seconds left, and makes the Secret in them as ever; the note follows at once.
noted_by_earlier_try() {
  local try
  for try in 1 2 3 4 5; do
    read_service
    [[ $state != made ]] || return 0
    sleep 1
  done
  return 1
}

# Ours or not: a Secret in the build's namespace cannot be read. So that an earlier try has made it is noted on the Service; one that
# made any of the host's objects may have come so far, and so may one that began after us, although it was asked for before.
give_to_build() {
  local noting
  mkdir "$work/secret"
  printf '%s\n' "$USER@$address" >"$work/secret/host"
  printf '%s\n' "$home" >"$work/secret/user-dir"
  cp "$work/ssh/id_rsa" "$work/ssh/known_hosts" "$work/secret/"
  ((port == 22)) || printf '%s\n' "$port" >"$work/secret/port"
  write_secret
  # A launch that is deleted is told to end, and killed 30 seconds later: what it has begun to make is noted first.
  trap '' TERM
  create_secret "$adopted" noted_by_earlier_try
  { annotate services build-secret made || log "it could not be noted that the Secret is there: $status $(api_message)"; } &
  noting=$!
  tell_controller SecretCreated 'the Secret of the build is there'
  wait "$noting"
  trap - TERM
}

main() {
  local state='' adopted=false pod_port=2222 os arch machine address port known_as home
  check_launch_parameters
  check_placement_keys
  check_machine_keys
  read_platform
  use_hosts_cluster
  write_result INSTANCE_ID "$LAUNCH_TOKEN"
  require_node
  write_objects
  make_host
  await_pod
  find_address
  write_known_hosts
  if [[ $state != made ]]; then
    check_host
    give_to_build
  fi
  write_result ADDRESS "$address"
  write_result USER "$USER"
  log "host $LAUNCH_TOKEN at $known_as is ready for TaskRun $NAMESPACE/$TASKRUN_NAME"
}

main
