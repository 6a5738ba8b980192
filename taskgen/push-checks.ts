// Whether the step that goes to the host also stores something in a registry, which it cannot do there: credentials stay in the cluster.
// Read as text, so it can be wrong; `--accept MPT203` says so.

import type { Finding, Path } from './findings.ts';
import type { Pusher } from './registry-auth.ts';
import { firstMatch } from './text-checks.ts';
import type { TextCheck } from './text-checks.ts';

/** Into a file or folder is no push. */
const localTransports = 'oci|oci-archive|docker-archive|docker-daemon|dir|containers-storage';

const localTransport = new RegExp(`\\s["']?(?:${localTransports}):`);

const localLayout = /^oras\s.*\s--(?:to-)?oci-layout\b/;

const imageTransport = new RegExp(`^(?:docker|${localTransports}):`);

/** A command of its own after the build: it can run later, when the image is in the cluster. */
const separatePush: TextCheck = {
  code: 'MPT203',
  pattern:
    /(?:\b|_)(?:buildah|podman|docker|nerdctl)(?:\s+(?:-\S+(?:\s+(?!["']?\$|(?:manifest|image|compose|push)\s)["']?[^\s;|&-]\S*)?|["']?\$\S+))*\s+(?:(?:manifest|image|compose)\s+)?push(?![\w./:-])[^\n;|&]*|\bskopeo\b[^\n;|&]*\s(?:copy|sync)\s[^\n;|&]*|\bcosign\s+(?:sign|attach|attest)(?![\w./:-])|\b(?:crane|img|makisu|regctl\s+image|helm)\s+(?:push|copy|cp)(?![\w./:-])|\boras\s+(?:(?:blob|manifest)\s+)?(?:push|attach|copy|cp)(?![\w./:-])[^\n;|&]*/g,
  says: (found) =>
    `The script also pushes ("${found}"); no registry credential reaches the host, so the push would fail there.`,
  fix: 'Say --defer-push, which pushes from the cluster when the image is back, or move the push to a step of its own as in taskgen/sources/buildah.yaml; --registry-auth push lets it push from there. If the pattern is wrong, say --accept MPT203.',
};

/** Skopeo names both ends; what counts is where it copies to, which options and a redirection may follow. */
const isPush = (found: string) => {
  if (!found.startsWith('skopeo')) return !localTransport.test(found) && !localLayout.test(found);
  const text = found
    .replace(/["']\].*$/, '')
    .replace(/["']/g, '')
    .replace(/\d*[<>]+\s*\S*/g, '');
  if (/\s(?:copy|sync)\s/.exec(text)?.[0].trim() === 'sync') return /\s(?:--dest|-d)[ =]docker(?=\s|$)/.test(text);
  const words = text.split(' ').filter((word) => word !== '' && !word.startsWith('-'));
  const last = words.findLastIndex((word) => imageTransport.test(word));
  const isTheOnly = words.findIndex((word) => imageTransport.test(word)) === last;
  // Of one place alone that a variable follows: the other place is in it.
  return words[last]?.startsWith('docker://') === true && !(isTheOnly && words[last + 1]?.startsWith('$') === true);
};

const unrepeatable: TextCheck = {
  code: 'MPT205',
  pattern: /\bbuildah\b[^\n;|&]*\s(?:run|commit|copy|add|config)\s|\s--(?:iidfile|metadata-file|manifest)\b/g,
  says: (found) =>
    `The script builds in a way ("${found}") that cannot be left out when it runs a second time, in the cluster, to push.`,
  fix: 'Move the push to a step of its own, or build from a Dockerfile with --tag.',
};

/** Tools that build and push in one go, the command lines that do not, and how to have the image without a push. */
const intoFile = (how: string) => `Let it write a file or folder into a workspace (${how})`;

const pushingTools: readonly (TextCheck & { readonly unless: RegExp; readonly how: string })[] = [
  {
    tool: 'kaniko',
    pattern: /\/kaniko\/executor\b[^\n;&]*/g,
    unless: /--no-push\b/,
    how: intoFile('--no-push --tar-path=FILE'),
  },
  {
    tool: 'ko',
    pattern: /(?:^|[\s;&|/])ko\s+(?:publish|build|resolve|apply|create)\b[^\n;&]*/gm,
    unless: /--push=false\b|--local\b|\s-L\b/,
    how: intoFile('--push=false --oci-layout-path=FOLDER'),
  },
  {
    tool: 'buildkit',
    pattern:
      /\bbuildctl\b[^\n;&]*\bpush=true\b[^\n;&]*|\bdocker\s+(?:buildx\s+)?(?:build|bake)\b[^\n;&]*\s(?:--push(?:=\S*)?(?![\w-])|(?:-o|--output)[ =]["']?\S*(?:type=registry|push=true)\b)/g,
    unless: /--push=false\b/,
    how: intoFile('--output type=oci,dest=FILE'),
  },
  {
    tool: 'apko',
    pattern: /\bapko\s+publish\b[^\n;&]*/g,
    unless: /\s--local\b/,
    how: intoFile('apko build CONFIG TAG FILE.tar'),
  },
  {
    tool: 'jib',
    pattern: /\bjib(?:-maven-plugin)?(?::[\w.${}()-]+)?:build\b|\bgradlew?\b[^\n;&]*\sjib\b(?!\w)/g,
    unless: /\bjib(?:-maven-plugin)?(?::[\w.${}()-]+)?:buildTar\b/,
    how: intoFile('jib:buildTar (Maven) or jibBuildTar (Gradle)'),
  },
  {
    tool: 'buildpacks',
    pattern: /\bpack\s+build\b[^\n;&]*\s--publish\b|\/(?:cnb\/)?lifecycle\/(?:creator|exporter)\b[^\n;&]*/g,
    unless: /\s-(?:daemon|layout)\b/,
    how: intoFile('-layout'),
  },
  {
    tool: 'dotnet',
    pattern: /(?:[/-]t(?:arget)?:PublishContainer|\bPublishProfile=DefaultContainer)\b[^\n;&]*/g,
    unless: /\bContainerArchiveOutputPath=/,
    how: intoFile('-p ContainerArchiveOutputPath=FILE'),
  },
  {
    tool: 'tkn',
    pattern: /\btkn\s+bundle\s+push\b[^\n;&]*/g,
    unless: /\s--help\b/,
    how: 'Take it out of this step, leave what it bundles in a workspace or a shared volume,',
  },
  {
    // Often the words of an array, one a line.
    tool: 'konflux-build-cli',
    pattern: /\b(?:konflux-build-cli\s+image|kubectl-package)\s+build\b[^;&)]*?\s--push(?:=\S*)?(?![\w-])/g,
    unless: /--push=false\b/,
    how: 'Take --push out, so that the image stays in container storage,',
  },
].map(({ tool, ...rest }) => ({
  ...rest,
  code: 'MPT203' as const,
  says: (found) =>
    `${tool} builds and pushes in one go here ("${found}"); no registry credential reaches the host, so the push would fail there.`,
  fix: `${rest.how} and push that in a step of its own. If the pattern is wrong, say --accept MPT203.`,
}));

/** The words of a list, as Python and others give a command, as the shell would: at the same offsets. */
function withoutLists(commands: string): string {
  return commands.replace(/["']\s*,\s*["']/g, (between) => ' '.repeat(between.length));
}

/** `written`: the script without comments, or the words of a wrapped command. */
export function pushFindings(written: string, at: Path, deferred: boolean, pusher: Pusher = 'nobody'): Finding[] {
  const commands = withoutLists(written);
  const tools = pushingTools.flatMap((check) => firstMatch(check, commands, at, (found) => !check.unless.test(found)));
  if (deferred) return tools.length > 0 ? tools : deferFindings(commands, at);
  const pushes = [...firstMatch(separatePush, commands, at, isPush), ...tools];
  if (pusher === 'transfer') return pushes.map((finding) => ({ ...finding, ...beforeItsCredential }));
  return pusher === 'script' ? hostPushFindings(commands, at, pushes) : pushes;
}

const beforeItsCredential = {
  message:
    'The script also pushes, and with --transfer registry the credential comes to the host when the script has ended.',
  fix: 'Let it push for itself and say --transfer none, or take the push out of the script. If the pattern is wrong, say --accept MPT203.',
};

const otherCredential: TextCheck = {
  code: 'MPT202',
  pattern:
    /\b(?:DOCKER_CONFIG|REGISTRY_AUTH_FILE)=[^\s;|&]*|--(?:dest-)?(?:authfile|creds|username|password)\b[= ]?[^\s;|&]*|\b(?:buildah|podman|docker|skopeo|crane|oras|cosign|helm\s+registry)\s+(?:auth\s+)?login\b/g,
  says: (found) =>
    `The script names credentials of its own ("${found}"), which take the place of those of --registry-auth push.`,
  fix: 'Leave that out on the host: REGISTRY_AUTH_FILE and DOCKER_CONFIG lead to those of the Secret.',
};

/** A credential is on the host from the start: somebody has to use it. */
function hostPushFindings(commands: string, at: Path, pushes: readonly Finding[]): Finding[] {
  if (pushes.length > 0) return firstMatch(otherCredential, commands, at);
  const message = 'A credential to push with is sent to the host, and the script has no push.';
  const fix =
    'Add --transfer registry with an image parameter (--image-param), or leave out --registry-auth push; --accept MPT036 when the push is hidden in something the script calls.';
  return [{ code: 'MPT036', at, message, fix }];
}

const listing: TextCheck = {
  code: 'MPT208',
  pattern:
    /\$\(\s*(?:buildah|podman|docker)\s+images\b[^\n;&)]*|\b(?:buildah|podman|docker)\s+images\b[^\n;&|)]*(?:\||>)[^\n;&|]*/g,
  says: (found) =>
    `The script reads the list of images ("${found}"); when it runs a second time, in the cluster, only the image that was built is there, not those it was built from.`,
  fix: 'Push from the host, where all of them are (--registry-auth push); if the script can do without them, say --accept MPT208.',
};

/** In a script without any of them there is no image; make may hide them. */
const imageTools = /\b(?:buildah|podman|docker|nerdctl|skopeo|crane|img|makisu|regctl|make)\b/;

/** Of a script that runs up to its push on the host and a second time, without building, in the cluster. */
function deferFindings(commands: string, at: Path): Finding[] {
  const pushes = firstMatch(separatePush, commands, at, isPush).length > 0;
  if (pushes && !imageTools.test(commands)) {
    const message =
      'The script pushes files and builds no image, which is what --defer-push brings back before it pushes.';
    const fix =
      'Let it write them into a workspace or a shared volume and push them in a step of its own; --registry-auth push lets it push from the host.';
    return [{ code: 'MPT205', at, message, fix }];
  }
  if (pushes) return [...firstMatch(unrepeatable, commands, at), ...firstMatch(listing, commands, at)];
  const message = 'The script has no push that --defer-push could wait with.';
  return [{ code: 'MPT205', at, message, fix: 'Leave out --defer-push.' }];
}
