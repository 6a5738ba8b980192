// A change of a user TaskRun as a JSON Patch: tests what the decision was based on, and touches nothing else.
import type { UserTaskRunChange } from '../model/action.ts';
import { annotations, labels, userTaskRunFinalizer } from '../model/labels.ts';
import { longestForgery, type UserTaskRun } from '../model/task-run.ts';

export type PatchOperation =
  | { readonly op: 'add' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/**
 * Preconditions are uid and the fields that are changed, never the resourceVersion: others write to this TaskRun
 * all the time, and none of that matters here.
 */
export function userTaskRunPatch(
  taskRun: UserTaskRun,
  change: UserTaskRunChange,
  signedFacts: string | null | undefined,
): PatchOperation[] {
  const operations: PatchOperation[] = [{ op: 'test', path: '/metadata/uid', value: taskRun.uid }];
  if (change.finalizer !== undefined) operations.push(...finalizerOperations(taskRun, change.finalizer));

  const changedAnnotations = {
    ...change.annotations,
    ...(signedFacts === undefined ? {} : { [annotations.hostLease]: signedFacts }),
  };
  // What was cut when it was read cannot be tested for, and is none of ours.
  const isWhole = taskRun.facts !== undefined || (taskRun.signedFacts?.length ?? 0) <= longestForgery;
  if (signedFacts !== undefined && taskRun.hasAnnotations && isWhole) {
    operations.push({
      op: 'test',
      path: pointer('annotations', annotations.hostLease),
      value: taskRun.signedFacts ?? null,
    });
  }
  operations.push(
    ...mapOperations('annotations', taskRun.hasAnnotations, knownAnnotations(taskRun), changedAnnotations),
  );
  operations.push(...mapOperations('labels', taskRun.hasLabels, knownLabels(taskRun), change.labels ?? {}));
  return operations;
}

function finalizerOperations({ finalizers }: UserTaskRun, change: 'add' | 'remove'): PatchOperation[] {
  const path = '/metadata/finalizers';
  const others = finalizers.filter((finalizer) => finalizer !== userTaskRunFinalizer);
  if (change === 'add' && others.length < finalizers.length) return [];
  if (change === 'remove' && others.length === finalizers.length) return [];
  const wanted = change === 'add' ? [...finalizers, userTaskRunFinalizer] : others;
  const same: PatchOperation = { op: 'test', path, value: finalizers.length === 0 ? null : finalizers };
  return [same, wanted.length === 0 ? { op: 'remove', path } : { op: 'add', path, value: wanted }];
}

/** `known` lists the keys whose presence we know of: only those can be removed. */
function mapOperations(
  map: 'annotations' | 'labels',
  exists: boolean,
  known: Readonly<Record<string, string | undefined>>,
  changes: Readonly<Record<string, string | null>>,
): PatchOperation[] {
  const operations: PatchOperation[] = [];
  for (const [key, value] of Object.entries(changes)) {
    if (value === known[key] || (value === null && known[key] === undefined)) continue;
    operations.push(
      value === null ? { op: 'remove', path: pointer(map, key) } : { op: 'add', path: pointer(map, key), value },
    );
  }
  if (exists || operations.length === 0) return operations;
  const path = `/metadata/${map}`;
  return [{ op: 'test', path, value: null }, { op: 'add', path, value: {} }, ...operations];
}

function knownAnnotations(taskRun: UserTaskRun): Record<string, string | undefined> {
  return {
    [annotations.hostLease]: taskRun.signedFacts,
    [annotations.waitReason]: taskRun.waitReason,
    [annotations.queuePosition]: taskRun.queuePosition,
    [annotations.failedHosts]: taskRun.failedHosts.length === 0 ? undefined : taskRun.failedHosts.join(','),
  };
}

function knownLabels(taskRun: UserTaskRun): Record<string, string | undefined> {
  return {
    [labels.assignedHost]: taskRun.assignedHost,
    [labels.attempt]: taskRun.attemptLabel,
    [labels.leaseMark]: taskRun.markLabel,
    [labels.waitingForPlatform]: taskRun.waitingFor,
    [labels.targetPlatform]: taskRun.targetPlatform,
  };
}

function pointer(map: string, key: string): string {
  return `/metadata/${map}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
