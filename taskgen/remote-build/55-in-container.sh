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
mp_inside_script() (
  . /mp-job/command
  if [ -n "$mp_workdir" ]; then
    mkdir -p "$mp_workdir" && cd "$mp_workdir" || exit
  fi
  mp_script
)

# With the script's environment, because it chooses the storage the image is in.
mp_inside_export() (
  . /mp-job/command
  [ -n "$mp_image" ] || exit 0
  if command -v buildah >/dev/null; then
    buildah ${mp_driver:+--storage-driver "$mp_driver"} push -q "$mp_image" oci:/mp-job/image:latest
  elif command -v podman >/dev/null; then
    podman ${mp_driver:+--storage-driver "$mp_driver"} push -q "$mp_image" oci:/mp-job/image:latest
  elif command -v skopeo >/dev/null; then
    [ -z "$mp_driver" ] || export STORAGE_DRIVER="$mp_driver"
    skopeo copy -q "containers-storage:$mp_image" oci:/mp-job/image:latest
  else
    echo 'remote-build: the builder image has neither buildah nor podman nor skopeo to export the image with' >&2
    exit 1
  fi
)

mp_inside() {
  mp_inside_clock
  mp_inside_begun=$mp_inside_now
  mp_inside_status=0
  mp_inside_script || mp_inside_status=$?
  mp_inside_fact build
  if [ "$mp_inside_status" -eq 0 ]; then
    mp_inside_export || rm -rf /mp-job/image
    [ ! -e /mp-job/image ] || mp_inside_fact export
  fi
  echo "$mp_inside_status" >/mp-job/rc.new
  mv /mp-job/rc.new /mp-job/rc
}
