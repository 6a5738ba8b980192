# shellcheck shell=bash
# Pod side: what a build may use of its host. For admins to set per platform, in ConfigMap build-user-limits of the controller's
# namespace; the Task's env sets it for all platforms. Sourced by provision-shared-host.sh after connect.sh.
# shellcheck disable=SC2034 # sent to the host by name

limits_folder=/limits

# Open files and processes are those of a container build with many parallel compilers. Without a value the others are the host's.
: "${LIMIT_NOFILE:=524288}" "${LIMIT_NPROC:=32768}" "${LIMIT_MEMORY:=}" "${LIMIT_CPUS:=}" "${LIMIT_CPU_MINUTES:=}"

# The platform's own value, or else the one for all.
configured() { # key, default
  local file
  for file in "$limits_folder/${TARGET_PLATFORM:-none}.$1" "$limits_folder/$1"; do
    if [[ -r $file ]]; then
      cat -- "$file"
      return
    fi
  done
  printf '%s' "$2"
}

limit() { # variable, key, pattern, what it should be
  printf -v "$1" '%s' "$(configured "$2" "${!1}")"
  [[ ${!1} =~ ^($3)$ ]] ||
    fail InvalidParameter "limit $2 is '${!1}'; it must be $4 (ConfigMap build-user-limits, or $1 in the env of the Task)"
}

read_limits() {
  limit LIMIT_NOFILE nofile '[1-9][0-9]{0,8}' 'a number of open files'
  limit LIMIT_NPROC nproc '[1-9][0-9]{0,8}' 'a number of processes'
  limit LIMIT_MEMORY memory '([1-9][0-9]{0,5}[MG])?' 'a number with M or G, as 16G'
  limit LIMIT_CPUS cpus '([1-9][0-9]{0,3})?' 'a number of CPUs'
  limit LIMIT_CPU_MINUTES cpu-minutes '([1-9][0-9]{0,5})?' 'a number of minutes'
}
