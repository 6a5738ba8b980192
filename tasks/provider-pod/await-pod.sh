#!/usr/bin/env bash
# Waits until the pod runs. No node for it is waiting, not failure, until the time is up; whatever will not pass by itself fails at
# once, with a reason and with what the pod said last.
# shellcheck disable=SC2034,SC2154 # params of the Task; log, work and others are of the scripts that are sourced first
# Sourced by launch-pod.sh.

# How long a registry may say that it has no such image, or not for us, before that counts as final.
: "${PULL_PATIENCE:=30}"

no_such_image='not found|manifest unknown|unauthorized|denied|forbidden|invalid reference|no match for platform'

read_pod() {
  api GET "$(path_of pods "$LAUNCH_TOKEN")"
  case $status in
    200) ;;
    404) fail HostGone "pod $LAUNCH_TOKEN was deleted while it started" ;;
    *) explain_api "reading pod $LAUNCH_TOKEN" ;;
  esac
  IFS=$'\037' read -r phase leaving unschedulable waiting waiting_message ended ended_message pod_ip node_ip < <(jq -r -f "$scripts/pod-state.jq" "$work/reply")
}

log_tail() {
  api_tries=1 api GET "$(path_of pods "$LAUNCH_TOKEN")/log?tailLines=20&limitBytes=8192"
  [[ $status == 200 && -s $work/reply ]] || return 0
  log "the last lines of pod $LAUNCH_TOKEN:"
  sed 's/^/  | /' "$work/reply" | printable >&2
  said_last=$(last_line "$work/reply")
}

fail_pod() { # reason, message
  local said_last=
  log_tail
  fail "$1" "pod $LAUNCH_TOKEN: $2${said_last:+; it said last: $said_last}"
}

# The start script names its reason first: "Reason: sentence".
explain_end() {
  if [[ $ended_message =~ ^([A-Z][A-Za-z]+):\ (.+)$ ]]; then
    fail_pod "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
  fi
  fail_pod HostEnded "it ended before it was ready: ${ended:-$phase} $ended_message"
}

# What the kubelet cannot do stands in no field of the pod, only in Events about it.
last_warning() {
  api GET "$(path_of events)?fieldSelector=involvedObject.name=$LAUNCH_TOKEN,type=Warning"
  [[ $status != 200 ]] || jq -r '.items | sort_by(.lastTimestamp // .eventTime) | last // {} | .message // "" | gsub("\\s+"; " ")' "$work/reply"
}

explain_slow_start() {
  local warning
  warning=$(last_warning)
  [[ ! ${warning,,} =~ user\ ?namespace|userns|idmap|id-map ]] ||
    fail UserNamespacesUnsupported "pod $LAUNCH_TOKEN: its node cannot give it a user namespace (or set privileged: \"true\"): $warning"
  [[ -z $warning || $warning == "${warned:-}" ]] || log "the node says: $warning"
  warned=$warning
}

tell_unschedulable() {
  [[ -n $unschedulable && $unschedulable != "${told:-}" ]] || return 0
  told=$unschedulable
  log "no node yet: $told"
  tell_controller Unschedulable "$told"
}

explain_time_out() {
  if [[ -n $unschedulable ]]; then
    fail InsufficientCapacity "no node took the pod within $ALLOCATION_TIMEOUT s: $unschedulable"
  fi
  explain_slow_start
  fail_pod Timeout "it did not run within $ALLOCATION_TIMEOUT s: ${waiting:-$phase} ${waiting_message:-${warned:-}}"
}

look_at_container() {
  case $waiting in
    InvalidImageName | ErrImageNeverPull) refuse "image $IMAGE: $waiting_message" ;;
    CreateContainerConfigError) refuse "image $IMAGE cannot be started as configured: $waiting_message" ;;
    CreateContainerError | RunContainerError) fail_pod HostNotStarted "$waiting_message" ;;
    ErrImagePull | ImagePullBackOff)
      [[ $waiting_message == 'Back-off pulling image '* && $waiting_message != *': '* ]] || pull_cause=$waiting_message
      # Whatever else keeps an image away may pass, and stands there also while the next pull goes well. Older kubelets say the cause once.
      [[ -n $pull_cause && ! ${pull_cause,,} =~ $no_such_image ]] || : "${refused_since:=$SECONDS}"
      [[ -z $refused_since ]] || ((SECONDS - refused_since < PULL_PATIENCE)) || refuse "image $IMAGE cannot be pulled: ${pull_cause:-$waiting_message}"
      ;;
    ContainerCreating)
      : "${creating_since:=$SECONDS}"
      if ((SECONDS - creating_since >= 10 && SECONDS >= ${next_look:-0})); then
        next_look=$((SECONDS + 5))
        explain_slow_start
      fi
      ;;
  esac
}

await_pod() {
  local told='' warned='' refused_since='' pull_cause='' creating_since='' next_look=0 started=$SECONDS
  while :; do
    read_pod
    [[ -z $leaving ]] || fail HostGone "pod $LAUNCH_TOKEN was deleted while it started"
    case $phase in
      Running) return ;;
      Failed | Succeeded) explain_end ;;
    esac
    tell_unschedulable
    look_at_container
    ((SECONDS - started < ALLOCATION_TIMEOUT)) || explain_time_out
    # Pods start within seconds; new nodes take minutes.
    if ((SECONDS - started < 15)); then sleep 0.2; else sleep 1; fi
  done
}
