#!/bin/bash
# shellcheck source-path=SCRIPTDIR
# Prints Tekton's own manifests, out of its Go module, with the image names of the test cluster and a quicker readiness.
# Applied with: kubectl apply --server-side -f -
set -euo pipefail
cd "$(dirname "$0")"
. ./versions.sh
cd "$CACHE/tekton"
for file in 100-namespace/*.yaml 200-*.yaml 201-*.yaml 300-crds/*.yaml config-*.yaml 500-webhooks.yaml controller.yaml webhook.yaml clusterrole-*.yaml; do
  echo ---
  cat "$file"
done | sed -E "/readinessProbe:/,/timeoutSeconds:/ {s/initialDelaySeconds: 5/initialDelaySeconds: 1/; s/periodSeconds: 10/periodSeconds: 1/}
  s#ko://github.com/tektoncd/pipeline/cmd/([a-z]+)#localhost/tekton/\1:v$TEKTON#g
  s#cgr.dev/chainguard/busybox@sha256:[0-9a-f]+#localhost/busybox:1#"
