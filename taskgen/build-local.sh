#!/bin/sh
# Runs in the build step's own image, after the wrapper: either the script itself (the build was to run in this pod), or loading the image that
# came back into this image's container storage, where the later steps look for it. Holds no Tekton reference and decides nothing else.
set -eu
shared=/mp-shared
after_load_line=0

# Hundredths of a second on a clock that never jumps.
clock() {
  read -r up _ </proc/uptime
  now=${up%.*}${up#*.}
}

load_image() {
  clock
  began=$now
  reference=$(cat "$shared/image-ref")
  size=$(cat "$shared/image-size" 2>/dev/null) || size=''
  source=oci:$shared/image:latest
  [ ! -e "$shared/image.tar" ] || source=docker-archive:$shared/image.tar
  if [ -e "$shared/image-digest" ]; then
    MP_IMAGE_DIGEST=$(cat "$shared/image-digest") && export MP_IMAGE_DIGEST
    if [ "${MP_LOAD:-}" = false ]; then
      echo "build-local: the host pushed $reference, $MP_IMAGE_DIGEST; no later step needs it here" >&2
      return
    fi
    case ${reference##*/} in
      *:*) source=docker://${reference%:*}@$MP_IMAGE_DIGEST ;;
      *) source=docker://$reference@$MP_IMAGE_DIGEST ;;
    esac
  fi
  if command -v buildah >/dev/null 2>&1; then
    tool=buildah
  elif command -v podman >/dev/null 2>&1; then
    tool=podman
  else
    echo "build-local: this image has neither buildah nor podman to load $reference with" >&2
    exit 1
  fi
  set -- "$tool"
  [ -z "${MP_STORAGE_DRIVER:-}" ] || set -- "$tool" --storage-driver "$MP_STORAGE_DRIVER"
  id=$("$@" pull -q ${MP_TLS_VERIFY:+"--tls-verify=$MP_TLS_VERIFY"} "$source")
  "$@" tag "$id" "$reference"
  # The name pull gave it after the folder would be one more image to people who list them.
  "$@" rmi "localhost$shared/image" >/dev/null 2>&1 || "$@" rmi "localhost$shared/image:latest" >/dev/null 2>&1 || :
  # Of another uid's files this one may be unable to remove any; they go with the pod.
  rm -rf "$shared/image" "$shared/image.tar" 2>/dev/null || :
  clock
  took=$((now - began))
  echo "build-local: loaded $reference, phase load took $(printf '%d.%02ds' "$((took / 100))" "$((took % 100))")${size:+, $size}" >&2
}

# What --after-load gave stands at the end of this file, behind exit.
after_load() {
  [ "$after_load_line" -gt 0 ] || return 0
  tail -n "+$after_load_line" -- "$0" >"$shared/after-load"
  chmod 0755 "$shared/after-load"
  "$shared/after-load" "$@"
}

case $(cat "$shared/mode" 2>/dev/null || echo none) in
  local)
    unset MP_STORAGE_DRIVER MP_DEFER_PUSH MP_TLS_VERIFY MP_LOAD
    exec "$shared/script" "$@"
    ;;
  image)
    load_image
    after_load "$@"
    if [ "${MP_DEFER_PUSH:-}" = true ]; then
      unset MP_STORAGE_DRIVER MP_DEFER_PUSH MP_TLS_VERIFY MP_LOAD
      MP_IMAGE_LOADED=true exec "$shared/script" "$@"
    fi
    ;;
esac
