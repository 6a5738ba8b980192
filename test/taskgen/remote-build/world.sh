#!/bin/bash
# A machine for the tests of the remote script, in namespaces of its own: loopback network, an overlay over the real root, real sshd, rsync and
# rootless podman. Decides nothing about the tests; when its standard input closes, it and all that runs in it are gone.
set -euo pipefail
base=$1
mount -t tmpfs -o mode=0755 tmpfs "$base"
mkdir "$base/upper" "$base/work" "$base/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" "$base/root"
cd "$base/root"
mount --rbind /dev dev
mount --rbind /sys sys
mount -t proc proc proc
for folder in home run tmp dev/shm var/lib/containers; do
  mkdir -p "$folder"
  mount -t tmpfs -o mode=0755 tmpfs "$folder"
done
chmod 1777 tmp dev/shm
mkdir -p ssh mp-shared mp-pod-info tekton workspace data old-root
# A user namespace cannot be made from a chroot, and rootless podman needs one: the root really changes.
pivot_root . old-root
cd /
umount -l /old-root
mount --make-rshared /
ip link set lo up

cat >/etc/containers/containers.conf <<'CONF'
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
[containers]
netns = "host"
CONF
cat >/etc/containers/storage.conf <<'CONF'
[storage]
driver = "overlay"
runroot = "/run/containers/storage"
graphroot = "/var/lib/containers/storage"
CONF

# The builder image: busybox under the usual names, bash, dash and the machine's buildah with its libraries.
image=/tmp/builder-image
mkdir -p "$image"/{bin,etc/containers,tmp,var/tmp,root,usr/lib}
chmod 1777 "$image/tmp" "$image/var/tmp"
cp /bin/busybox /bin/bash /bin/dash /usr/bin/buildah "$image/bin/"
for applet in $(busybox --list); do [ "$applet" = busybox ] || [ "$applet" = ash ] || ln -sf busybox "$image/bin/$applet"; done
ln -sf dash "$image/bin/sh"
ldd /bin/bash /bin/dash /usr/bin/buildah | awk '/=> \//{print $3} $1 ~ /^\/.*[^:]$/{print $1}' | sort -u | while read -r library; do
  mkdir -p "$image$(dirname "$library")"
  cp -L "$library" "$image$library"
done
echo 'root:x:0:0::/root:/bin/sh' >"$image/etc/passwd"
echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$image/etc/containers/policy.json"
printf '[storage]\ndriver = "overlay"\nrunroot = "/run/containers/storage"\ngraphroot = "/var/lib/containers/storage"\n' >"$image/etc/containers/storage.conf"
printf 'unqualified-search-registries = []\n' >"$image/etc/containers/registries.conf"
tar -C "$image" -cf /tmp/builder.tar .
chmod 0644 /tmp/builder.tar
# Without PAM sshd refuses an account whose password is locked.
useradd -m -s /bin/bash -p '*' builder
su - builder -c "podman import -q --change 'ENV PATH=/bin' --change 'ENV BUILDAH_ISOLATION=chroot' /tmp/builder.tar localhost/builder:1" >/dev/null

mkdir -p /run/sshd /tmp/sshd
ssh-keygen -q -t ed25519 -N '' -f /tmp/sshd/host
ssh-keygen -q -t ed25519 -N '' -f /tmp/sshd/client
install -d -o builder -g builder -m 0700 /home/builder/.ssh
install -o builder -g builder -m 0600 /tmp/sshd/client.pub /home/builder/.ssh/authorized_keys
# The uid of the runner image.
useradd -u 65532 runner
mkdir /pods
cat >/tmp/sshd/config <<'CONF'
ListenAddress 127.0.0.1:22
HostKey /tmp/sshd/host
UsePAM no
PasswordAuthentication no
PidFile /run/sshd/pid
LogLevel INFO
CONF
/usr/sbin/sshd -f /tmp/sshd/config -E /tmp/sshd/log
echo ready
while read -r _; do :; done
