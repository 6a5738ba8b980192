// The only file that changes TaskRuns, pods and the Secrets of builds. Does what a plan says, in its order, stops at the first
// failure; what is there already, or gone already, counts as done. Every answer goes into the cache, so the next look sees it.
import type { KeyObject } from 'node:crypto';
import type { Cache } from '../kubernetes/cache.ts';
import { ApiError } from '../kubernetes/api-errors.ts';
import type { Cluster, KubeObject } from '../kubernetes/cluster.ts';
import { isRemoved } from '../kubernetes/removed-object.ts';
import { signChange } from '../lease/sign-change.ts';
import type { Action, TaskRunManifest } from '../model/action.ts';
import { assertNever } from '../model/assert-never.ts';
import type { Clock } from '../model/clock.ts';
import { labels, ownTaskRunFinalizer } from '../model/labels.ts';
import { rearmPatch, storedKeyName } from '../model/one-time-key.ts';
import { isErrorSecret } from '../model/ssh-secret.ts';
import type { KeptTaskRun, OwnTaskRun, UserTaskRun } from '../model/task-run.ts';
import { userTaskRunPatch } from '../taskruns/user-task-run-patch.ts';
import type { EventRecorder } from './event-recorder.ts';
import { secretManifest } from './secret-manifest.ts';

export interface PerformOptions {
  readonly cluster: Cluster;
  readonly taskRuns: Pick<Cache<KeptTaskRun>, 'written' | 'deletedByUs'>;
  readonly project: (raw: KubeObject) => KeptTaskRun | undefined;
  /** Signs facts, and marks labels. */
  readonly leaseKey: KeyObject;
  readonly events: EventRecorder;
  readonly clock: Pick<Clock, 'now'>;
  /** A right is missing: what it was needed for is left undone. */
  readonly onForbidden: (action: Action, error: ApiError) => void;
  /** Told after the write succeeded. */
  readonly onDone: (action: Action) => void;
}

export type Perform = (actions: readonly Action[]) => Promise<void>;

export function performWith(options: PerformOptions): Perform {
  const perform: Perform = async (actions) => {
    for (const action of actions) {
      const followUp = await performOne(options, action);
      if (followUp === undefined) continue;
      options.onDone(action);
      await perform(followUp);
    }
  };
  return perform;
}

/** Returns what is to be done next because of what was found; undefined: it was done before, and is no news. */
async function performOne(options: PerformOptions, action: Action): Promise<readonly Action[] | undefined> {
  const { cluster } = options;
  switch (action.type) {
    case 'patch-user-task-run':
      await patchUser(options, action.target, action.change);
      return [];
    case 'create-task-run':
      await createTaskRun(options, action.manifest);
      return [];
    case 'cancel-task-run':
      await patchOwn(options, action.target, [{ op: 'add', path: '/spec/status', value: 'TaskRunCancelled' }]);
      return [];
    case 'delete-task-run':
      await deleteTaskRun(options, action.target);
      return [];
    case 'drop-own-finalizer':
      await patchOwn(options, action.target, withoutOwnFinalizer(action.target));
      return [];
    case 'mark-cleaned':
      await patchOwn(options, action.target, [{ op: 'add', path: cleanedPath, value: 'true' }]);
      return [];
    case 'create-secret':
      await createSecret(options, action);
      return [];
    case 'check-secret':
      return (await secretExists(cluster, action)) ? action.present : action.missing;
    case 'delete-secret':
      await deleteSecret(options, action);
      return [];
    case 'rearm-token':
      await rearmToken(cluster, action);
      return [];
    case 'report-orphan':
      return [];
    case 'annotate-pod':
      await annotatePod(cluster, action.about, action.annotations);
      return [];
    case 'emit-event':
      return options.events.emit(action.about, action) ? [] : undefined;
    default:
      return assertNever(action);
  }
}

type UserPatch = Extract<Action, { type: 'patch-user-task-run' }>;

async function patchUser(options: PerformOptions, target: UserTaskRun, change: UserPatch['change']): Promise<void> {
  const signed = signChange(options.leaseKey, target.uid, change);
  const operations = userTaskRunPatch(target, signed.change, signed.signedFacts);
  if (operations.every((operation) => operation.op === 'test')) return;
  const { namespace, name } = target;
  const patched = await unlessGone(options.cluster.patch('taskruns', namespace, name, { type: 'json', operations }));
  remember(options, patched);
}

async function createTaskRun(options: PerformOptions, manifest: TaskRunManifest): Promise<void> {
  const { namespace, name } = manifest.metadata;
  try {
    remember(options, await options.cluster.create('taskruns', namespace, { ...manifest }));
  } catch (error) {
    if (!isKind(error, 'exists')) throw error;
    // Made before a crash, or by a request whose answer was lost: the same name stands for the same lease.
    const found = await options.cluster.read('taskruns', namespace, name);
    const owner = found.metadata.labels?.[labels.userTaskUid];
    if (owner !== manifest.metadata.labels[labels.userTaskUid]) {
      throw new Error(`TaskRun ${namespace}/${name} exists and works for another build: delete it`, { cause: error });
    }
    remember(options, found);
  }
}

