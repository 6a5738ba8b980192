# shellcheck shell=sh disable=SC2034,SC2154,SC2317 # variables and functions cross the parts
# Only in Tasks of taskgen --host-rootful: podman runs as root of the host, through sudo where the user is another. Takes the place of functions
# above, and leaves neither files of root's in the job folder nor anything of this build in root's storage.
MP_AS_ROOT=true

mp_host_podman() {
  if [ "$(id -u)" = 0 ]; then podman "$@"; else sudo -n podman "$@"; fi
}

mp_host_check_rights() {
  [ "$(id -u)" != 0 ] || return 0
  command -v sudo >/dev/null || mp_host_fail 78 'this host has no sudo, which a Task of taskgen --host-rootful needs: generate it without that flag'
  mp_host_refusal=$(sudo -n podman --version 2>&1) && return
  mp_host_fail 78 "sudo lets $(id -un) not run podman on this host ($mp_host_refusal), which a Task of taskgen --host-rootful needs: set sudo-commands of the platform in the ConfigMap host-config to $(command -v podman), or generate the Task without that flag"
}

# Of a storage and of ids that are the user's own.
mp_host_is_offered() { false; }
mp_host_map_user() { mp_host_uid=''; }

# An image's name, as a tag and as a part of a name may say it.
mp_host_sum_of() { printf '%s' "$1" | cksum | cut -d' ' -f1; }

mp_host_names() { mp_host_podman image inspect --format '{{range .RepoTags}}{{.}} {{end}}' "$1"; }

# Root's storage outlives the build. An image that was pulled for a build has a second name, made of that build's and its own first one; so the
# last build that uses it can remove it. An image without such a name the host keeps for everybody, unless a build is just pulling it:
# that says so by an empty volume, from before the pull until the image has its second name.
mp_host_inspect() { # IMAGE
  mp_host_use=$1 mp_host_sum=$(mp_host_sum_of "$1")
  # Asked before the names are: whoever ends pulling in between has given its name by then.
  mp_host_pulls=$(mp_host_podman volume ls -q | grep "^mp-pull-$mp_host_sum-") || :
  if ! mp_host_tags=$(mp_host_names "$1"); then
    echo "$mp_host_shell $1 $1" >"$MP_JOB/as-root"
    mp_host_podman volume create "mp-pull-$mp_host_sum-$MP_NAME" >/dev/null 2>&1
    return 1
  fi
  mp_host_goes=${mp_host_pulled:-$mp_host_pulls}
  case $mp_host_tags in
    *localhost/mp-*":$mp_host_sum"*) mp_host_goes=true ;;
  esac
  [ -z "$mp_host_goes" ] || mp_host_use=localhost/$MP_NAME:$mp_host_sum
  echo "$mp_host_shell $mp_host_use $1" >"$MP_JOB/as-root"
  [ "$mp_host_use" = "$1" ] || mp_host_podman tag "$1" "$mp_host_use" || return
  mp_host_podman volume rm "mp-pull-$mp_host_sum-$MP_NAME" >/dev/null 2>&1 || :
  mp_host_look "$mp_host_use"
}

# What the container left in the job folder belongs to root: podman gives it to the user of a container that mounts it, which is us.
mp_host_give_back() {
  mp_host_podman run --rm --name "$MP_NAME-back-$$" --pull=never --network=none --log-driver=none --security-opt label=disable \
    --user "$(id -u):$(id -g)" -v "$MP_JOB/root:/mp-back:U" --entrypoint "$mp_host_shell" "$mp_host_use" -c :
  chmod -R u+rwX "$MP_JOB/root"
}

# A name that is one of several goes alone, and an image that a container uses stays.
mp_host_drop_image() { # IMAGE
  [ "$mp_host_use" != "$1" ] || return 0
  mp_host_podman rmi "$mp_host_use"
  case $(mp_host_names "$1") in
    *localhost/mp-*":${mp_host_use##*:}"*) ;;
    *) mp_host_podman rmi "$1" ;;
  esac
}

# Once, by whoever comes first: the session of the build when the container has ended, or what ends the build instead.
mp_host_settle() {
  [ -e "$MP_JOB/as-root" ] || return 0
  read -r mp_host_shell mp_host_use mp_host_image <"$MP_JOB/as-root"
  MP_NAME=${MP_JOB##*/}
  mp_host_give_back
  mp_host_drop_image "$mp_host_image"
  mp_host_podman volume rm "mp-pull-$(mp_host_sum_of "$mp_host_image")-$MP_NAME"
  rm -f "$MP_JOB/as-root"
} >/dev/null 2>&1
