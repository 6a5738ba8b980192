# shellcheck shell=bash
# The image storage of the cache: podman, buildah and skopeo use it instead of the machine's own. Sourced after versions.sh.
export CONTAINERS_STORAGE_CONF=$CACHE/storage.conf CONTAINERS_CONF=$CACHE/containers.conf BUILDAH_ISOLATION=chroot

# The run folder must not survive a reboot: what it says about mounts would be wrong afterwards.
prepare_storage() {
  mkdir -p "$CACHE/storage"
  printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "/run/multi-platform-cluster"\n' "$CACHE/storage" >"$CONTAINERS_STORAGE_CONF"
  # crun, Debian's first choice, refuses a machine with cgroup v1.
  printf '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n' >"$CONTAINERS_CONF"
}

# digest <file or folder …>: changes with any name, mode or content in them
digest() {
  {
    find "$@" -type f -printf '%m %p\n' | sort
    find "$@" -type f -print0 | sort -z | xargs -0 cat
  } | sha256sum | cut -c1-16
}
