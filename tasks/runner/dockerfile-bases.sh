# shellcheck shell=bash disable=SC2154 # file, given and the parameters are the caller's
# FROM and RUNTIME_STAGE_FROM: other bases in a Dockerfile ($file). Reads it as BuildKit and buildah do, as far as it takes to know where an
# instruction begins and ends, what is a stage, and what a FROM says once build arguments ($given) are put in. Every other line stays.

lines=() written=() names=() images=() flags=() firsts=() lasts=()
declare -A known=()
# shellcheck disable=SC1003 # a backslash
escape='\'

trim_left() { REPLY=${1#"${1%%[![:space:]]*}"}; }
trim_right() { REPLY=${1%"${1##*[![:space:]]}"}; }

# Directives stand before everything else, also before any other comment.
read_directives() {
  local line pattern='^[[:space:]]*#[[:space:]]*([A-Za-z]+)[[:space:]]*=[[:space:]]*(.*)$'
  for line in "${lines[@]}"; do
    [[ $line =~ $pattern ]] || return 0
    trim_right "${BASH_REMATCH[2]}"
    case ${BASH_REMATCH[1],,} in
      escape)
        # shellcheck disable=SC1003 # a backslash
        [[ $REPLY == '\' || $REPLY == '`' ]] || fail "$file: escape=$REPLY: it must be \\ or \`"
        escape=$REPLY
        ;;
      syntax | check) ;;
      *) return 0 ;;
    esac
  done
}

# read_instruction AT: sets text, all of it on one line, and next, the line after it. Comments and empty lines inside do not end it.
read_instruction() {
  local started=''
  next=$1 text=''
  while ((next < ${#lines[@]})); do
    trim_left "${lines[next]}"
    next=$((next + 1))
    [[ -z $started || (-n $REPLY && $REPLY != '#'*) ]] || continue
    [[ -z $started ]] || REPLY=${lines[next - 1]}
    started=yes
    trim_right "$REPLY"
    if [[ $REPLY != *"$escape" || $REPLY == *"$escape$escape" ]]; then
      text+=$REPLY
      return 0
    fi
    text+=${REPLY%"$escape"}
  done
}

# skip_heredocs WORDS: moves next behind the texts that these words announce: <<WORD, <<-WORD, <<"WORD", not in quotes of its own.
skip_heredocs() {
  local rest=$1 word='' quote='' character words=() tabs
  [[ $rest == *'<<'* ]] || return 0
  while [[ -n $rest ]]; do
    character=${rest:0:1} rest=${rest:1}
    case $quote$character in
      \\) word+=$character${rest:0:1} && rest=${rest:1} ;;
      \" | \') quote=$character && word+=$character ;;
      '""' | "''") quote='' && word+=$character ;;
      [[:space:]]) words+=("$word") && word='' ;;
      *) word+=$character ;;
    esac
  done
  for word in "${words[@]}" "$word"; do
    [[ $word =~ ^[0-9]*\<\<(-?)([^<]+)$ ]] || continue
    tabs=${BASH_REMATCH[1]} word=${BASH_REMATCH[2]//[\"\'\\]/}
    [[ -n $word ]] || continue
    while :; do
      ((next < ${#lines[@]})) || fail "$file: the text that <<$word begins has no end"
      REPLY=${lines[next]} next=$((next + 1))
      [[ -z $tabs ]] || REPLY=${REPLY#"${REPLY%%[!$'\t']*}"}
      [[ $REPLY != "$word" ]] || break
    done
  done
}

# expand TEXT: with the variables of FROM. What only the host knows becomes an asterisk.
expand() {
  local text=$1 out='' name word operator depth
  while [[ -n $text ]]; do
    if [[ $text == "$escape"?* ]]; then
      out+=${text:1:1} text=${text:2}
    elif [[ $text =~ ^[$]([A-Za-z_][A-Za-z0-9_]*) ]]; then
      name=${BASH_REMATCH[1]} text=${text:${#BASH_REMATCH[0]}}
      value_of "$name"
      out+=$REPLY
    elif [[ $text =~ ^[$][{]([A-Za-z_][A-Za-z0-9_]*)(:?[-+?])? ]]; then
      name=${BASH_REMATCH[1]} operator=${BASH_REMATCH[2]} text=${text:${#BASH_REMATCH[0]}} word='' depth=1
      while [[ -n $text ]]; do
        # shellcheck disable=SC2016 # as it stands in the file
        case $text in '${'*) depth=$((depth + 1)) ;; '}'*) depth=$((depth - 1)) ;; esac
        ((depth > 0)) || break
        word+=${text:0:1} text=${text:1}
      done
      [[ -n $text ]] || fail "$file: '$1' has a \${ without its }"
      text=${text:1}
      expand "$word"
      word=$REPLY
      value_of "$name"
      case $operator in
        :-) [[ -n $REPLY ]] || REPLY=$word ;;
        -) [[ -n ${known[$name]+set} ]] || REPLY=$word ;;
        :+) [[ -z $REPLY ]] || REPLY=$word ;;
        +) [[ -z ${known[$name]+set} ]] || REPLY=$word ;;
      esac
      out+=$REPLY
    else
      [[ ${text:0:1} == [\"\'] ]] || out+=${text:0:1}
      text=${text:1}
    fi
  done
  REPLY=$out
}

value_of() {
  case $1 in
    TARGETPLATFORM | TARGETOS | TARGETARCH | TARGETVARIANT | BUILDPLATFORM | BUILDOS | BUILDARCH | BUILDVARIANT) REPLY=${known[$1]:-*} ;;
    *) REPLY=${known[$1]:-} ;;
  esac
}

# ARG in front of the first FROM; a build argument wins over the default.
read_argument() {
  local rest=$1 name
  while trim_left "$rest" && [[ $REPLY =~ ^([A-Za-z_][A-Za-z0-9_]*)(=((\"[^\"]*\"|\'[^\']*\'|[^[:space:]\"\'])*))?([[:space:]]|$) ]]; do
    rest=${REPLY:${#BASH_REMATCH[0]}} name=${BASH_REMATCH[1]}
    if [[ -n ${given[$name]+set} ]]; then
      known[$name]=${given[$name]}
    elif [[ -n ${BASH_REMATCH[2]} ]]; then
      expand "${BASH_REMATCH[3]}"
      known[$name]=$REPLY
    fi
  done
}

# read_from FIRST WORDS
read_from() {
  local words flag=''
  read -ra words <<<"$2"
  while [[ ${words[0]:-} == --* ]]; do flag+="${words[0]} " words=("${words[@]:1}"); done
  [[ ${#words[@]} == 1 || (${#words[@]} == 3 && ${words[1],,} == as) ]] ||
    fail "$file:$(($1 + 1)): FROM $2: this is neither FROM IMAGE nor FROM IMAGE AS NAME"
  flags+=("$flag") images+=("${words[0]}") names+=("${words[2]:-}") firsts+=("$1") lasts+=("$((next - 1))")
}

read_dockerfile() {
  local at=0 keyword rest
  lines=("${written[@]%$'\r'}")
  lines[0]=${lines[0]#$'\xef\xbb\xbf'}
  read_directives
  while ((at < ${#lines[@]})); do
    trim_left "${lines[at]}"
    if [[ -z $REPLY || $REPLY == '#'* ]]; then
      at=$((at + 1))
      continue
    fi
    read_instruction "$at"
    keyword=${text%%[[:space:]]*}
    trim_left "${text:${#keyword}}"
    rest=$REPLY
    [[ ${keyword^^} != ONBUILD ]] || { keyword=${rest%%[[:space:]]*} rest=${rest#"${rest%%[[:space:]]*}"}; }
    case ${keyword^^} in
      FROM) read_from "$at" "$rest" ;;
      ARG) ((${#images[@]} > 0)) || read_argument "$rest" ;;
      RUN | COPY | ADD) skip_heredocs "$rest" ;;
    esac
    at=$next
  done
  ((${#images[@]} > 0)) || fail "$file has no FROM"
}

# stage_named TEXT BEFORE: the last stage of that name in front of stage BEFORE, in REPLY; fails when there is none.
stage_named() {
  local stage
  for ((stage = $2 - 1; stage >= 0; stage--)); do
    # shellcheck disable=SC2053 # a pattern, when the host decides
    [[ -z ${names[stage]} || ${names[stage],,} != ${1,,} ]] || { REPLY=$stage && return 0; }
  done
  return 1
}

# The stage that is built: TARGET_STAGE by name or number, otherwise the last one.
target_stage() {
  local count=${#images[@]}
  REPLY=$((count - 1))
  [[ -n $TARGET_STAGE ]] || return 0
  stage_named "$TARGET_STAGE" "$count" && return 0
  if [[ ! $TARGET_STAGE =~ ^[0-9]{1,4}$ ]] || ((10#$TARGET_STAGE >= count)); then
    fail "TARGET_STAGE: $file has no stage '$TARGET_STAGE'"
  fi
  REPLY=$((10#$TARGET_STAGE))
}

# From stage to stage down to the one that begins with an image.
base_of() { # STAGE
  local stage=$1 base
  while :; do
    expand "${images[stage]}"
    base=$REPLY
    [[ -n $base ]] || fail "$file:$((firsts[stage] + 1)): FROM ${images[stage]} is empty: give the build argument it needs"
    stage_named "$base" "$stage" || break
    [[ $base != *'*'* ]] ||
      fail "RUNTIME_STAGE_FROM: $file:$((firsts[stage] + 1)): which stage FROM ${images[stage]} is, only the host will know"
    stage=$REPLY
  done
  REPLY=$stage
}

# replace NAME STAGE IMAGE: with or without docker:// in front of it.
replace() {
  local stage=$2 image=${3#docker://} line at
  [[ $image =~ ^[A-Za-z0-9][A-Za-z0-9._:/@-]*$ ]] || fail "$1 is '$3': write the name of an image"
  ! stage_named "$image" "${#images[@]}" || fail "$1 is '$3', which is a stage of $file: write the name of an image"
  line="FROM ${flags[stage]}$image${names[stage]:+ AS ${names[stage]}}"
  echo "$file:$((firsts[stage] + 1)): FROM ${flags[stage]}${images[stage]}${names[stage]:+ AS ${names[stage]}} becomes $line" >&2
  for ((at = firsts[stage]; at <= lasts[stage]; at++)); do written[at]=''; done
  written[firsts[stage]]=$line
}

# Prints the Dockerfile with the bases that FROM and RUNTIME_STAGE_FROM name.
replace_bases() {
  local text next stage=''
  mapfile -t written <"$file"
  read_dockerfile
  if [[ -n $RUNTIME_STAGE_FROM ]]; then
    target_stage
    base_of "$REPLY"
    stage=$REPLY
    [[ $stage != 0 || -z $FROM || $FROM == "$RUNTIME_STAGE_FROM" ]] ||
      fail "FROM and RUNTIME_STAGE_FROM are both for $file:$((firsts[0] + 1)): set one of them"
    replace RUNTIME_STAGE_FROM "$stage" "$RUNTIME_STAGE_FROM"
  fi
  if [[ -n $FROM && $stage != 0 ]]; then replace FROM 0 "$FROM"; fi
  printf '%s\n' "${written[@]}"
}
