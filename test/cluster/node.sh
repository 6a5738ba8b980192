#!/bin/bash
# shellcheck source-path=SCRIPTDIR
# The whole cluster on one node, as process 1 of its own network, mount and pid namespace (supervise.sh starts it): node.sh <run folder> <cgroup>
# When it ends, for whatever reason, the kernel ends every process of the cluster with it, containers included.
set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/versions.sh"
. "$HERE/emulation.sh"
# shellcheck disable=SC2034
RUN=$1 CGROUP=$2 PKI=$1/pki LOG=$1/log
export PATH=$CACHE/bin:$HERE/../../node_modules/.bin:/usr/sbin:/usr/bin:/sbin:/bin KUBECONFIG=$PKI/admin.kubeconfig TMPDIR=$RUN/tmp
cd /

# Everything the components would leave on the machine goes to places that vanish: /run to memory, /var to the run folder.
private_mounts() {
  mount --make-rprivate /
  mkdir -p "$RUN"/{tmp,kubelet,cni,var/{log,tmp,cache,lib/{kubelet,cni}}}
  ln -sfn /run "$RUN/var/run"
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir -p /run/{lock,etcd,containerd}
  mount --bind "$RUN/var" /var
  printf '127.0.0.1 localhost\n%s node-1 %s\n' "$NODE_ADDRESS" "${REGISTRY%:*}" >"$RUN/hosts"
  mount --bind "$RUN/hosts" /etc/hosts
  # The kubelet's volumes must reach containerd and the containers that share them.
  mount --bind "$RUN/kubelet" "$RUN/kubelet"
  mount --make-rshared "$RUN/kubelet"
}

# Hosts that play arm64 need it; with this mount namespace it ends.
emulate() {
  emulate_arm64 || echo "no emulation of arm64: $BINFMT cannot be used"
}

# No `dummy` device everywhere: a bridge without ports is the node's interface.
network() {
  ip link set lo up
  ip link add node0 type bridge
  ip addr add $NODE_ADDRESS/24 dev node0
  ip link set node0 up
  ip route add default dev node0
  sysctl -qw net.ipv4.ip_forward=1
  sysctl -qw net.bridge.bridge-nf-call-iptables=1 || true
}

# start <name> <command …>: a component; its end is the end of the cluster.
start() {
  local name=$1
  shift
  "$@" >"$LOG/$name" 2>&1 9>&- &
  component[$!]=$name
}

start_api() {
  start etcd etcd --data-dir /run/etcd --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
    --initial-cluster default=http://127.0.0.1:2380 --unsafe-no-fsync
  start apiserver kube-apiserver --etcd-servers=http://127.0.0.1:2379 --bind-address=0.0.0.0 --advertise-address=$NODE_ADDRESS \
    --secure-port=6443 --service-cluster-ip-range=10.96.0.0/16 --allow-privileged=true \
    --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" --client-ca-file="$PKI/ca.crt" \
    --service-account-key-file="$PKI/service-account.pub" --service-account-signing-key-file="$PKI/service-account.key" \
    --service-account-issuer=https://kubernetes.default.svc --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
    --kubelet-client-certificate="$PKI/api-to-kubelet.crt" --kubelet-client-key="$PKI/api-to-kubelet.key" \
    --kubelet-certificate-authority="$PKI/ca.crt" --kubelet-preferred-address-types=InternalIP \
    --requestheader-client-ca-file="$PKI/ca.crt" --requestheader-allowed-names=front-proxy-client \
    --requestheader-extra-headers-prefix=X-Remote-Extra- --requestheader-group-headers=X-Remote-Group \
    --requestheader-username-headers=X-Remote-User \
    --proxy-client-cert-file="$PKI/front-proxy.crt" --proxy-client-key-file="$PKI/front-proxy.key"
}

start_control_plane() {
  start controller-manager kube-controller-manager --kubeconfig="$PKI/controller-manager.kubeconfig" --use-service-account-credentials=true \
    --service-account-private-key-file="$PKI/service-account.key" --root-ca-file="$PKI/ca.crt" \
    --cluster-signing-cert-file="$PKI/ca.crt" --cluster-signing-key-file="$PKI/ca.key" --allocate-node-cidrs=true \
    --cluster-cidr=10.244.0.0/16 --leader-elect=false --bind-address=127.0.0.1
  start scheduler kube-scheduler --kubeconfig="$PKI/scheduler.kubeconfig" --leader-elect=false --bind-address=127.0.0.1
}

start_node() {
  # The kubelet would set these for the whole machine and leave them so: it alone gets files of the same content to write to.
  local name file
  for name in kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes vm/overcommit_memory vm/panic_on_oom; do
    file=$RUN/sysctl/$name
    mkdir -p "${file%/*}"
    cat "/proc/sys/$name" >"$file"
  done
  # shellcheck disable=SC2016
  start kubelet unshare --mount --propagation unchanged sh -c 'mount --make-private /proc
    cd "$0" && for file in */* */*/*; do [ ! -f "$file" ] || mount --bind "$file" "/proc/sys/$file"; done
    exec kubelet "$@"' "$RUN/sysctl" --kubeconfig="$PKI/node.kubeconfig" --config="$RUN/kubelet.yaml" --root-dir="$RUN/kubelet" \
    --cert-dir="$RUN/kubelet/pki" --hostname-override=node-1 --node-ip=$NODE_ADDRESS
  start proxy kube-proxy --kubeconfig="$PKI/proxy.kubeconfig" --hostname-override=node-1 --proxy-mode=iptables \
    --cluster-cidr=10.244.0.0/16 --conntrack-max-per-core=0
}

# Not before everything has answered: what comes up here is complete.
await() {
  local what=$1
  shift
  until "$@" >/dev/null 2>&1; do sleep 0.2; done
  echo "$what after ${SECONDS} s"
}

declare -A component
mkdir -p "$LOG"
private_mounts
emulate
network
. "$HERE/node-config.sh"
start registry docker-registry serve "$RUN/registry.yaml"
start containerd containerd -c "$RUN/containerd.toml"
start_api
start bridge node "$HERE/forward.ts" "$RUN/api.sock=127.0.0.1:6443" "$RUN/registry.sock=$NODE_ADDRESS:5000"
{
  await "API server ready" kubectl get --raw /readyz
  touch "$RUN/api-ready"
  kubectl apply --server-side -f "$RUN/coredns.yaml"
  kubectl apply --server-side -f "$RUN/tekton.yaml"
  await "node ready" sh -c 'kubectl get node node-1 | grep -q " Ready"'
  await "CoreDNS ready" kubectl -n kube-system rollout status deployment/coredns
  await "Tekton ready" kubectl -n tekton-pipelines rollout status deployment/tekton-pipelines-controller
  # Ready is what its probe says; answering is what a dry run through it says.
  await "Tekton's webhook answers" kubectl create --dry-run=server -f "$HERE/images/probe-taskrun.yaml"
  touch "$RUN/ready"
} >"$LOG/start" 2>&1 9>&- &
(until [ -e "$RUN/api-ready" ]; do sleep 0.1; done) 9>&-
start_control_plane
start_node

# Background jobs that may end: only the one that waits for readiness.
while :; do
  set +e
  wait -n -p ended
  status=$?
  set -e
  [ -n "${component[$ended]:-}" ] || continue
  echo "${component[$ended]} ended with status $status" >"$RUN/died"
  exit 1
done
