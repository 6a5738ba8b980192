# shellcheck shell=bash disable=SC2034,SC2154 # variables cross the parts; a test checks the whole
# The one connection, and what is sent over it. All ssh options are in a file, so that rsync uses the same ones.

mp_write_ssh_config() {
  local trust=accept-new
  : >"$MP_TMP/known_hosts"
  if [[ -s $MP_SECRET/known_hosts ]]; then
    cat "$MP_SECRET/known_hosts" >"$MP_TMP/known_hosts"
    trust=yes
  fi
  cat >"$MP_TMP/ssh_config" <<MP_CONFIG
Host build-host
HostName $MP_ADDRESS
Port $MP_PORT
User $MP_USER
IdentityFile $MP_TMP/key
IdentitiesOnly yes
IdentityAgent none
BatchMode yes
RequestTTY no
ForwardAgent no
ConnectTimeout 15
ServerAliveInterval 15
ServerAliveCountMax 8
UserKnownHostsFile $MP_TMP/known_hosts
GlobalKnownHostsFile none
StrictHostKeyChecking $trust
LogLevel ERROR
Ciphers ^aes128-gcm@openssh.com
ControlMaster auto
ControlPath $MP_TMP/c
ControlPersist 60
MP_CONFIG
  export RSYNC_RSH="ssh -F $MP_TMP/ssh_config"
}
mp_ssh() { ssh -F "$MP_TMP/ssh_config" "$@"; }

# A host that has just booted refuses for a while; a wrong host key never gets better.
mp_connect() {
  local tries=$1 try delay refused=0
  for ((try = 1; ; try++)); do
    # In a session of its own (-f): a signal to our process group must not cut the line we tell the host to stop through.
    if mp_run ssh -F "$MP_TMP/ssh_config" -M -N -f build-host >/dev/null 2>"$MP_TMP/ssh.err"; then
      MP_CONNECTED=true
      return 0
    fi
    if grep -q 'Host key verification failed\|REMOTE HOST IDENTIFICATION' "$MP_TMP/ssh.err"; then
      cat "$MP_TMP/ssh.err" >&2
      mp_die 77 "the host key of $MP_ADDRESS is not the one in the Secret's known_hosts"
    fi
    ! grep -q 'Permission denied' "$MP_TMP/ssh.err" || ((++refused < 3)) || mp_die 77 "$MP_HOST refused the key: $(<"$MP_TMP/ssh.err")"
    ((try < tries)) || return 1
    delay=$((try < 5 ? try : 10))
    mp_log "cannot connect to $MP_HOST ($(<"$MP_TMP/ssh.err")), again in ${delay}s"
    mp_pause "$delay"
  done
}

# command FUNCTION ARGUMENT…: the functions and a call of one of them, as one line for the login shell.
mp_host_command() {
  local text argument
  # shellcheck disable=SC2046 # names
  text=$(declare -f $(compgen -A function mp_host))
  mp_quote "$text"$'\n'"$1 \"\$@\""
  text="exec sh -c $REPLY mp"
  shift
  for argument in "$@"; do
    mp_quote "$argument"
    text+=" $REPLY"
  done
  REPLY=$text
}

# The kernel's own measure of the line, without a round trip: it resends after the round-trip time plus a fifth of a second.
# Reads the kernel's table: is the host 20 ms away or more, so that bytes cost more than compressing them?
mp_is_far() {
  local fields far=1 port
  printf -v port ":%04X" "${MP_PORT:-22}"
  while read -r -a fields; do
    # The port of the host, established; then, in hundredths of a second, the time-out.
    [[ ${fields[2]:-} != *"$port" || ${fields[3]:-} != 01 ]] || ((${fields[12]:-0} < 22)) || far=0
  done
  return "$far"
}

mp_choose_compression() {
  MP_COMPRESSION=()
  case ${MP_COMPRESS:-auto} in
    always) MP_COMPRESSION=(-z) ;;
    never) ;;
    auto)
      mp_is_far < <(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null) || return 0
      mp_log "the host is far away: what is sent is compressed"
      MP_COMPRESSION=(-z)
      ;;
    *) mp_die 78 "MP_COMPRESS is '$MP_COMPRESS': write auto, always or never" ;;
  esac
}

# rsync's own count: what went through the line, and what the files take.
mp_add_bytes() {
  local line
  while read -r line; do
    [[ ! $line =~ ^sent\ ([0-9]+)\ bytes\ +received\ ([0-9]+)\ bytes ]] || MP_BYTES=$((MP_BYTES + BASH_REMATCH[1] + BASH_REMATCH[2]))
    [[ ! $line =~ ^total\ size\ is\ ([0-9]+) ]] || MP_TOTAL=${BASH_REMATCH[1]}
  done <"$1"
}

# The remote end waits for its folder instead of us: that saves a round trip.
mp_send() {
  local try code ready
  trap 'kill $(jobs -p) 2>/dev/null; exit 1' TERM
  mp_quote "$MP_JOB/ready-$MP_NONCE"
  ready="n=0; until [ -e $REPLY ] || [ \$n -ge 600 ]; do sleep 0.05; n=\$((n + 1)); done; rsync"
  for ((try = 1; ; try++)); do
    code=0
    mp_run rsync -rlptHRxsW "${MP_COMPRESSION[@]}" --no-implied-dirs --timeout=300 --info=stats1 --no-h --rsync-path="$ready" \
      "${MP_EXCLUDE[@]}" "${MP_SEND[@]}" "build-host:$MP_JOB/root/" >"$MP_TMP/send.stats" || code=$?
    case $code in
      0 | 24) return 0 ;;
      10 | 12 | 30 | 35) ((try < 3)) || return "$code" ;;
      *) return "$code" ;;
    esac
    mp_log "sending stopped (rsync $code), trying again"
    mp_pause 1
  done
}
