#!/bin/sh
# shellcheck shell=bash source-path=SCRIPTDIR/..
# Makes a bare Debian machine ready for `npm test` and `npm run demo`: packages, node_modules, and a Kubernetes with Tekton built from source.
# Everything is kept and stamped; run again it takes a second. Usage: sh test/setup.sh [--modules-only]
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -euo pipefail
cd "$(dirname "$0")/.."
. test/cluster/versions.sh

PACKAGES='bash binfmt-support buildah busybox-static ca-certificates conntrack containernetworking-plugins curl debootstrap docker-registry
  fuse-overlayfs gcc git iproute2 iptables jq libc6-dev libnss-wrapper libseccomp-dev nftables openssh-client openssh-server pkg-config podman procps qemu-user-static
  rsync runc shellcheck skopeo sudo uidmap util-linux'

# Services of the packages stay off: they are wanted as programs, not as daemons on this machine.
install_packages() {
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod +x $policy
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  apt-get update
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $1
}

ensure_packages() {
  local missing
  command -v dpkg-query >/dev/null || fail "this is not Debian: install what corresponds to these packages yourself, or test on another cluster: $PACKAGES"
  # shellcheck disable=SC2086
  missing=$(comm -23 <(printf '%s\n' $PACKAGES | sort) <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort) | tr '\n' ' ')
  [ -n "$missing" ] || return 0
  [ "$(id -u)" = 0 ] || fail "packages are missing; install them with: sudo apt-get install --no-install-recommends $missing"
  stage "install Debian packages" install_packages "$missing"
}

ensure_node() {
  local found
  found=$(node --version 2>/dev/null || echo none)
  # As package.json has it.
  printf '20.19\n%s\n' "${found#v}" | sort -CV && [ "$found" != none ] && command -v npm >/dev/null && return
  fail "Node 20.19 or newer with npm is needed, found: $found. Install one of nodejs.org's releases, or your distribution's package"
}

ensure_go() {
  local found
  found=$(go env GOVERSION 2>/dev/null || echo none)
  # Any Go from 1.21 on fetches the version that the modules ask for by itself.
  [ "$found" != none ] && [ "$(cut -d. -f2 <<<"$found")" -ge 21 ] && return
  fail "Go 1.21 or newer is needed, found: $found. On Debian 13: apt-get install -y golang; on Debian 12: apt-get install -y -t bookworm-backports golang"
}

ensure_modules() {
  local wanted
  wanted=$(cksum <package-lock.json)
  [ "$(cat node_modules/.installed-lock 2>/dev/null)" = "$wanted" ] && return
  # Installed by hand since the lock file last changed: as good.
  if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
    stage "npm ci" npm ci --no-audit --no-fund
  fi
  echo "$wanted" >node_modules/.installed-lock
}

case ${1:-} in '' | --modules-only) ;; *) fail "unknown argument '$1': only --modules-only is known" ;; esac
mkdir -p "$CACHE"
# Two runs at once: the second waits, then finds everything done. (macOS has no flock; there only --modules-only works.)
if command -v flock >/dev/null; then
  exec 9>"$CACHE/.lock"
  flock -n 9 || { echo "another setup is running, waiting for it" && flock 9; }
fi
ensure_node
ensure_modules
[ "${1:-}" != --modules-only ] || exit 0
[ "$(uname -s)" = Linux ] || fail "the cluster needs Linux; this is $(uname -s). Only --modules-only works here"
ensure_packages
[ "$(id -u)" = 0 ] || fail "the cluster needs root (namespaces, mounts, debootstrap): run this as root"
if ! bash test/cluster/build.sh --check; then ensure_go; fi
bash test/cluster/build.sh
bash test/cluster/images.sh
bash test/cluster/store.sh
bash test/cluster/registry.sh
