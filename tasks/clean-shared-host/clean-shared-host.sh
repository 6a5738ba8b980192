#!/usr/bin/env bash
# Pod side of clean-shared-host: undoes on the host what provision-shared-host did for one attempt. Done already is success;
# a host that does not answer is failure, and the controller comes again.
# shellcheck source=tasks/runner/connect.sh
. "${BASH_SOURCE[0]%/*}/connect.sh"

main() {
  check_build_parameters
  choose_user_name
  log "removing user $NAME of TaskRun $NAMESPACE/$TASKRUN_NAME, attempt $ATTEMPT, from $HOST"
  run_on_host NAME IDENTITY -- "$scripts/on-host.sh" "$scripts/remove-user.sh" "$scripts/clean-host.sh"
}

main
