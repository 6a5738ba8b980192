# shellcheck shell=sh disable=SC1091
# Functions that run in the builder container, under whatever its /bin/sh is: the script as a child, then the image export.

mp_inside_clock() {
  read -r mp_inside_up _ </proc/uptime
  mp_inside_now=${mp_inside_up%.*}${mp_inside_up#*.}
}
mp_inside_fact() {
  mp_inside_clock
  echo "$1=$((mp_inside_now - mp_inside_begun))${2:+/$2}" >>/mp-job/facts
  mp_inside_begun=$mp_inside_now
}

# Comes when it is asked for, and stays in memory; all tools look for it by one of these names.
mp_inside_credential() { # FOR WANTED
  [ "$1" = "$2" ] || return 0
  [ -e /mp-credential/config.json ] || (umask 077 && cat /mp-job/credential.pipe >/mp-credential/config.json)
  export REGISTRY_AUTH_FILE=/mp-credential/config.json DOCKER_CONFIG=/mp-credential
}

# A child, so that neither exec nor exit in the script can skip what follows; Kubernetes creates a missing working folder too.
mp_inside_script() ( # WORKDIR CREDENTIAL_FOR
  . /mp-job/command
  mp_inside_credential "$2" script
  if [ -n "$1" ]; then
    mkdir -p "$1" && cd "$1" || exit
  fi
  mp_script
)

# With the script's environment, because it chooses the storage the image is in. What follows the destination are options.
mp_inside_export() ( # IMAGE DRIVER DESTINATION [DIGEST_FILE TLS_VERIFY]
  . /mp-job/command
  mp_inside_credential "${4:+image}" image
  if command -v buildah >/dev/null; then
    buildah ${2:+--storage-driver "$2"} push -q ${4:+--digestfile "$4"} ${5:+"--tls-verify=$5"} "$1" "$3"
  elif command -v podman >/dev/null; then
    podman ${2:+--storage-driver "$2"} push -q ${4:+--digestfile "$4"} ${5:+"--tls-verify=$5"} "$1" "$3"
  elif command -v skopeo >/dev/null; then
    [ -z "$2" ] || export STORAGE_DRIVER="$2"
    skopeo copy -q ${4:+--digestfile "$4"} ${5:+"--dest-tls-verify=$5"} "containers-storage:$1" "$3"
  else
    echo 'remote-build: the builder image has neither buildah nor podman nor skopeo to export the image with' >&2
    exit 1
  fi
)

# Nobody sees what goes to a registry, and only its digest comes back.
mp_inside_size() ( # IMAGE DRIVER
  . /mp-job/command
  for mp_inside_tool in buildah podman; do
    ! command -v "$mp_inside_tool" >/dev/null || exec "$mp_inside_tool" ${2:+--storage-driver "$2"} images --format '{{.Size}}' "$1"
  done
) 2>/dev/null

# What there is in place of an image that is not there: most often the script gave it another name.
mp_inside_miss() ( # IMAGE DRIVER
  . /mp-job/command
  for mp_inside_tool in buildah podman; do
    command -v "$mp_inside_tool" >/dev/null || continue
    ! "$mp_inside_tool" ${2:+--storage-driver "$2"} inspect --type image "$1" >/dev/null 2>&1 || return
    "$mp_inside_tool" ${2:+--storage-driver "$2"} images --noheading | {
      mp_inside_names=''
      while read -r mp_inside_name mp_inside_tag _; do mp_inside_names="$mp_inside_names $mp_inside_name:$mp_inside_tag"; done
      echo "remote-build: the script left no image $1, but:${mp_inside_names:- none}; which one is brought back says --image-param of taskgen" >&2
    }
    return
  done
)

# The pipe is opened before anything is written and closed last: no reader comes too late.
mp_inside_transfer() { # IMAGE DRIVER TRANSFER TLS_VERIFY
  case $3 in
    stream) mp_inside_export "$1" "$2" docker-archive:/mp-job/image.pipe 4>/mp-job/image.pipe ;;
    registry) mp_inside_export "$1" "$2" "docker://$1" /mp-job/digest "$4" ;;
    *) mp_inside_export "$1" "$2" oci:/mp-job/image:latest ;;
  esac
}

mp_inside() { # WORKDIR IMAGE DRIVER TRANSFER CREDENTIAL_FOR TLS_VERIFY
  mp_inside_clock
  mp_inside_begun=$mp_inside_now
  mp_inside_status=0
  mp_inside_script "$1" "$5" || mp_inside_status=$?
  mp_inside_fact build
  if [ "$mp_inside_status" -eq 0 ] && [ -n "$2" ]; then
    if mp_inside_transfer "$2" "$3" "$4" "$6"; then : >/mp-job/exported; else mp_inside_miss "$2" "$3"; fi
    [ "$4" != registry ] || mp_inside_bytes=$(mp_inside_size "$2" "$3" | tr -d ' ')
    mp_inside_fact export "${mp_inside_bytes:-}"
  fi
  echo "$mp_inside_status" >/mp-job/rc.new
  mv /mp-job/rc.new /mp-job/rc
}
