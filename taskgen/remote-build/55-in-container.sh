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

# In place of the shell, where there is one of the tools.
mp_inside_exec() {
  for mp_tool in buildah podman; do
    ! command -v "$mp_tool" >/dev/null || exec "$mp_tool" "$@"
  done
}

# With the script's environment, because it chooses the storage the image is in. What follows the destination are options.
mp_inside_export() ( # IMAGE DRIVER DESTINATION [DIGEST_FILE TLS_VERIFY]
  . /mp-job/command
  mp_inside_credential "${4:+image}" image
  mp_inside_exec ${2:+--storage-driver "$2"} push -q ${4:+--digestfile "$4"} ${5:+"--tls-verify=$5"} "$1" "$3"
  if command -v skopeo >/dev/null; then
    [ -z "$2" ] || export STORAGE_DRIVER="$2"
    skopeo copy -q ${4:+--digestfile "$4"} ${5:+"--dest-tls-verify=$5"} "containers-storage:$1" "$3"
  else
    echo 'remote-build: the builder image has no buildah, podman or skopeo to export images' >&2
    exit 1
  fi
)

mp_inside_images() ( # DRIVER [FORMAT IMAGE]
  . /mp-job/command
  mp_inside_exec ${1:+--storage-driver "$1"} images ${2:+--format "$2"} ${3:+"$3"}
) 2>/dev/null

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
    if mp_inside_transfer "$2" "$3" "$4" "$6"; then
      : >/mp-job/exported
    else
      echo 'remote-build: the script left these images (taskgen --image-param says which comes back):' >&2
      mp_inside_images "$3" >&2
    fi
    # Nobody sees what goes to a registry, and only its digest comes back.
    [ "$4" != registry ] || mp_inside_bytes=$(mp_inside_images "$3" '{{.Size}}' "$2" | tr -d ' ')
    mp_inside_fact export "${mp_inside_bytes:-}"
  fi
  echo "$mp_inside_status" >/mp-job/rc.new
  mv /mp-job/rc.new /mp-job/rc
}
