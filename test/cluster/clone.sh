# shellcheck shell=bash
# Copies a folder of prepared data in a moment, by hard links. Sourced.

# clone_folder <from> <to> <pattern>: files that match are really copied, because their owner changes them in place. All others must be written
# once and never again, as unpacked layers and the blobs of a registry are. (Symbolic links to whole layers would be quicker still, but for a pod
# with a user namespace containerd maps the ids of the folder that holds the layers, and a link would lead out of it.)
clone_folder() {
  local file
  cp -al "$1/." "$2"
  find "$2" -name "$3" -type f -not -path '*/snapshots/*' | while read -r file; do
    cp "$file" "$file.copy"
    mv "$file.copy" "$file"
  done
}
