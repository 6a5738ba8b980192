#!/bin/sh
# Runs shellcheck over every shell file of the repository: *.sh, and files whose first line names a shell. Any finding fails.
set -eu
cd "$(dirname "$0")/.."
command -v shellcheck >/dev/null || {
  echo 'shellcheck is not installed: apt-get install -y --no-install-recommends shellcheck' >&2
  exit 1
}
list=$(mktemp)
trap 'rm -f "$list"' EXIT
find . \( -name node_modules -o -name .git -o -name dist \) -prune -o -type f -print | while IFS= read -r file; do
  case $file in
    *.sh) printf '%s\0' "$file" ;;
    *) if head -n 1 "$file" | LC_ALL=C grep -aqE '^#! ?/(usr/)?bin/(env )?(ba|da)?sh\b'; then printf '%s\0' "$file"; fi ;;
  esac
done >"$list"
echo "shellcheck: $(tr -dc '\0' <"$list" | wc -c) files"
xargs -0 shellcheck --external-sources --source-path=SCRIPTDIR:. <"$list"
