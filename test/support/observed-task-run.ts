// Raw TaskRuns read the way a bystander reads them: by the labels, annotations and status that are promised. Shared by
// what checks them and what plays Tekton; never by the product's own readers, which are under test.

/** JSON as it came; tests read what they name. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Raw = any;

export const prefix = 'build.appstudio.redhat.com';
export const userFinalizer = 'appstudio.io/multi-platform-finalizer';

/** Of one that nobody has seen yet: undefined. */
export function label(taskRun: Raw, name: string): string | undefined {
  return taskRun?.metadata.labels?.[`${prefix}/${name}`];
}

/** Of one that nobody has seen yet: undefined. */
export function annotation(taskRun: Raw, name: string): string | undefined {
  return taskRun?.metadata.annotations?.[`${prefix}/${name}`];
}

export function isDone(taskRun: Raw): boolean {
  return ['True', 'False'].includes(conditionOf(taskRun)?.status);
}

export function hasFailed(taskRun: Raw): boolean {
  return conditionOf(taskRun)?.status === 'False';
}

/** Neither ended nor being deleted. */
export function isLive(taskRun: Raw): boolean {
  return !isDone(taskRun) && taskRun.metadata.deletionTimestamp === undefined;
}

/** `provision`, `clean`, `update`; undefined for a TaskRun of people. */
export function taskType(taskRun: Raw): string | undefined {
  return label(taskRun, 'task-type');
}

export function isBuild(taskRun: Raw): boolean {
  const given = taskRun.status?.taskSpec?.volumes;
  const volumes: Raw[] = Array.isArray(given) ? given : [];
  return (
    taskType(taskRun) === undefined &&
    volumes.some((it) => String(it?.secret?.secretName ?? '').startsWith('multi-platform-ssh-'))
  );
}

/** The host whose slot it holds, as it says of itself. */
export function hostOf(taskRun: Raw): string | undefined {
  const claim = factsOf(taskRun)?.claim;
  // The label of a launched host changes once its provider has said what it calls it.
  return claim?.provider === 'dynamic' ? claim.host : (label(taskRun, 'assigned-host') ?? claim?.host);
}

/** Facts of the lease: signed on builds, bare on TaskRuns of ours. Not verified. */
export function factsOf(taskRun: Raw): Raw {
  const text = annotation(taskRun, 'host-lease');
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text.slice(text.indexOf('{')));
  } catch {
    return undefined;
  }
}

/** Which build, and which of its claims, a TaskRun of ours works for. */
export function leaseOf(taskRun: Raw): string {
  return `${buildOf(taskRun)} attempt ${label(taskRun, 'attempt')}`;
}

/** Namespace and name of the build a TaskRun of ours works for. */
export function buildOf(taskRun: Raw): string {
  return `${label(taskRun, 'user-task-namespace')}/${label(taskRun, 'user-task-name')} (${label(taskRun, 'user-task-uid')})`;
}

export function resultOf(taskRun: Raw, name: string): string | undefined {
  return taskRun.status?.results?.find((it: Raw) => it.name === name)?.value;
}

/** '' when it has none of that name. */
export function paramOf(taskRun: Raw, name: string): string {
  return taskRun.spec.params.find((it: Raw) => it.name === name)?.value ?? '';
}

function conditionOf(taskRun: Raw): Raw {
  return taskRun.status?.conditions?.find((it: Raw) => it.type === 'Succeeded');
}

/** And told why, in its error Secret. */
export function isRefused(taskRun: Raw): boolean {
  const facts = factsOf(taskRun);
  return facts?.rejected !== undefined && facts.untold === undefined;
}
