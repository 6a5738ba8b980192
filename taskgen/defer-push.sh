#!/bin/sh
# Put in front of the build script by taskgen --defer-push. On a build host the script runs up to its first push, which needs credentials
# that stay in the cluster. With the image back in the cluster it runs once more: what builds does nothing there, what pushes is real.
set -eu
folder=${0%/*}/deferred
line=0

# One stand-in for each tool that is here; files beside it say what is real and which half of the script this is.
stand_in() { # TOOL
  real=$(command -v "$1") || return 0
  printf '%s' "$real" >"$folder/$1"
  cat >"$folder/bin/$1" <<'STAND_IN'
#!/bin/sh
folder=${0%/bin/*} tool=${0##*/}
phase=$(cat "$folder/phase")
say() { echo "$tool: $*" >&2; }
word='' end='' before=''
for it; do
  case $tool:$word:$it in
    *:push:* | *:build:* | *:other:*) ;;
    buildah::manifest | podman::manifest | podman::image | docker::image | docker::buildx | regctl::image) ;;
    *::push | cosign::sign | cosign::attach | cosign::attest | oras::attach | oras::cp | oras::copy | crane::copy | crane::cp | regctl::copy) word=push ;;
    skopeo::copy | skopeo::sync) word=push ;;
    *::bud | *::build | *::build-using-dockerfile) word=build ;;
    buildah::run | buildah::commit | buildah::copy | buildah::add | buildah::config | podman::commit) word=part ;;
    buildah::from | podman::run | *::unshare | *::images | *::inspect | *::mount | *::pull | *::tag | *::rmi | *::rm | *::login | *::logout) word=other ;;
  esac
  # Where it goes is the last place that is named; options may follow.
  case $it in docker://* | oci:* | oci-archive:* | docker-archive:* | docker-daemon:* | dir:* | containers-storage:*) end=$it ;; esac
  case $tool:$before=$it in
    skopeo:*=--dest=docker | skopeo:--dest=docker | skopeo:-d=docker) end=docker:// ;;
    oras:*=--to-oci-layout* | oras:*=--oci-layout*) end=oci: ;;
  esac
  before=$it
done
# Into a file or folder, or out of a registry, is no push.
case $tool:$end in
  skopeo:docker://*) ;;
  skopeo:* | *:oci:* | *:oci-archive:* | *:docker-archive:* | *:docker-daemon:* | *:dir:* | *:containers-storage:*) [ "$word" != push ] || word=other ;;
esac
case $phase:$word in
  host:push)
    say 'the push waits until the image is in the cluster; the script ends here on this host'
    : >"$folder/stopped"
    kill -KILL "$(cat "$folder/pid")"
    exec sleep 2147483647
    ;;
  cluster:build)
    case " $* " in
      *' --iidfile'* | *' --metadata-file'*)
        say 'cannot write files about a build that ran on another host; leave out --iidfile and the like'
        exit 1
        ;;
    esac
    say 'not built again: the image is the one from the host'
    exit 0
    ;;
  cluster:part)
    say "a build in single commands cannot be repeated without building ($*); use a Dockerfile, or a step of its own for the push"
    exit 1
    ;;
esac
exec "$(cat "$folder/$tool")" "$@"
STAND_IN
  chmod 0755 "$folder/bin/$1"
}

rm -rf "$folder"
mkdir -p "$folder/bin"
tail -n "+$line" -- "$0" >"$folder/body"
# Without a shebang the interpreter is what Tekton would use.
case $(head -n 1 "$folder/body") in
  '#!'*) mv "$folder/body" "$folder/script" ;;
  *) { printf '#!/bin/sh\nset -e\n' && cat "$folder/body"; } >"$folder/script" ;;
esac
chmod 0755 "$folder/script"

phase=host
if [ "$folder" != /mp-job/deferred ]; then
  [ "${MP_IMAGE_LOADED:-}" = true ] || exec "$folder/script" "$@"
  phase=cluster
fi
unset MP_IMAGE_LOADED
echo "$phase" >"$folder/phase"
for tool in buildah podman docker skopeo cosign crane oras regctl helm img makisu; do stand_in "$tool"; done
PATH=$folder/bin:$PATH
export PATH
[ "$phase" = host ] || exec "$folder/script" "$@"

status=0
# shellcheck disable=SC2016 # expanded by that shell
sh -c 'echo "$$" >"$0/pid"; exec "$0/script" "$@"' "$folder" "$@" &
wait "$!" || status=$?
[ ! -e "$folder/stopped" ] || exit 0
exit "$status"
