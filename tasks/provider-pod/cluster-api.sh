#!/usr/bin/env bash
# The API server of the cluster that runs the host pods: our own, or the one a kubeconfig names. Asks, and says what it answered;
# what an answer means is for the callers.
# shellcheck disable=SC2034,SC2154 # variables of connect.sh, and of the scripts that source this one
# Sourced after connect.sh.

own_account=/var/run/secrets/kubernetes.io/serviceaccount
label=build.appstudio.redhat.com
refusal_reason=ApiRefused

# A kubeconfig may hold several clusters, and programs to run; we want one cluster, and what is written there.
kubeconfig_field() { # jq path below the current context's cluster or user
  jq -r --arg path "$1" '
    (.["current-context"] as $name | .contexts[]? | select(.name == $name) | .context) as $context
    | { cluster: (.clusters[]? | select(.name == $context.cluster) | .cluster), user: (.users[]? | select(.name == $context.user) | .user) }
    | getpath($path / "/") // empty' "$work/kubeconfig"
}

use_kubeconfig() {
  local authority certificate token key
  cat -- "$1" >"$work/kubeconfig"
  jq -e 'type == "object"' "$work/kubeconfig" >/dev/null 2>&1 || refuse \
    'key kubeconfig of the kubeconfig Secret must be JSON, as kubectl config view --raw --minify --flatten -o json prints it'
  cluster_url=$(kubeconfig_field cluster/server)
  [[ $cluster_url =~ ^https://[^[:space:]]+$ ]] || refuse "the kubeconfig names no https server for its current context: '$cluster_url'"
  authority=$(kubeconfig_field cluster/certificate-authority-data)
  token=$(kubeconfig_field user/token)
  certificate=$(kubeconfig_field user/client-certificate-data)
  key=$(kubeconfig_field user/client-key-data)
  [[ -n $token || (-n $certificate && -n $key) ]] || refuse \
    'the kubeconfig must hold a token, or a client certificate with its key; programs and files it names cannot be used here'
  [[ -z $authority ]] || base64 -d <<<"$authority" >"$work/authority"
  [[ -z $authority ]] || cluster_options+=(--cacert "$work/authority")
  if [[ -n $token ]]; then
    printf 'Authorization: Bearer %s\n' "$token" >"$work/authorization"
    cluster_options+=(-H "@$work/authorization")
  else
    base64 -d <<<"$certificate" >"$work/client.crt"
    base64 -d <<<"$key" >"$work/client.key"
    cluster_options+=(--cert "$work/client.crt" --key "$work/client.key")
  fi
}

use_own_cluster() {
  local server=${KUBERNETES_SERVICE_HOST:?}
  [[ $server != *:* ]] || server="[$server]"
  cluster_url=https://$server:${KUBERNETES_SERVICE_PORT:?}
  printf 'Authorization: Bearer %s\n' "$(<"$own_account/token")" >"$work/authorization"
  cluster_options+=(--cacert "$own_account/ca.crt" -H "@$work/authorization")
}

use_hosts_cluster() {
  cluster_options=()
  away=false
  if [[ ${KUBECONFIG_BOUND:-false} == true ]]; then
    away=true
    [[ -r $KUBECONFIG_FILE ]] || refuse 'the Secret named by key kubeconfig-secret has no key kubeconfig'
    use_kubeconfig "$KUBECONFIG_FILE"
  else
    use_own_cluster
  fi
}

# Sets status, 000 when there was no answer; the answer is in $work/reply. Everything asked here may be asked twice, and is, api_tries times.
api() { # method, path; file with the body
  local try type=application/json body=()
  [[ $1 != PATCH ]] || type=application/merge-patch+json
  [[ -z ${3:-} ]] || body=(-H "Content-Type: $type" --data-binary "@$3")
  for ((try = 1; ; try++)); do
    status=$(curl -q --silent --show-error --noproxy '*' --connect-timeout 5 --max-time 15 "${cluster_options[@]}" -X "$1" "${body[@]}" \
      --output "$work/reply" --write-out '%{http_code}' -- "$cluster_url$2" 2>"$work/said") || true
    case $status in
      000 | 429 | 5??) log "$1 $2: $status $(last_line "$work/said")" ;;
      409) is_quota_conflict "$1" || return 0 ;;
      *) return ;;
    esac
    ((try < ${api_tries:-5})) || return 0
    sleep "$try"
  done
}

# A quota that two requests counted at once; that an object exists has the same status.
is_quota_conflict() { # method
  [[ $1 == POST && $status == 409 && $(api_reason) == Conflict ]]
}

api_message() { jq -r '.message // empty' "$work/reply" 2>/dev/null | tr '\n' ' ' || true; }
api_reason() { jq -r '.reason // empty' "$work/reply" 2>/dev/null || true; }

path_of() { # resource; name
  local group=/api/v1
  [[ $1 != networkpolicies ]] || group=/apis/networking.k8s.io/v1
  echo "$group/namespaces/$HOSTS_NAMESPACE/$1${2:+/$2}"
}

# Whatever the API server refused, in words that say what to do. Nothing here gets better by itself but the first and the last.
explain_api() { # what was asked for
  local message
  message=$(api_message)
  case $status in
    000 | 429 | 5??) fail ApiUnavailable "$1: the API server answered $status $message $(last_line "$work/said")" ;;
    404) [[ $message != *namespaces* ]] || refuse "$1: there is no namespace $HOSTS_NAMESPACE for hosts: kubectl apply -k deploy/providers/pod" ;;
    403) [[ $message != *'exceeded quota'* ]] || fail InsufficientCapacity "$1: $message" ;;
    409) ! is_quota_conflict POST || fail ApiUnavailable "$1: $message" ;;
    401) fail ApiRefused "$1: the API server does not know us: $message" ;;
  esac
  refuse "$1: $status $message"
}

# The word for it depends on whose script it is.
refuse() { fail "$refusal_reason" "$1"; }
