# shellcheck shell=bash disable=SC2034,SC2154 # variables cross the parts; a test checks the whole
# From the MP_ variables: what is sent, mounted and brought back, and the file that sets the script's environment. Touches no host.

MP_SEND=() MP_FETCH=() MP_PLACES=() MP_EXCLUDE=()

# A folder without its content, and those above it: their modes must be right on the host, because they come back.
mp_stage_folder() { rsync -dpR "/.$2" "$MP_TMP/stage/" || mp_die 74 "cannot read $1 at $2"; }

# Folders of Secrets and ConfigMaps are farms of symbolic links; the build needs plain files.
mp_stage_flat() {
  mp_stage_folder "$1" "$2"
  rsync -rLpt --exclude '/..*' --chmod=D0700,F0400,Fu+X "$2/" "$MP_TMP/stage$2/" || mp_die 74 "cannot read $1 at $2"
}

# What is in /workspace beside the workspaces: a mount in it goes its own way, or none.
mp_stage_rest() {
  local entry
  mp_stage_folder "$1" "$2"
  for entry in "$2"/* "$2"/.[!.]* "$2"/..?*; do
    [[ ! -e $entry && ! -L $entry ]] || mp_is_place "$entry" || MP_SEND+=("/.$entry")
  done
}

mp_is_place() {
  local place
  for place in "${MP_PLACES[@]}"; do [[ $place/ != "$1"/* ]] || return 0; done
  return 1
}

# Where the pod has mounts; and what is in a folder that is sent and must not be: what Tekton put of its credentials into HOME, mounts
# that stay here, and files into which Tekton writes what the step says.
mp_find_places() {
  local place name
  # The kernel writes a blank as \040.
  while read -r _ _ _ _ place _; do printf -v place %b "${place//\\/\\0}" && MP_PLACES+=("$place"); done </proc/self/mountinfo
  for name in .docker .gitconfig .git-credentials .ssh; do
    [[ -z ${HOME:-} || ! -e /tekton/creds/$name ]] || MP_EXCLUDE+=("--exclude=${HOME%/}/$name")
  done
  while read -r place; do [[ -z $place ]] || MP_EXCLUDE+=("--exclude=$place"); done <<<"${MP_STAYS:-}"
  MP_PLACES+=("${MP_EXCLUDE[@]#--exclude=}")
}

mp_plan_mount() {
  local name=$1 path=$2 sync=$3 kind=$5 options=${MP_CHOWN:+,U} make='' slash=/
  [[ $path =~ ^/[^:[:cntrl:]]+$ ]] || mp_die 78 "$name: the path '$path' must be absolute and without colons"
  [[ $path != /tekton/results && $path != "${MP_STEP_RESULTS:-}" ]] || return 0
  [[ $4 != ro ]] || options+=,ro
  if [[ $sync == storage ]]; then
    # Overlay cannot stack on overlay: container storage is a volume of podman's, thrown away with the container.
    MP_RUN+=(-v "$path")
    return 0
  fi
  MP_RUN+=(-v "$MP_JOB/root$path:$path${options/#,/:}")
  [[ $kind != file ]] || make=file: slash=''
  MP_MAKE+=("$make$path")
  case $sync in out | both) MP_FETCH+=("$kind" "$path") ;; esac
  if [[ ! -e $path ]]; then
    mp_log "$name: nothing at $path, so the build gets an empty one"
  elif [[ $sync != in && $sync != both ]]; then
    [[ ! -d $path ]] || mp_stage_folder "$name" "$path"
  elif [[ $kind == flat ]]; then
    mp_log "$name: its files are sent to the host"
    mp_stage_flat "$name" "$path"
  elif [[ $kind == rest ]]; then
    mp_stage_rest "$name" "$path"
  else
    MP_SEND+=("/.$path$slash")
  fi
}

mp_plan_mounts() {
  local n field variable results
  local -A mount
  mp_find_places
  # To podman of root every user is what it is, and gets what was sent; a user's own podman makes it the one we log in as.
  MP_CHOWN=$MP_AS_ROOT
  [[ $MP_USER != root ]] || MP_CHOWN=true
  MP_MAKE=(/mp-job)
  MP_RUN=(-v "$MP_JOB/root/mp-job:/mp-job")
  [[ $MP_TRANSFER != stream || ${MP_DETACHED:-} != true ]] || mp_die 78 'MP_TRANSFER is stream, which MP_DETACHED cannot read on after a lost connection: use oci'
  [[ -z $MP_WANTED_IMAGE || $MP_TRANSFER != stream ]] || MP_MAKE+=(pipe:/mp-job/image.pipe)
  # In memory, and gone with the container.
  [[ -z $MP_CREDENTIAL_FOR ]] || { MP_MAKE+=(pipe:/mp-job/credential.pipe) && MP_RUN+=(--tmpfs '/mp-credential:size=1m,mode=1777'); }
  MP_RESULTS=(/tekton/results ${MP_STEP_RESULTS:+"$MP_STEP_RESULTS"})
  for results in "${MP_RESULTS[@]}"; do
    MP_MAKE+=("$results")
    MP_RUN+=(-v "$MP_JOB/root$results:$results${MP_CHOWN:+:U}")
    [[ ! -d $results ]] || MP_SEND+=("/.$results/")
  done
  for ((n = 0; n < ${MP_MOUNTS:-0}; n++)); do
    for field in NAME PATH BOUND SYNC MODE KIND; do
      variable=MP_MOUNT_${n}_$field
      mount[$field]=${!variable:-}
    done
    if [[ ${mount[BOUND]} == true ]]; then
      mp_plan_mount "${mount[NAME]}" "${mount[PATH]%/}" "${mount[SYNC]}" "${mount[MODE]}" "${mount[KIND]}"
    else
      mp_log "${mount[NAME]} is not bound: skipped"
    fi
  done
}

# Podman on Red Hat hosts puts the host's own subscription at /run/secrets: not this build's.
mp_plan_run() {
  local argument now
  mp_plan_mounts
  [[ ${MP_TIMEOUT:-0} =~ ^[0-9]+$ ]] || mp_die 78 "MP_TIMEOUT is '$MP_TIMEOUT': write a number of seconds"
  # Of the step's own time some is gone, most of it waiting for a host.
  if ((${MP_TIMEOUT:-0})); then
    mp_clock now
    ((MP_TIMEOUT -= (now - MP_STARTED) / 100, MP_TIMEOUT > 0)) || MP_TIMEOUT=1
    MP_RUN+=(--timeout "$MP_TIMEOUT")
  fi
  [[ ! -r ${MP_PODMAN_ARGS_FILE:-} ]] || MP_PODMAN_ARGS=${MP_PODMAN_ARGS:-}$'\n'$(<"$MP_PODMAN_ARGS_FILE")
  [[ " ${MP_RUN[*]}" == *:/run/secrets* ]] || MP_RUN+=(--tmpfs /run/secrets)
  while IFS= read -r argument; do
    [[ -z $argument ]] || MP_RUN+=("$argument")
    # Whatever user the script runs as must own what was sent, as it would in a pod: that user is the one we log in as.
    # (Not with group 0: runc cannot start such a mapping.)
    [[ -n $MP_CHOWN || ! $argument =~ ^--user=([1-9][0-9]*)(:[0-9]+)?$ ]] ||
      MP_RUN+=(--userns="keep-id:uid=${BASH_REMATCH[1]},gid=${BASH_REMATCH[1]}")
  done <<<"${MP_PODMAN_ARGS:-}"
}

mp_is_forwarded() {
  local drop
  while IFS= read -r drop; do
    # shellcheck disable=SC2053 # a pattern
    [[ -z $drop || $1 != $drop ]] || return 1
  done <<<"${MP_DROP:-}"
  [[ $'\n'${MP_ENV:-}$'\n' != *$'\n'"$1"$'\n'* ]] || return 0
  [[ ${MP_ENV_FROM:-} == true ]] || return 1
  case $1 in
    KUBERNETES_* | *_SERVICE_HOST | *_SERVICE_PORT | *_SERVICE_PORT_* | *_PORT_*_TCP* | *_PORT_*_UDP*) return 1 ;;
    PLATFORM | MP_* | TEKTON_* | SSH_* | LD_* | NSS_WRAPPER_* | BASH_* | BASHOPTS | SHELLOPTS) return 1 ;;
    PATH | HOME | HOSTNAME | PWD | OLDPWD | SHLVL | TERM | USER | LOGNAME | SHELL | _) return 1 ;;
    # Of a Service it is a URL; anybody else's is a number.
    *_PORT) [[ $2 != *://* ]] ;;
  esac
}

# A proxy that is a Service of the cluster does not exist for the host.
mp_is_cluster_proxy() {
  local value=${2#*://}
  [[ ${1,,} == *_proxy && ${1,,} != no_proxy ]] || return 1
  value=${value%%/*}
  value=${value##*@}
  value=${value%:*}
  [[ $value == *.svc || $value == *.cluster.local ]]
}

# Values travel in this file. Only names no shell can assign go through env: they show in the host's process list for the moment it starts.
mp_write_command() {
  local entry name value odd='' argument
  while IFS= read -r -d '' entry; do
    name=${entry%%=*} value=${entry#*=}
    # Under a name of its own it leaves this script alone.
    [[ $name == MP_AS_* ]] || mp_is_forwarded "$name" "$value" || continue
    name=${name#MP_AS_}
    if mp_is_cluster_proxy "$name" "$value"; then
      mp_log "$name is not passed on: the host cannot reach a proxy inside the cluster"
      continue
    fi
    if [[ $name =~ ^[A-Za-z_][A-Za-z0-9_]*$ && ! $name =~ ^(UID|EUID|PPID|GROUPS|FUNCNAME|DIRSTACK|LINENO|OPTIND|IFS|_|BASH.*|SHELLOPTS|POSIXLY_CORRECT)$ ]]; then
      mp_quote "$value"
      printf 'export %s=%s\n' "$name" "$REPLY"
    else
      mp_quote "$name=$value"
      odd+=" $REPLY"
    fi
  done </proc/self/environ
  printf 'mp_script() { exec%s /mp-job/script' "${odd:+ env$odd}"
  for argument in "$@"; do
    mp_quote "$argument"
    printf ' %s' "$REPLY"
  done
  printf '; }\n'
}

# Settings are arguments, not variables: a variable of the build could have the same name.
mp_write_launch() {
  local setting
  # shellcheck disable=SC2046 # names
  declare -f $(compgen -A function mp_inside)
  printf mp_inside
  for setting in "${MP_WORKDIR:-}" "$MP_WANTED_IMAGE" "${MP_STORAGE_DRIVER:-}" "$MP_TRANSFER" "$MP_CREDENTIAL_FOR" "${MP_TLS_VERIFY:-}"; do
    mp_quote "$setting"
    printf ' %s' "$REPLY"
  done
  echo
}

# As the other steps name the image: a suffix of its tag, or a tag.
mp_append_platform() {
  local suffix=${PLATFORM//[^A-Za-z0-9]/-}
  case ${MP_WANTED_IMAGE##*/} in
    *:*) MP_WANTED_IMAGE+=-$suffix ;;
    *) MP_WANTED_IMAGE+=:$suffix ;;
  esac
}

