# shellcheck shell=sh disable=SC2034,SC2154 # variables cross the parts
# The builder image and its container, on the host: pulled only where it is missing, and never of another architecture.

mp_host_platform() {
  case $(uname -m) in
    x86_64) echo linux/amd64 ;;
    aarch64) echo linux/arm64 ;;
    armv7*) echo linux/arm ;;
    i?86) echo linux/386 ;;
    *) echo "linux/$(uname -m)" ;;
  esac
}

# Images that the host keeps for all its builds (Task update-host): fast where they work, and nothing is lost where they do not.
mp_host_is_offered() {
  mp_host_offer=${XDG_CONFIG_HOME:-$HOME/.config}/containers/storage.conf
  head -n 1 "$mp_host_offer" 2>/dev/null | grep -q '^# multi-platform:'
}
mp_host_decline() {
  mp_host_say 'the builder images that this host keeps cannot be used'
  mp_host_podman rm -f -v "$MP_NAME" >/dev/null 2>&1
  # The survey has read the offer, and would write the way of stacking layers into the new storage.
  wait
  rm -f "$mp_host_offer"
  # What was begun with one way of stacking layers is not gone on with in another.
  podman unshare rm -rf "${XDG_DATA_HOME:-$HOME/.local/share}/containers/storage" >/dev/null 2>&1 || :
}

# The credential is on the host for as long as the pull takes.
mp_host_pull() { # IMAGE
  mp_host_say "pulling the builder image $1"
  mp_host_pulled=true
  [ -z "$mp_host_credential" ] || echo "$mp_host_credential" | base64 -d >"$MP_JOB/auth.json" || mp_host_fail 78 'the credential for the pull is damaged'
  mp_host_try=1
  # Layers that it found in a damaged store were not pulled.
  until mp_host_podman pull -q ${mp_host_credential:+--authfile "$MP_JOB/auth.json"} "$1" >/dev/null && mp_host_inspect "$1"; do
    [ "$mp_host_try" -lt 3 ] || mp_host_fail 125 "the builder image $1 cannot be pulled on this host"
    ! mp_host_is_offered || mp_host_decline
    sleep "$((mp_host_try * 2))"
    mp_host_try=$((mp_host_try + 1))
  done
  rm -f "$MP_JOB/auth.json"
}

# For which platform it is, how much it takes, and whose user it names.
mp_host_look() { # IMAGE
  mp_host_use=$1
  mp_host_found=$(mp_host_podman image inspect --format '{{.Os}}/{{.Architecture}} {{.Size}} {{.User}}' "$1") || return
  mp_host_user=${mp_host_found#* } mp_host_found=${mp_host_found%% *}
  mp_host_size=${mp_host_user%% *} mp_host_user=${mp_host_user#* }
}
mp_host_inspect() { mp_host_look "$1"; }

# Status 1 of podman is "not here"; with any other, 0 included, there is something here that it cannot read.
mp_host_miss() {
  mp_host_is_offered || return 0
  mp_host_status=0
  podman image exists "$1" 2>/dev/null || mp_host_status=$?
  [ "$mp_host_status" -eq 1 ] || mp_host_decline
}

# One podman call answers both "is it here" (also in a read-only store of the host's) and "is it for this machine".
mp_host_image() {
  mp_host_clock
  mp_host_begun=$mp_host_now mp_host_pulled=''
  if mp_host_inspect "$1" 2>/dev/null; then
    mp_host_say 'the builder image is here already'
  else
    mp_host_miss "$1"
    mp_host_pull "$1"
    mp_host_clock
    mp_host_took=$((mp_host_now - mp_host_begun))
    mp_host_say "$(printf 'phase pull took %d.%02ds, %d.%dMB' "$((mp_host_took / 100))" "$((mp_host_took % 100))" "$((mp_host_size / 1000000))" "$((mp_host_size % 1000000 / 100000))")"
  fi
  mp_host_clock
  echo "pull=$((mp_host_now - mp_host_begun))${mp_host_pulled:+/$mp_host_size}" >>"$MP_JOB/root/mp-job/facts"
  [ "$mp_host_found" = "$(mp_host_platform)" ] || mp_host_fail 78 \
    "the builder image $1 is for $mp_host_found, this host is $(mp_host_platform): name an image, or the digest of an index, that has $(mp_host_platform)"
}

# What people ask for first when a build goes wrong on a host. Beside everything else: nothing waits for it.
mp_host_survey() {
  mp_host_info=$(mp_host_podman info --format 'podman {{.Version.Version}}, rootless {{.Host.Security.Rootless}}, storage {{.Store.GraphDriverName}} in {{.Store.GraphRoot}}' 2>/dev/null) || return 0
  mp_host_say "$mp_host_info, $(df -Pk "${mp_host_info##* in }" | awk 'NR == 2 { print int($4 / 1024) }') MiB free there, $(df -Pk "$MP_JOB" | awk 'NR == 2 { print int($4 / 1024) }') for files"
}

# The user that the image names must own what was sent, as one that the Task names: that user is the one we log in as.
mp_host_map_user() { # podman-argument…
  mp_host_uid=${mp_host_user%%:*}
  case "$(id -u) $*" in
    '0 '* | *--user=* | *--userns=*) mp_host_uid='' ;;
  esac
  case $mp_host_uid in
    0 | root) mp_host_uid='' ;;
    *[!0-9]*)
      mp_host_uid=$(podman run --rm --pull=never --network=none --log-driver=none --security-opt label=disable --entrypoint id "$mp_host_use" -u) ||
        mp_host_fail 78 "$mp_host_use runs as the user '$mp_host_user', whose number it does not tell: set runAsUser in the step's securityContext"
      ;;
  esac
}

mp_host_create() { # podman-argument…
  mp_host_podman create --name "$MP_NAME" --rm --pull=never --log-driver=none --stop-timeout 1 --security-opt label=disable \
    --entrypoint "$mp_host_shell" "$@" "$mp_host_use" /mp-job/launch >/dev/null
}

# A kept image is proved before the script starts, while a pull can still take its place.
mp_host_prove() { # podman-argument…
  { mp_host_is_offered && ! podman init "$MP_NAME" >/dev/null; } || return 0
  mp_host_decline
  mp_host_image "$mp_host_image"
  mp_host_create "$@" || mp_host_fail 125 'podman cannot make the container'
}
