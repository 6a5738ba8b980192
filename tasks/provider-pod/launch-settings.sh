#!/usr/bin/env bash
# What host-config may say about pods: each value is checked before anything is made, and a wrong one is told with its key.
# shellcheck disable=SC2034,SC2154 # params of the Task, and what launch-pod.sh and host-objects.jq go by
# Sourced by launch-pod.sh.

# The build is rejected with the sentence of a refusal: another launch would end the same way.
refusal_reason=LaunchRefused

check_key() { # key, pattern its whole value must match, what it must be
  local name=${1^^}
  name=${name//-/_}
  [[ ${!name:-} =~ ^($2)$ ]] || refuse "key $1 of platform $PLATFORM in host-config is '${!name:-}'; it must be $3"
}

check_launch_parameters() {
  local label='[a-z0-9]([-a-z0-9]*[a-z0-9])?'
  check LAUNCH_TOKEN 'mp-[0-9a-f]{20}' 'a launch token'
  check NAMESPACE "$label" 'the namespace of the TaskRun'
  check TASKRUN_NAME "$label([.]$label)*" 'the name of the TaskRun'
  check TASKRUN_UID '[A-Za-z0-9-]{0,63}' 'the uid of the TaskRun, or empty'
  check SECRET_NAME "$label([.]$label)*" 'the name of a Secret'
  check ALLOCATION_TIMEOUT '[1-9][0-9]{0,8}' 'seconds'
  check ADDITIONAL_INSTANCE_TAGS '[^[:cntrl:]]*' 'one line of key=value pairs'
  check INSTANCE_TAG '[^[:cntrl:]]*' 'one line'
}

check_placement_keys() {
  local name='[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?' object='[a-z0-9]([-a-z0-9.]*[a-z0-9])?'
  local qualified="($object/)?$name" effect='NoSchedule|PreferNoSchedule|NoExecute'
  local toleration="($qualified(=($name)?)?(:($effect))?|:($effect))"
  check_key hosts-namespace '[a-z0-9]([-a-z0-9]*[a-z0-9])?' 'the name of a namespace'
  check_key node-selector "($qualified=($name)?(,$qualified=($name)?)*)?" 'labels of nodes: label=value,label=value'
  check_key tolerations "($toleration(,$toleration)*)?" 'taints of nodes, as key=value:effect,key:effect'
  check_key priority-class-name "($object)?" 'the name of a PriorityClass'
  check_key runtime-class-name "($object)?" 'the name of a RuntimeClass'
  check_key image-pull-secret "($object)?" "the name of a Secret in namespace $HOSTS_NAMESPACE"
  check_key service-account "($object)?" "the name of a ServiceAccount in namespace $HOSTS_NAMESPACE"
  check_key image '[^[:space:][:cntrl:]]+' 'the name of an image'
}

check_machine_keys() {
  local quantity='[0-9]+([.][0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?' key
  for key in cpu-request memory-request cpu-limit memory-limit ephemeral-storage; do
    check_key "$key" "($quantity)?" 'a quantity of Kubernetes, such as 500m or 4Gi, or empty'
  done
  check_key min-disk '[0-9]+(M|G|T|Mi|Gi|Ti)' 'a size, such as 2Gi'
  check_key active-deadline-seconds '[1-9][0-9]{0,8}' 'seconds'
  check_key run-as-user '[0-9]{0,5}' 'a uid below 65536, or empty for the one of the image'
  check_key user '[a-z_][a-z0-9_-]{0,30}' 'the name of the account that the image has for builds'
  check_key expose 'service|nodePort|podIP' 'service, nodePort or podIP'
  check_key tools '([A-Za-z0-9][A-Za-z0-9.+_-]*(,[A-Za-z0-9][A-Za-z0-9.+_-]*)*)?' 'names of packages: git,rsync'
  check_key privileged 'true|false|' 'true or false'
  check_key require-existing-node 'true|false|' 'true or false'
}

# linux/arm64, linux-mlarge/arm64, linux/x86_64 → os and arch as nodes are labelled, machine as uname -m says it
read_platform() {
  [[ $PLATFORM =~ ^([a-z0-9]+)(-[a-z0-9-]*)?/([a-z0-9_-]+)$ ]] || refuse "platform '$PLATFORM' is not of the form os/arch, so no node can be chosen for it"
  os=${BASH_REMATCH[1]} arch=${BASH_REMATCH[3]//-/_}
  case $arch in
    x86_64 | amd64) arch=amd64 machine=x86_64 ;;
    aarch64 | arm64) arch=arm64 machine=aarch64 ;;
    ppc64le | s390x | riscv64) machine=$arch ;;
    *) refuse "platform '$PLATFORM': pods are for amd64 (x86_64), arm64 (aarch64), ppc64le, s390x and riscv64" ;;
  esac
  export os arch
}