# Before there is a connection: a Secret that is missing must not be found out after the build.
mp_credential() { # FILE PURPOSE
  [[ -r $1 ]] || mp_die 78 "the credential for $2 is missing at $1: create the Secret"
  REPLY=$(base64 -w0 <"$1")
  ((${#REPLY} < 60000)) || mp_die 78 "the credential at $1 is too large (${#REPLY} bytes as base64, at most 60000)"
}

# A push is made by the script itself, or by us when it has ended.
mp_plan_credentials() {
  MP_PULL_CREDENTIAL='' MP_PUSH_CREDENTIAL='' MP_CREDENTIAL_FOR=''
  case ${MP_REGISTRY_AUTH:-none} in
    none | pull | push | both) ;;
    *) mp_die 78 "MP_REGISTRY_AUTH is '$MP_REGISTRY_AUTH': this script knows none, pull, push and both" ;;
  esac
  if [[ ${MP_REGISTRY_AUTH:-} == @(pull|both) ]]; then
    mp_credential "${MP_REGISTRY_AUTH_FILE:-/mp-registry-auth/.dockerconfigjson}" 'pulling the builder image'
    MP_PULL_CREDENTIAL=$REPLY
  fi
  if [[ ${MP_REGISTRY_AUTH:-} == @(push|both) ]]; then
    mp_credential "${MP_REGISTRY_PUSH_FILE:-/mp-registry-push/.dockerconfigjson}" 'pushing from the host'
    MP_PUSH_CREDENTIAL=$REPLY MP_CREDENTIAL_FOR=script
    [[ $MP_TRANSFER != registry || -z $MP_WANTED_IMAGE ]] || MP_CREDENTIAL_FOR=image
  fi
}

mp_plan() {
  MP_TRANSFER=${MP_TRANSFER:-oci}
  case $MP_TRANSFER in
    oci | stream | registry)
      MP_WANTED_IMAGE=${MP_RESULT_IMAGE:-}
      [[ ${MP_APPEND_PLATFORM:-} != true || -z $MP_WANTED_IMAGE ]] || mp_append_platform
      ;;
    none) MP_WANTED_IMAGE='' ;;
    *) mp_die 78 "MP_TRANSFER is '$MP_TRANSFER': this script knows $MP_KNOWS" ;;
  esac
  mp_plan_credentials
  mkdir -p "$MP_TMP/stage/mp-job"
  mp_cut_script "$MP_TMP/stage/mp-job/script"
  mp_write_command "$@" >"$MP_TMP/stage/mp-job/command"
  mp_write_launch >"$MP_TMP/stage/mp-job/launch"
  mp_plan_run
  MP_SEND+=("$MP_TMP/stage/./")
}
