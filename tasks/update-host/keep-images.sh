#!/bin/sh
# Host side of update-host: keeps the builder images an admin lists in a store that every build of this host can read and none can
# change, so that a build need not pull them into its user's empty storage. Sent after on-host.sh; care-for-host.sh calls keep_images.
# A store in use is never written to: the next one is made beside it and takes its place when it is whole.
# shellcheck disable=SC2154 # images_dir is on-host.sh's
# Sent along: BUILDER_IMAGES KEEP_TIMEOUT MIN_FREE_MB

# Owners and modes of what an image holds are attributes of its files here: only so can another user read all of them. In a user
# namespace, as builds themselves have one: there podman leaves out device nodes, which can have no such attributes; and the
# mount that it leaves in a store goes with the namespace.
store_podman() { # store, command
  store_podman_root=$1
  shift
  # shellcheck disable=SC2016 # meant for the inner shell
  unshare --user --mount sh -c 'until [ "$(id -u)" = 0 ]; do sleep 0.05; done; exec "$@"' sh \
    timeout --kill-after=10 "$KEEP_TIMEOUT" podman --root "$store_podman_root" --runroot /run/multi-platform-images --tmpdir /run/multi-platform-images/tmp \
    --storage-driver overlay --storage-opt overlay.mount_program="$(command -v fuse-overlayfs)" --storage-opt overlay.force_mask=shared "$@" 7>&- &
  store_podman_id=$!
  while [ "$(readlink "/proc/$store_podman_id/ns/user")" = "$(readlink /proc/self/ns/user)" ]; do sleep 0.05; done
  { echo '0 0 65536' >"/proc/$store_podman_id/gid_map" && echo '0 0 65536' >"/proc/$store_podman_id/uid_map"; } || kill "$store_podman_id"
  wait "$store_podman_id"
}

# By hard links, for what did not change is not pulled again; but what podman writes in place is its own in each store. Root's alone
# until it is opened.
begin_store() { # old or empty, new
  umask 022
  mkdir -p "$images_dir" && chmod 755 "$images_dir" || return
  if [ -n "$1" ]; then
    cp -al "$1" "$2" && rm -rf "$2/libpod" && find "$2" -maxdepth 2 -name '*.lock' -delete
  else
    mkdir "$2"
  fi && chmod 700 "$2"
}

pull_images() { # store
  wanted=' '
  for image in $BUILDER_IMAGES; do
    echo "pulling $image" >&2
    id=$(store_podman "$1" pull -q "$image") || fail ImagesNotKept "$image cannot be pulled; builds use what was kept before"
    wanted="$wanted${id#sha256:} "
  done
  for id in $(store_podman "$1" images --all --quiet --no-trunc); do
    case $wanted in *" ${id#sha256:} "*) continue ;; esac
    store_podman "$1" rmi --force "$id" >&2 || fail ImagesNotKept "image $id, which is no longer listed, cannot be removed"
  done
}

# Podman's own records are for root; readers need the store's. The images' files can be read by everybody already, and a build can run
# them here, outside of any container: so none may give it rights on this host. A new owner, even the same, takes setuid bits and
# capabilities off a file; what the image says of both stands in an attribute.
open_store() { # store
  rm -rf "$1/libpod" && find "$1"/overlay/*/diff ! -type l -exec chown -h root:root {} + &&
    find "$1" -path "$1/overlay/*/diff/*" -prune -o ! -type l -exec chmod a+rX,go-w {} +
}

make_store() {
  store=$images_dir/1
  while [ -e "$store" ]; do store=$images_dir/$((${store##*/} + 1)); done
  if ! begin_store "$old_store" "$store"; then
    rm -rf "$store"
    fail ImagesNotKept "cannot make $store"
  fi
  (pull_images "$store") || {
    rm -rf "$store"
    exit 1
  }
  if [ "$(df -Pk "$images_dir" | awk 'NR == 2 { print int($4 / 1024) }')" -lt "$MIN_FREE_MB" ]; then
    rm -rf "$store"
    fail NoSpace "with the builder images less than $MIN_FREE_MB MiB would be free in $images_dir"
  fi
  # Also of what did not change: it is shared with the old store.
  open_store "$store" || fail ImagesNotKept "cannot open $store to builds"
  if [ -n "$old_store" ] && cmp -s "$old_store/overlay-images/images.json" "$store/overlay-images/images.json"; then
    rm -rf "$store"
    return
  fi
  { echo "${store##*/}" >"$images_dir/.current" && chmod 644 "$images_dir/.current" && mv "$images_dir/.current" "$images_dir/current"; } ||
    fail ImagesNotKept "cannot open $store to builds"
}

# A build keeps the store it began with: whoever read its name was a user of ours before that.
remove_old_stores() {
  [ -d "$images_dir" ] && [ -z "$(our_users)" ] || return 0
  for store in "$images_dir"/[0-9]*; do
    [ "$store" = "$(image_store)" ] || rm -rf "$store"
  done
}

keep_images() {
  old_store=$(image_store)
  if [ -z "$BUILDER_IMAGES" ]; then
    rm -f "$images_dir/current"
  elif ! command -v fuse-overlayfs >/dev/null || ! command -v podman >/dev/null; then
    fail ImagesNotKept 'builder images are listed, but the host has no fuse-overlayfs or no podman'
  elif ! setpriv --reuid=65534 --regid=65534 --clear-groups -- test -w /dev/fuse; then
    fail ImagesNotKept 'builder images are listed, but builds, which are not root, cannot open /dev/fuse: modprobe fuse && chmod 666 /dev/fuse'
  elif [ "$(find "$images_dir" -maxdepth 1 -name '[0-9]*' 2>/dev/null | wc -l)" -gt 2 ]; then
    echo 'builds still use earlier builder images; they are renewed next time' >&2
  else
    make_store
  fi
  remove_old_stores
}
