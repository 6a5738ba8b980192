// Actions as short sentences, in their order: what tests of decisions compare.
import type { Action, UserTaskRunChange } from '../../../controller/model/action.ts';
import { assertNever } from '../../../controller/model/assert-never.ts';
import { labels } from '../../../controller/model/labels.ts';
import type { LeaseFacts } from '../../../controller/model/host-lease.ts';
import type { OwnTaskRun, UserTaskRun } from '../../../controller/model/task-run.ts';
import { userTaskRunPatch } from '../../../controller/taskruns/user-task-run-patch.ts';

export function sentencesOf(actions: readonly Action[]): string[] {
  return actions.flatMap((action) => {
    if (action.type !== 'check-secret') return [sentenceOf(action)];
    const under = (head: string, follow: readonly Action[]): string[] =>
      sentencesOf(follow).map((it) => `  ${head}: ${it}`);
    return ['check Secret', ...under('there', action.present), ...under('missing', action.missing)];
  });
}

function sentenceOf(action: Exclude<Action, { type: 'check-secret' }>): string {
  switch (action.type) {
    case 'patch-user-task-run':
      return `patch: ${changeOf(action.target, action.change)}`;
    case 'create-task-run':
      return `create ${manifestName(action.manifest.metadata.labels)}`;
    case 'cancel-task-run':
      return `cancel ${ownName(action.target)}`;
    case 'delete-task-run':
      return `delete ${ownName(action.target)}`;
    case 'drop-own-finalizer':
      return `drop the finalizer of ${ownName(action.target)}`;
    case 'mark-cleaned':
      return `mark ${ownName(action.target)} as cleaned`;
    case 'create-secret':
      return `create Secret ${Object.keys(action.data).join(', ')}`;
    case 'delete-secret':
      return `delete Secret ${action.namespace}/${action.name}`;
    case 'rearm-token':
      return `one-time token is good for ${action.retries} retries`;
    case 'report-orphan':
      return `report ${action.kind} on ${action.host}`;
    case 'annotate-pod':
      return `annotate pod ${action.about.podName}: ${valuesOf(action.annotations)}`;
    case 'emit-event':
      return `event ${action.severity} ${action.reason}: ${action.message.replace(/TaskRun \S+$/, 'TaskRun <name>')}`;
    default:
      return assertNever(action);
  }
}

/** What really changes on the target. */
function changeOf(target: UserTaskRun, change: UserTaskRunChange): string {
  const { facts } = change;
  // The label only repeats what the facts say.
  const operations = userTaskRunPatch(target, change, undefined).filter(
    ({ op, path }) => op !== 'test' && !path.endsWith('~1attempt'),
  );
  const rest = operations.map((operation) => {
    const { path } = operation;
    if (path === '/metadata/finalizers') return `finalizer ${change.finalizer === 'add' ? 'added' : 'away'}`;
    const key = path.slice(path.lastIndexOf('~1') + 2);
    return operation.op === 'remove' ? `${key} away` : `${key}=${String(operation.value)}`;
  });
  return [facts === undefined || facts === null ? '' : factsText(facts), ...rest].filter((it) => it !== '').join(', ');
}

function factsText(facts: LeaseFacts): string {
  const { attempt, claim, ready, rejected, oneTimeKey, retries, failedLaunches, lost } = facts;
  const parts = [
    `attempt ${attempt}`,
    claim && `on ${claim.launch?.instanceId ?? hostName(claim.host)}`,
    ready && 'ready',
    oneTimeKey && 'with a stored key',
    retries && `armed for ${retries} retries`,
    failedLaunches && `after ${failedLaunches} hosts that came to nothing`,
    lost && 'after a lost one',
    rejected && `rejected ${rejected}`,
  ];
  return parts.filter((it) => it !== undefined).join(' ');
}

function ownName({ type, cleanupTry, attempt, host }: OwnTaskRun): string {
  return `${kindOf(type, String(cleanupTry))} of attempt ${attempt} on ${hostName(host)}`;
}

function kindOf(type: string | undefined, nth: string | undefined): string | undefined {
  if (type === 'clean') return `cleanup ${nth}`;
  return type === 'terminate' ? `terminate ${nth}` : type;
}

/** Tokens are hashes; which one it is hardly ever matters. */
function hostName(host: string | undefined): string | undefined {
  return host?.replace(/^mp-[0-9a-f]{20}$/, 'a host of its own');
}

function manifestName(of: Readonly<Record<string, string>>): string {
  const what = kindOf(of[labels.taskType], of[labels.cleanupTry]);
  return `${what} of attempt ${of[labels.attempt]} on ${hostName(of[labels.assignedHost])}`;
}

function valuesOf(values: Readonly<Record<string, string | null>>): string {
  const short = (key: string): string => key.slice(key.lastIndexOf('/') + 1);
  const texts = Object.entries(values).map(([key, value]) =>
    value === null ? `${short(key)} away` : `${short(key)}=${value}`,
  );
  return texts.sort().join(', ');
}
