# shellcheck shell=bash
# Makes this machine run linux/arm64 programs for as long as the current mount namespace lives: the kernel forgets the registration with the last
# mount of binfmt_misc, so nothing stays behind. Where there is nothing to emulate it does nothing.

BINFMT=/proc/sys/fs/binfmt_misc

emulate_arm64() {
  [ "$(uname -m)" = x86_64 ] || return 0
  [ -e $BINFMT/register ] || mount -t binfmt_misc binfmt_misc $BINFMT
  # A name of our own: the latest registration wins, whatever the machine had before. Namespaces of one machine share them all.
  [ ! -e $BINFMT/mpc-aarch64 ] || return 0
  # Debian's own words for it. F: the interpreter is opened now, so that it works in any root filesystem. P: programs see their own name, without
  # which nothing that starts itself again under another name works (podman, buildah).
  sed 's/^:[^:]*:/:mpc-aarch64:/' /usr/lib/binfmt.d/qemu-aarch64.conf >$BINFMT/register
}
