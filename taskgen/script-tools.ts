// Whether a script can leave an image in container storage, by the tools it names. It is read as text, and told only where it is certain:
// a script of the workspace, make or a variable can call anything, and to miss an image is worse than to ask for one in vain.

import { withoutComments } from './text-checks.ts';

/** What can find the image in the builder's container when the script has ended. */
const containerTools = /\b(?:buildah|podman|skopeo)\b/;

/** What builds an image without leaving it there, whatever else the script calls. */
const elsewhere =
  /\/kaniko\/executor\b|(?:^|\s)(?:ko|apko|melange)\s+build\b|\bbuildctl\b|\bjib:buildTar\b|\bjibBuildTar\b|\/lifecycle\/creator\b|\bdocker\s+(?:buildx\s+)?build\b/m;

/** Tools that never build into container storage: of images, of clusters, of text and files. */
const harmless = new Set(
  `apko bazelisk buildctl cosign crane grype helm img jib kaniko kubectl kustomize ko makisu melange oc oras pack regctl s2i syft trivy umoci
   awk base64 basename cat chmod chown cp curl cut date diff dirname find git grep gunzip gzip head hostname id install jq ln ls md5sum mkdir mktemp mv
   nproc pwd readlink realpath rm rmdir sed sha256sum sleep sort stat tail tar tee touch tr uname uniq unzip wc wget whoami yq zip
   : [ [[ break cd continue echo exit export false for local printf pwd read readonly return set shift test true umask unset wait`.split(
    /\s+/,
  ),
);
/** Only these of their subcommands: others run what the workspace holds. */
const harmlessParts: Readonly<Record<string, RegExp>> = {
  bazel: /^(?:build|clean|cquery|fetch|info|query|shutdown|version)$/,
  bazelisk: /^(?:build|clean|cquery|fetch|info|query|shutdown|version)$/,
  find: /^(?!.*-(?:exec|ok))/,
  nix: /^(?:build|eval|flake)$/,
};
const keywords = /^(?:if|then|elif|else|fi|while|until|do|done|!|\{|\}|time|sudo|exec|command|\w+=\S*)$/;

/** The name of a tool because of which no image is expected, as far as one can be told. */
export function toolWithoutImage(script: string, words: string): string | undefined {
  if (containerTools.test(words)) return undefined;
  const [builder] = elsewhere.exec(words) ?? [];
  return builder?.trim() ?? onlyTool(script);
}

/** The first tool of a shell script that names no others but harmless ones. */
function onlyTool(script: string): string | undefined {
  if (!/^(?!#!)|^#!\s*\S*(?:\/|env\s+)(?:ba|da|k)?sh\b/.test(script) || /<<|`|\beval\b/.test(script)) return undefined;
  const commands = withoutComments(script)
    .replace(/\$\((?:params|workspaces|results|context)\b[^)]*\)/g, 'value')
    .replace(/\s#.*$/gm, '')
    // Of a text in quotes only the commands in it count; what it is the argument of, or the name, is seen without it.
    .replace(/"(?:[^"\\\n]|\\.)*"|'[^'\n]*'/g, (quoted) => (/^".*\$\(/.test(quoted) ? quoted : 'value'))
    .replace(/\d?[<>]+(?:&\d|&?\s*[^\s;|&)]+)/g, ' ')
    .split(/\n|;|&&?|\|\|?|\$?\(|\)/)
    .map(wordsOf)
    .filter((words) => words.length > 0);
  if (!commands.every(isHarmless)) return undefined;
  const builtin = /^(?:\W+|cd|echo|exit|export|set|test|true|mkdir|printf)$/;
  return commands.map(([first = '']) => baseName(first)).find((name) => !builtin.test(name));
}

/** Without what can stand in front of a command. */
function wordsOf(command: string): string[] {
  const words = command.split(/\s+/).filter((word) => word !== '');
  const first = words.findIndex((word) => !keywords.test(word));
  return first < 0 ? [] : words.slice(first);
}

function isHarmless([first = '', ...rest]: readonly string[]): boolean {
  const name = baseName(first);
  const part = harmlessParts[name];
  const subcommand = name === 'find' ? rest.join(' ') : (rest.find((word) => !word.startsWith('-')) ?? '');
  return part === undefined ? harmless.has(name) : part.test(subcommand);
}

/** `/usr/bin/img` is img; a script of the workspace is itself. */
function baseName(word: string): string {
  return /^(?:\/usr(?:\/local)?)?\/s?bin\/([\w.-]+)$/.exec(word)?.[1] ?? word;
}
