#!/bin/bash
# A machine of its own as a build host: first process of new mount, pid, network, uts and ipc namespaces, on an overlay of this
# machine's root filesystem. build-host.ts starts it; killing it ends every process and mount of it. Writes only below $1.
set -euo pipefail
dir=$1
mount --make-rprivate /
mount -t tmpfs tmpfs "$dir"
mkdir "$dir/upper" "$dir/work" "$dir/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$dir/upper,workdir=$dir/work" "$dir/root"
root=$dir/root
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
# As udev makes it on machines that have one: for everybody.
if mknod -m 666 "$dir/fuse" c 10 229; then mount --bind "$dir/fuse" "$root/dev/fuse"; fi
# Directories of the machine that the host must not see, and file systems podman can lay its own overlays on.
for place in dev/shm dev/mqueue tmp var/tmp run home root var/lib/containers var/lib/multi-platform var/spool/cron; do
  mkdir -p "$root/$place"
  case $place in
    dev/mqueue) mount -t mqueue mqueue "$root/$place" ;;
    dev/shm | tmp | var/tmp) mount -t tmpfs -o mode=1777 tmpfs "$root/$place" ;;
    root) mount -t tmpfs -o mode=700 tmpfs "$root/$place" ;;
    *) mount -t tmpfs -o mode=755 tmpfs "$root/$place" ;;
  esac
done
mkdir -p "$root/run/sshd" "$root/root/.ssh" "$root/var/spool/cron/crontabs"
mkdir -m 1777 "$root/run/lock"
ip link set lo up
# A network of its own, with addresses where nobody answers.
ip link add net0 type bridge
ip address add 10.99.0.1/24 dev net0
ip link set net0 up

ssh-keygen -q -t ed25519 -N '' -f "$root/etc/ssh/test_host_key" </dev/null
ssh-keygen -q -t ed25519 -N '' -f "$root/root/.ssh/admin"
cp "$root/root/.ssh/admin.pub" "$root/root/.ssh/authorized_keys"
cat >"$root/etc/ssh/sshd_config" <<'CONFIG'
HostKey /etc/ssh/test_host_key
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM yes
CONFIG
# An account that becomes root through sudo, and one that may not.
# shellcheck disable=SC2016 # expands inside
chroot "$root" bash -euc '
  for name in deployer nobody-special; do
    useradd -m "$name"
    install -d -m 700 -o "$name" -g "$name" "/home/$name/.ssh"
    install -m 600 -o "$name" -g "$name" /root/.ssh/authorized_keys "/home/$name/.ssh/authorized_keys"
  done
  echo "deployer ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/deployer
  chmod 440 /etc/sudoers.d/deployer'
# Not chroot alone: a chrooted process may make no user namespace, and rootless podman needs one.
mkdir "$root/old"
cd "$root"
pivot_root . old
exec chroot . bash -c 'umount -l /old && rmdir /old && mount --make-rshared / && /usr/sbin/sshd -D -e & while :; do wait -n || sleep 1; done'
