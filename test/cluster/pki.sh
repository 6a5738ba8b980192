#!/bin/bash
# shellcheck source-path=SCRIPTDIR
# A throw-away authority, the certificates of one cluster and a kubeconfig for each of its components: pki.sh <folder>
set -euo pipefail
cd "$(dirname "$0")"
. ./versions.sh
mkdir -p "$1" && cd "$1"
key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"

# certificate <name> <subject> [alternative names]
certificate() {
  printf '%s\n' "subjectAltName=${3:-DNS:$1}" extendedKeyUsage=clientAuth,serverAuth >"$1.ext"
  # shellcheck disable=SC2086
  openssl req $key -keyout "$1.key" -out "$1.csr" -subj "$2" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -set_serial "0x$(openssl rand -hex 8)" -days 30 -extfile "$1.ext" -out "$1.crt" 2>/dev/null
  rm "$1.csr" "$1.ext"
}

# kubeconfig <name>: certificates inside, so that the file can be handed on alone
kubeconfig() {
  cat >"$1.kubeconfig" <<K
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: $(base64 -w0 ca.crt)}}]
users: [{name: $1, user: {client-certificate-data: $(base64 -w0 "$1.crt"), client-key-data: $(base64 -w0 "$1.key")}}]
contexts: [{name: test, context: {cluster: test, user: $1}}]
current-context: test
K
}

# shellcheck disable=SC2086
openssl req -x509 $key -keyout ca.key -out ca.crt -days 30 -subj /CN=test-ca 2>/dev/null
service=kubernetes.default.svc
certificate apiserver /CN=kube-apiserver \
  "IP:127.0.0.1,IP:10.96.0.1,IP:$NODE_ADDRESS,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:$service,DNS:$service.cluster.local"
certificate admin /O=system:masters/CN=admin
certificate controller-manager /CN=system:kube-controller-manager
certificate scheduler /CN=system:kube-scheduler
certificate proxy /CN=system:kube-proxy
certificate node /O=system:nodes/CN=system:node:node-1 "DNS:node-1,IP:$NODE_ADDRESS"
certificate api-to-kubelet /O=system:masters/CN=apiserver-kubelet
certificate front-proxy /CN=front-proxy-client
openssl ecparam -name prime256v1 -genkey -noout -out service-account.key
openssl ec -in service-account.key -pubout -out service-account.pub 2>/dev/null
for user in admin controller-manager scheduler proxy node; do kubeconfig $user; done
