// Whether the step that goes to the host also stores something in a registry, which it cannot do there: credentials stay in the cluster.
// Read as text, so it can be wrong; `--accept MPT203` says so.

import type { Finding, Path } from './findings.ts';
import { firstMatch } from './text-checks.ts';
import type { TextCheck } from './text-checks.ts';

/** Into a file or folder is no push. */
const localTransport = /\s["']?(?:oci|oci-archive|docker-archive|docker-daemon|dir|containers-storage):/;

/** A command of its own after the build: it can run later, when the image is in the cluster. */
const separatePush: TextCheck = {
  code: 'MPT203',
  pattern:
    /(?:\b|_)(?:buildah|podman|docker|nerdctl)\b[^\n;|&]*\s(?:manifest\s+)?push\b[^\n;|&]*|\bskopeo\b[^\n;|&]*\b(?:copy|sync)\b[^\n;|&]*|\bcosign\s+(?:sign|attach|attest)\b|\b(?:crane|img|makisu|regctl\s+image|helm)\s+(?:push|copy)\b|\boras\s+(?:push|attach|copy|cp)\b/g,
  says: (found) =>
    `The script also pushes ("${found}"); no registry credential reaches the host, so the push would fail there.`,
  fix: 'Say --defer-push, which pushes from the cluster when the image is back, or move the push to a step of its own as in taskgen/sources/buildah.yaml; --registry-auth push lets it push from there. If the pattern is wrong, say --accept MPT203.',
};

/** Skopeo names both ends; what counts is where it copies to. */
const isPush = (found: string) => {
  const words = found
    .replace(/["']/g, '')
    .split(' ')
    .filter((word) => !word.startsWith('-'));
  return words[0] === 'skopeo' ? words.at(-1)?.startsWith('docker://') === true : !localTransport.test(found);
};

const unrepeatable: TextCheck = {
  code: 'MPT205',
  pattern: /\bbuildah\b[^\n;|&]*\s(?:run|commit|copy|add|config)\s|\s--(?:iidfile|metadata-file|manifest)\b/g,
  says: (found) =>
    `The script builds in a way ("${found}") that cannot be left out when it runs a second time, in the cluster, to push.`,
  fix: 'Move the push to a step of its own, or build from a Dockerfile with --tag.',
};

/** Tools that build and push in one go. */
const pushingTools: readonly (TextCheck & { readonly unless: RegExp; readonly how: string })[] = [
  {
    tool: 'kaniko',
    pattern: /\/kaniko\/executor\b[^\n;&]*/g,
    unless: /--no-push\b/,
    how: '--no-push --tar-path=FILE',
  },
  {
    tool: 'ko',
    pattern: /(?:^|[\s;&|/])ko\s+(?:publish|build|resolve|apply|create)\b[^\n;&]*/gm,
    unless: /--push=false\b|--local\b|\s-L\b/,
    how: '--push=false --oci-layout-path=FOLDER',
  },
  {
    tool: 'buildkit',
    pattern: /\bbuildctl\b[^\n;&]*\bpush=true\b[^\n;&]*|\bdocker\s+(?:buildx\s+)?build\b[^\n;&]*\s--push\b/g,
    unless: /--push=false\b/,
    how: '--output type=oci,dest=FILE',
  },
  {
    tool: 'jib',
    pattern: /\bjib(?:-maven-plugin)?(?::[\w.${}()-]+)?:build\b|\bgradlew?\b[^\n;&]*\sjib\b(?!\w)/g,
    unless: /\bjib(?:-maven-plugin)?(?::[\w.${}()-]+)?:buildTar\b/,
    how: 'jib:buildTar (Maven) or jibBuildTar (Gradle)',
  },
  {
    tool: 'buildpacks',
    pattern: /\bpack\s+build\b[^\n;&]*\s--publish\b|\/(?:cnb\/)?lifecycle\/(?:creator|exporter)\b[^\n;&]*/g,
    unless: /\s-(?:daemon|layout)\b/,
    how: '-layout',
  },
].map(({ tool, ...rest }) => ({
  ...rest,
  code: 'MPT203' as const,
  says: (found) =>
    `${tool} builds and pushes in one go here ("${found}"); no registry credential reaches the host, so the push would fail there.`,
  fix: `Let it write a file or folder into a workspace (${rest.how}) and push that in a step of its own. If the pattern is wrong, say --accept MPT203.`,
}));

/** `commands`: the script without comments, or the words of a wrapped command. `fromHost`: a credential to push with is there. */
export function pushFindings(commands: string, at: Path, deferred: boolean, fromHost = false): Finding[] {
  const tools = pushingTools.flatMap((check) => firstMatch(check, commands, at, (found) => !check.unless.test(found)));
  if (fromHost) return [];
  if (deferred) return tools.length > 0 ? tools : deferFindings(commands, at);
  return [...firstMatch(separatePush, commands, at, isPush), ...tools];
}

/** Of a script that runs up to its push on the host and a second time, without building, in the cluster. */
function deferFindings(commands: string, at: Path): Finding[] {
  const pushes = firstMatch(separatePush, commands, at, isPush).length > 0;
  if (pushes) return firstMatch(unrepeatable, commands, at);
  const message = 'The script has no push that --defer-push could wait with.';
  return [{ code: 'MPT205', at, message, fix: 'Leave out --defer-push.' }];
}
