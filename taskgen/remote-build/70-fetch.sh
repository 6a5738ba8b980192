# shellcheck shell=bash disable=SC2034,SC2154 # variables cross the parts; a test checks the whole
# Brings back exit code, results, folders and image, side by side. Whatever fails here never hides the script's own exit code.

mp_rsync_back() {
  local flags=() name=$1
  shift
  # Only root may change times and modes of what others own; the image and the results are read by other uids.
  ((EUID == 0)) && flags=(-p) || flags=(-E)
  umask 022
  rsync -rtOsW "${flags[@]}" --modify-window=-1 --timeout=300 --info=stats1 --no-h \
    "${MP_RSYNC_PATH[@]}" "$@" >"$MP_TMP/$name.stats"
}

# No symbolic links among the results: Tekton would follow them, in this pod, where the key is.
mp_fetch_report() {
  local results more=()
  ! mp_comes_by registry || more=(":$MP_JOB/root/./mp-job/digest")
  mp_rsync_back report "${MP_COMPRESSION[@]}" -R "build-host:$MP_JOB/root/./mp-job/rc" ":$MP_JOB/root/./mp-job/facts" "${more[@]}" "${MP_RESULTS[@]/#/:$MP_JOB/root/.}" "$MP_TMP/back/" || return
  for results in "${MP_RESULTS[@]}"; do
    [[ ! -d $results ]] || (umask 022 && rsync -rtO --modify-window=-1 "$MP_TMP/back$results/" "$results/") || return
  done
}

mp_comes_by() { ((MP_HOST_STATUS & 1)) && [[ $MP_TRANSFER == "$1" ]]; }

# While the container writes it: the host keeps no copy, and nothing waits for the end of the export.
mp_receive_image() {
  trap 'kill $(jobs -p) 2>/dev/null; exit 1' TERM
  umask 022
  mp_host_command mp_host_stream "$MP_JOB" "${MP_COMPRESSION[*]}"
  local unpack=(cat)
  ((${#MP_COMPRESSION[@]} == 0)) || unpack=(gzip -dcf)
  mp_run mp_stream_to "$MP_SHARED/image.tar" "$REPLY" "${unpack[@]}"
}
mp_stream_to() {
  local file=$1 command=$2
  shift 2
  ssh -F "$MP_TMP/ssh_config" build-host "$command" </dev/null | "$@" >"$file"
}

# A mount inside another one goes its own way, or stays as it is.
mp_fetch_mount() {
  local slash=/ place others=()
  [[ $2 != file ]] || slash=''
  for place in "${MP_PLACES[@]}"; do [[ $place != "$3"/* ]] || others+=("--exclude=${place#"$3"}"); done
  mp_rsync_back "$1" "${MP_COMPRESSION[@]}" "${others[@]}" -lH "build-host:$MP_JOB/root$3$slash" "$3$slash"
}

# mp_fetch WITH_IMAGE: sets MP_RC; fails when anything that should have come did not.
mp_fetch() {
  local n failed=0 pids=() pid stats
  mkdir -p "$MP_TMP/back"
  mp_fetch_report &
  pids=("$!")
  if mp_comes_by oci; then
    mp_rsync_back image --chmod=D0755,F0644 "build-host:$MP_JOB/root/mp-job/image/" "$MP_SHARED/image/" &
    pids+=("$!")
  fi
  for ((n = 0; n < ${#MP_FETCH[@]}; n += 2)); do
    mp_fetch_mount "mount-$n" "${MP_FETCH[n]}" "${MP_FETCH[n + 1]}" &
    pids+=("$!")
    ((${#pids[@]} < 5)) || { wait "${pids[-1]}" || failed=1; unset 'pids[-1]'; }
  done
  for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
  if mp_comes_by stream; then
    [[ -z $MP_RECEIVER ]] || wait "$MP_RECEIVER" || failed=1
    MP_IMAGE_SIZE=$(stat -c %s "$MP_SHARED/image.tar" 2>/dev/null) || MP_IMAGE_SIZE=0
    MP_BYTES=$((MP_BYTES + MP_IMAGE_SIZE))
  fi
  for stats in "$MP_TMP"/{report,mount-*,image}.stats; do [[ ! -e $stats ]] || mp_add_bytes "$stats"; done
  ! mp_comes_by oci || MP_IMAGE_SIZE=$MP_TOTAL
  read -r MP_RC <"$MP_TMP/back/mp-job/rc" || MP_RC=
  [[ $MP_RC =~ ^[0-9]{1,3}$ ]] || mp_die 74 "the exit code of the script could not be brought back"
  return "$failed"
}

# What the step that loads the image looks for. It may have to run the script's second half (taskgen --defer-push).
mp_leave_image() {
  local digest=''
  if mp_comes_by registry; then
    digest=$(<"$MP_TMP/back/mp-job/digest")
    [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || mp_die 74 "the host pushed $MP_WANTED_IMAGE, but what it calls its digest is '$digest'"
    mp_log "pushed from the host: $MP_WANTED_IMAGE, $digest"
  fi
  umask 022
  [[ -z $digest ]] || printf '%s\n' "$digest" >"$MP_SHARED/image-digest"
  printf '%s\n' "$MP_IMAGE_SIZE" >"$MP_SHARED/image-size"
  printf '%s\n' "$MP_WANTED_IMAGE" >"$MP_SHARED/image-ref"
  mp_cut_script "$MP_SHARED/script"
  mp_leave_mode image
}

# Hundredths of a second, and of some a size. What went out of the container to a registry only the container knows.
mp_report_facts() {
  local line name size
  while IFS= read -r line; do
    [[ $line =~ ^(pull|build|export)=([0-9]{1,9})(/([0-9.]{1,15}[kMGT]?B?))?$ ]] || continue
    name=${BASH_REMATCH[1]} size=${BASH_REMATCH[4]}
    [[ $name != export ]] || size=${size:-$MP_IMAGE_SIZE}
    mp_phase "$name" "${BASH_REMATCH[2]}" "$size"
    [[ $name != export ]] || MP_IMAGE_SIZE=$REPLY
  done <"$MP_TMP/back/mp-job/facts"
}