type PatchOperations = Extract<Parameters<Cluster['patch']>[3], { type: 'json' }>['operations'];

async function patchOwn(options: PerformOptions, target: OwnTaskRun, change: PatchOperations): Promise<void> {
  const operations = [{ op: 'test', path: '/metadata/uid', value: target.uid } as const, ...change];
  const { namespace, name } = target;
  const patched = await unlessGone(options.cluster.patch('taskruns', namespace, name, { type: 'json', operations }));
  remember(options, patched);
}

const cleanedPath = `/metadata/labels/${labels.cleaned.replaceAll('/', '~1')}`;

function withoutOwnFinalizer({ finalizers }: OwnTaskRun): PatchOperations {
  const path = '/metadata/finalizers';
  const others = finalizers.filter((finalizer) => finalizer !== ownTaskRunFinalizer);
  const same = { op: 'test', path, value: finalizers } as const;
  return [same, others.length === 0 ? { op: 'remove', path } : { op: 'replace', path, value: others }];
}

async function deleteTaskRun(options: PerformOptions, target: OwnTaskRun): Promise<void> {
  const { namespace, name, uid } = target;
  const left = await unlessGone(options.cluster.delete('taskruns', namespace, name, { uid }));
  if (left === undefined) options.taskRuns.deletedByUs(uid);
  else remember(options, left);
}

/** Without the right to read Secrets: a create that is never stored answers whether the name is taken. */
async function secretExists(
  cluster: Cluster,
  { owner, wasReported }: Extract<Action, { type: 'check-secret' }>,
): Promise<boolean> {
  try {
    await cluster.create('secrets', owner.namespace, secretManifest(owner, {}), { dryRun: true });
    return false;
  } catch (error) {
    if (isKind(error, 'exists')) return true;
    // Quotas are counted before names are looked at: the Secret is there if somebody said so, perhaps as the last there was
    // room for. If it is not, whoever has to make it is told why it cannot, and the build with it.
    if (isKind(error, 'refused') && /exceeded quota/.test(String(error))) return wasReported === true;
    throw error;
  }
}

/** How long the Secret of a deleted build of the same name may still be there. */
const collectionTime = 10_000;

/**
 * A Secret that is there already, and stays, is left alone: it is what the build reads. Where none can be made, as in a full
 * namespace, a build is refused without one: the slot it holds is not only its own.
 */
async function createSecret(
  { cluster, clock, events, onForbidden }: PerformOptions,
  action: Extract<Action, { type: 'create-secret' }>,
): Promise<void> {
  const { owner, data } = action;
  try {
    await cluster.create('secrets', owner.namespace, secretManifest(owner, data));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.kind === 'refused') {
      if (isErrorSecret(data)) return onForbidden(action, error);
      const message = `its Secret cannot be made, trying again: ${error.message}`;
      events.emit(owner, { severity: 'Warning', reason: 'ProvisionFailed', message });
    }
    if (error.kind !== 'exists') throw error;
    const young = clock.now() < owner.created + collectionTime;
    if (young || /object is being deleted/.test(error.message)) throw error.as({ kind: 'conflict' });
  }
}

/** Refused by the admission policy: it is not ours. Refused for want of a right: nothing else waits for that. */
async function deleteSecret(
  options: PerformOptions,
  action: Extract<Action, { type: 'delete-secret' }>,
): Promise<void> {
  try {
    await unlessGone(options.cluster.delete('secrets', action.namespace, action.name));
  } catch (error) {
    if (!(error instanceof ApiError) || error.kind !== 'refused') throw error;
    if (/ValidatingAdmissionPolicy/.test(error.message)) return;
    options.onForbidden(action, error);
  }
}

/** No key is stored when no key server is installed. */
async function rearmToken(cluster: Cluster, action: Extract<Action, { type: 'rearm-token' }>): Promise<void> {
  const { namespace, owner, retries } = action;
  const body = rearmPatch(retries);
  await unlessGone(cluster.patch('secrets', namespace, storedKeyName(owner.uid), { type: 'merge', body }));
}

async function annotatePod(
  cluster: Cluster,
  about: UserTaskRun,
  annotations: Readonly<Record<string, string | null>>,
): Promise<void> {
  const body = { metadata: { annotations } };
  await unlessGone(cluster.patch('pods', about.namespace, about.podName, { type: 'merge', body }));
}

function remember({ project, taskRuns }: PerformOptions, answer: KubeObject | undefined): void {
  if (answer === undefined) return;
  if (isRemoved(answer)) return taskRuns.deletedByUs(answer.metadata.uid);
  const kept = project(answer);
  if (kept !== undefined) taskRuns.written(kept);
}

/** The answer; undefined when what was to be changed is gone. */
async function unlessGone<Answer>(request: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await request;
  } catch (error) {
    if (isKind(error, 'gone')) return undefined;
    throw error;
  }
}

function isKind(error: unknown, kind: ApiError['kind']): boolean {
  return error instanceof ApiError && error.kind === kind;
}
