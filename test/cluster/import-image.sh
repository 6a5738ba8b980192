#!/bin/bash
# shellcheck source-path=SCRIPTDIR
# Brings one image of the cache's storage to the node of a running cluster; runs inside its namespaces: import-image.sh <image>
set -euo pipefail
cd "$(dirname "$0")"
. ./versions.sh
. ./storage.sh
podman save -q "$1" | ctr image import --local - >/dev/null
