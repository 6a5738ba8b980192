#!/bin/bash
# shellcheck source-path=SCRIPTDIR
# Builds Kubernetes, etcd, containerd, runc, CoreDNS and Tekton from their Go modules into the cache. Decides nothing about how they are run.
# Cold: about 9 minutes on two cores. A component is built again only for another version of it.
set -euo pipefail
cd "$(dirname "$0")"
. ./versions.sh
export GOFLAGS=-mod=mod GOTOOLCHAIN=${GOTOOLCHAIN:-auto} CGO_ENABLED=0
BIN=$CACHE/bin

# new_module <name> <what go.mod must require …>: enters a little module of its own to build in. True when it is empty and has to be filled:
# the first time, for another version, and after an attempt that was cut off.
new_module() {
  local name=$1 requirement
  shift
  mkdir -p "$CACHE/go/$name" && cd "$CACHE/go/$name"
  if [ -f go.mod ]; then
    for requirement in "$@"; do grep -qF "$requirement" go.mod || rm -f go.mod go.sum; done
  fi 2>/dev/null
  [ -f go.mod ] && return 1
  printf 'module %s\n\ngo 1.26.0\n' "$name" >go.mod
}

# Written by kubernetes' own release tooling as v0.0.0: each of these needs a replace.
STAGING='api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap code-generator
  component-base component-helpers controller-manager cri-api cri-client csi-translation-lib dynamic-resource-allocation endpointslice
  externaljwt kms kube-aggregator kube-controller-manager kube-proxy kube-scheduler kubectl kubelet metrics mount-utils
  pod-security-admission sample-apiserver sample-cli-plugin sample-controller'
PIPELINE=github.com/tektoncd/pipeline

# Kubernetes, etcd and Tekton share one module: they share most of their dependencies, so most packages compile once.
cluster_module() {
  if new_module cluster "k8s.io/kubernetes v$KUBERNETES" "go.etcd.io/etcd/server/v3 v$ETCD" "$PIPELINE v$TEKTON"; then
    local name
    for name in $STAGING; do echo "replace k8s.io/$name => k8s.io/$name v0.${KUBERNETES#1.}" >>go.mod; done
    go get -tool k8s.io/kubernetes/cmd/{kube-apiserver,kube-controller-manager,kube-scheduler,kubelet,kubectl,kube-proxy}@v$KUBERNETES
    go get -tool go.etcd.io/etcd/server/v3@v$ETCD
    go get -tool $PIPELINE/cmd/{controller,webhook,entrypoint,nop,workingdirinit,events,resolvers,sidecarlogresults}@v$TEKTON
    go mod tidy
  fi
}

build_kubernetes() {
  cluster_module
  # Tekton asks the API server for its version and refuses one that has none: stamp it in.
  local flags="-s -w" package
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags="$flags -X $package.gitVersion=v$KUBERNETES -X $package.gitMajor=1 -X $package.gitMinor=$(cut -d. -f2 <<<$KUBERNETES)"
    flags="$flags -X $package.gitTreeState=clean -X $package.gitCommit=0000000 -X $package.buildDate=2026-01-01T00:00:00Z"
  done
  go build -ldflags "$flags" -o "$BIN/" k8s.io/kubernetes/cmd/{kube-apiserver,kube-controller-manager,kube-scheduler,kubelet,kubectl,kube-proxy}
}

build_etcd() {
  cluster_module
  go build -ldflags "-s -w" -o "$BIN/etcd" go.etcd.io/etcd/server/v3
}

build_tekton() {
  cluster_module
  mkdir -p "$BIN/tekton"
  go build -ldflags "-s -w" -o "$BIN/tekton/" $PIPELINE/cmd/{controller,webhook,entrypoint,nop,workingdirinit,events,resolvers,sidecarlogresults}
  # The manifests are part of the module; copied, because the module cache is not ours to rely on later.
  rm -rf "$CACHE/tekton"
  cp -r --no-preserve=mode "$(go list -m -f '{{.Dir}}' $PIPELINE)/config" "$CACHE/tekton"
}

build_coredns() {
  if new_module coredns "github.com/coredns/coredns v$COREDNS"; then
    go get -tool github.com/coredns/coredns@v$COREDNS
    go mod tidy
  fi
  go build -ldflags "-s -w" -o "$BIN/coredns" github.com/coredns/coredns
}

# Debian's containerd 1.6 ignores `hostUsers: false` without a word; user namespaces for pods want containerd 2 and runc 1.2.
build_containerd() {
  local root=github.com/containerd/containerd/v2
  if new_module containerd "$root v$CONTAINERD"; then
    go get -tool $root/cmd/{containerd,containerd-shim-runc-v2,ctr}@v$CONTAINERD
    go mod tidy
  fi
  go build -ldflags "-s -w -X $root/version.Version=$CONTAINERD" -o "$BIN/" $root/cmd/{containerd,containerd-shim-runc-v2,ctr}
}

build_runc() {
  if new_module runc "github.com/opencontainers/runc v$RUNC"; then
    go get -tool github.com/opencontainers/runc@v$RUNC
    go mod tidy
  fi
  CGO_ENABLED=1 go build -tags seccomp -ldflags "-s -w -X main.version=$RUNC" -o "$BIN/runc" github.com/opencontainers/runc
}

if [ $# = 1 ] && [ "$1" != --check ]; then
  "build_$1"
  exit
fi
mkdir -p "$BIN"
for component in "kubernetes $KUBERNETES" "etcd $ETCD" "tekton $TEKTON" "coredns $COREDNS" "containerd $CONTAINERD" "runc $RUNC"; do
  read -r name version <<<"$component"
  stamped "$name" "$version" && continue
  # --check: is there anything to build?
  [ $# = 0 ] || exit 1
  # In a process of its own: a function that is called in a condition goes on after an error.
  stage "build $name $version" bash "$PWD/build.sh" "$name"
  stamp "$name" "$version"
done
