#!/bin/bash
# shellcheck source-path=SCRIPTDIR disable=SC2034,SC2153 # given, CONTEXT: see dockerfile-bases.sh and the Task
# The first step of the buildah Task: refuses parameters that cannot work, before a host is used, and leaves in $PREPARED what the next
# steps need: Dockerfile, registries.conf, podman-arguments. Parameters come as environment and arguments; it builds nothing.
set -euo pipefail
prepared=${PREPARED:?}
# shellcheck source=dockerfile-bases.sh
. "${0%/*}/dockerfile-bases.sh"

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# --- REQUEST_*, LIMIT_*

# quantity NAME VALUE: as a plain number, of cores or bytes.
quantity() {
  [[ $2 =~ ^([0-9]+[.]?[0-9]*|[.][0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$ ]] ||
    fail "$1 is '$2': write a quantity as Kubernetes has them, such as 500m, 2 or 4Gi"
  awk -v name="$1" -v value="${BASH_REMATCH[1]}" -v unit="${BASH_REMATCH[2]}" 'BEGIN {
    factor = 1
    if (unit ~ /^[eE].*[0-9]/) factor = 10 ^ substr(unit, 2)
    else if (unit ~ /i$/) factor = 1024 ^ index("KMGTPE", substr(unit, 1, 1))
    else if (unit != "") factor = 1000 ^ (index("numXkMGTPE", unit) - 4)
    printf "%.9f", value * factor
  }'
}

# limit KIND OPTION FORMAT: the option of podman run for hosts that are no pods.
limit() {
  local request=REQUEST_$1 limit=LIMIT_$1 least most
  [[ -z ${!request} ]] || least=$(quantity "$request" "${!request}")
  [[ -n ${!limit} ]] || return 0
  most=$(quantity "$limit" "${!limit}")
  awk -v most="$most" -v least="${least:-0}" 'BEGIN { exit !(most > 0 && most >= least) }' ||
    fail "$limit is ${!limit}: it must be more than nothing, and not less than $request (${!request:-unset})"
  awk -v option="$2" -v format="$3" -v most="$most" 'BEGIN { printf "%s=" format "\n", option, most }' >>"$prepared/podman-arguments"
}

# --- REGISTRIES_*

registry_pattern='([*][.])?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?(/[a-z0-9][a-z0-9._/-]*)?'

# One table for each registry, since none may be there twice.
write_registries() {
  local name comma=''
  local -A seen=()
  ((${#search[@]} + ${#insecure[@]} + ${#block[@]} > 0)) || return 0
  for name in "${search[@]}" "${insecure[@]}" "${block[@]}"; do
    [[ $name =~ ^${registry_pattern}$ ]] ||
      fail "REGISTRIES_…: '$name' is no registry: write HOST, HOST:PORT or HOST/FOLDER, or *.DOMAIN to block or to trust a whole domain"
  done
  printf 'unqualified-search-registries = ['
  for name in "${search[@]}"; do
    [[ $name != '*'* ]] || fail "REGISTRIES_SEARCH: '$name' is no place to look in: name one registry"
    printf '%s"%s"' "$comma" "$name"
    comma=', '
  done
  printf ']\n'
  for name in "${insecure[@]}" "${block[@]}"; do
    [[ -z ${seen[$name]:-} ]] || continue
    seen[$name]=yes
    printf '\n[[registry]]\nprefix = "%s"\n' "$name"
    [[ $name == '*'* ]] || printf 'location = "%s"\n' "$name"
    ! among "$name" "${insecure[@]}" || printf 'insecure = true\n'
    ! among "$name" "${block[@]}" || printf 'blocked = true\n'
  done
}

among() { # WORD WORD…
  local word
  for word in "${@:2}"; do [[ $word != "$1" ]] || return 0; done
  return 1
}

# --- BUILD_CONTEXTS

check_context() {
  local name=${1%%=*} value=${1#*=} folder
  [[ $1 == *=* && $name =~ ^[A-Za-z0-9][A-Za-z0-9._/:@-]*$ && -n $value ]] ||
    fail "BUILD_CONTEXTS: '$1' must be NAME=VALUE, with VALUE an image (docker-image://…), a folder of the source or an address (https://…)"
  [[ $value != *://* ]] || return 0
  folder=$(realpath -m -- "$value")
  [[ $folder == "$PWD" || $folder == "$PWD"/* ]] || fail "BUILD_CONTEXTS: $name is '$value', which is not in the source"
  [[ -d $folder ]] || fail "BUILD_CONTEXTS: $name is '$value', and there is no such folder in the source"
}

# --- what came as arguments

contexts=() search=() insecure=() block=() arguments=()
for argument in "$@"; do
  case $argument in
    --build-contexts) declare -n list=contexts ;;
    --registries-search) declare -n list=search ;;
    --registries-insecure) declare -n list=insecure ;;
    --registries-block) declare -n list=block ;;
    --build-args) declare -n list=arguments ;;
    *) list+=("$argument") ;;
  esac
done
: >"$prepared/podman-arguments"
limit CPU --cpus %.3f
limit MEMORY --memory %.0f
for context in "${contexts[@]}"; do check_context "$context"; done
registries=$(write_registries)
[[ -z $registries ]] || printf '%s\n' "$registries" >"$prepared/registries.conf"
declare -A given=()
if [[ -n $BUILD_ARGS_FILE ]]; then
  [[ -f $BUILD_ARGS_FILE ]] || fail "BUILD_ARGS_FILE: there is no $BUILD_ARGS_FILE in the source"
  while IFS= read -r line || [[ -n $line ]]; do
    [[ $line != ?*=* || $line == '#'* ]] || given[${line%%=*}]=${line#*=}
  done <"$BUILD_ARGS_FILE"
fi
for argument in "${arguments[@]}"; do
  [[ $argument != ?*=* ]] || given[${argument%%=*}]=${argument#*=}
done
if [[ -n $FROM$RUNTIME_STAGE_FROM ]]; then
  file=$DOCKERFILE
  [[ -f $file ]] || file=$CONTEXT/${DOCKERFILE#./}
  [[ -f $file ]] || fail "DOCKERFILE: there is no $DOCKERFILE, neither in the source nor in $CONTEXT"
  replace_bases >"$prepared/Dockerfile"
fi
