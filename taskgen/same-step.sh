#!/usr/bin/env bash
# Put in front of both scripts by taskgen --runner-image same: what other generated Tasks have as two steps runs here as two halves of one,
# in the image that builds. Both stand behind the exit and are cut out of this file by line number. Decides nothing of either.
set -euo pipefail
local_line=0
remote_line=0
shared=/mp-shared

for tool in ssh rsync; do
  command -v "$tool" >/dev/null || {
    echo "same-step: this image has no $tool, which --runner-image same needs; generate the Task without that flag" >&2
    exit 78
  }
done
head -n "$((remote_line - 1))" -- "$0" | tail -n "+$local_line" >"$shared/local-half"
tail -n "+$remote_line" -- "$0" >"$shared/remote-half"
chmod 0755 "$shared/local-half" "$shared/remote-half"

# The first half clears up on the host when it is stopped: wait for it.
trap : TERM INT HUP
status=0
"$shared/remote-half" "$@" || status=$?
[ "$status" -eq 0 ] || exit "$status"
trap - TERM INT HUP

# The second one is not to see what only the first was told.
for name in "${!MP_@}"; do
  case $name in
    MP_STORAGE_DRIVER | MP_DEFER_PUSH | MP_APPEND_PLATFORM | MP_PLATFORM) ;;
    *) unset "$name" ;;
  esac
done
# shellcheck disable=SC2093 # what follows is data
exec "$shared/local-half" "$@"
exit
