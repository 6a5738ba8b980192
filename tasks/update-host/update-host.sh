#!/usr/bin/env bash
# Pod side of update-host: periodic care of a host, one script over one connection; MESSAGE is the report when all is well.
# shellcheck source=tasks/runner/connect.sh
. "${BASH_SOURCE[0]%/*}/connect.sh"

# For admins to set in the Task's env. UPDATE_PACKAGES: dnf or apt (only where that is installed), or none.
: "${STALE_HOURS:=24}" "${MIN_FREE_MB:=1024}" "${UPDATE_PACKAGES:=dnf}" "${PACKAGES_TIMEOUT:=2400}" "${KEEP_TIMEOUT:=900}"
# Images for all builds of the host, from a ConfigMap.
: "${BUILDER_IMAGES:=}"

# One a line, comments with #.
read_image_list() {
  local line images=()
  while read -r line; do
    line=${line%%#*}
    [[ -z $line ]] || images+=("$line")
  done <<<"$BUILDER_IMAGES"
  BUILDER_IMAGES=${images[*]}
}

main() {
  check_host_parameters
  check STALE_HOURS '[1-9][0-9]{0,5}' 'a number of hours'
  check MIN_FREE_MB '[0-9]+' 'a number'
  check UPDATE_PACKAGES 'dnf|apt|none' 'dnf, apt or none'
  check PACKAGES_TIMEOUT '[1-9][0-9]{0,5}' 'a number of seconds'
  read_image_list
  check BUILDER_IMAGES '([A-Za-z0-9][A-Za-z0-9._:/@-]{0,400}( |$))*' 'a list of image references'
  check KEEP_TIMEOUT '[1-9][0-9]{0,5}' 'a number of seconds'
  log "care of $HOST, platform ${PLATFORM:-unknown}"
  run_on_host STALE_HOURS MIN_FREE_MB UPDATE_PACKAGES PACKAGES_TIMEOUT BUILDER_IMAGES KEEP_TIMEOUT \
    -- "$scripts/on-host.sh" "$scripts/remove-user.sh" "$scripts/keep-images.sh" "$scripts/care-for-host.sh"
  write_result MESSAGE "$(answer report), $(answer removed | wc -l) stale users removed"
}

main
