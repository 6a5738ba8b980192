# shellcheck shell=sh disable=SC1091
# Functions that run in the builder container, under whatever its /bin/sh is: the script as a child, then the image export.

mp_inside_clock() {
  read -r mp_inside_up _ </proc/uptime
  mp_inside_now=${mp_inside_up%.*}${mp_inside_up#*.}
}
mp_inside_fact() {
  mp_inside_clock
  echo "$1=$((mp_inside_now - mp_inside_begun))" >>/mp-job/facts
  mp_inside_begun=$mp_inside_now
}

# A child, so that neither exec nor exit in the script can skip what follows; Kubernetes creates a missing working folder too.
mp_inside_script() ( # WORKDIR
  . /mp-job/command
  if [ -n "$1" ]; then
    mkdir -p "$1" && cd "$1" || exit
  fi
  mp_script
)

# With the script's environment, because it chooses the storage the image is in.
mp_inside_export() ( # IMAGE DRIVER
  . /mp-job/command
  if command -v buildah >/dev/null; then
    buildah ${2:+--storage-driver "$2"} push -q "$1" oci:/mp-job/image:latest
  elif command -v podman >/dev/null; then
    podman ${2:+--storage-driver "$2"} push -q "$1" oci:/mp-job/image:latest
  elif command -v skopeo >/dev/null; then
    [ -z "$2" ] || export STORAGE_DRIVER="$2"
    skopeo copy -q "containers-storage:$1" oci:/mp-job/image:latest
  else
    echo 'remote-build: the builder image has neither buildah nor podman nor skopeo to export the image with' >&2
    exit 1
  fi
)

mp_inside() { # WORKDIR IMAGE DRIVER
  mp_inside_clock
  mp_inside_begun=$mp_inside_now
  mp_inside_status=0
  mp_inside_script "$1" || mp_inside_status=$?
  mp_inside_fact build
  if [ "$mp_inside_status" -eq 0 ] && [ -n "$2" ]; then
    mp_inside_export "$2" "$3" || rm -rf /mp-job/image
    mp_inside_fact export
  fi
  echo "$mp_inside_status" >/mp-job/rc.new
  mv /mp-job/rc.new /mp-job/rc
}
