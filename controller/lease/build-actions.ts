// Actions on a build and on TaskRuns of ours, as several decisions ask for them. Decides nothing.
import type { Action, UserTaskRunChange } from '../model/action.ts';
import type { HostFacts, LeaseFacts } from '../model/host-lease.ts';
import { annotations, secretNameFor } from '../model/labels.ts';
import type { EventReason } from '../model/reason.ts';
import type { OwnTaskRun, UserTaskRun } from '../model/task-run.ts';
import { undoTaskRun } from '../taskruns/undo-task-run.ts';
import { launchedHost } from './host-facts.ts';
import { isHandedOver, launchOf, type Observed } from './observed.ts';

/** Facts that hold a host. */
export interface Claimed {
  readonly facts: LeaseFacts;
  readonly claim: HostFacts;
}

export function claimOf({ facts }: UserTaskRun): Claimed | undefined {
  return facts?.claim === undefined ? undefined : { facts, claim: facts.claim };
}

export function patch(target: UserTaskRun, change: UserTaskRunChange): Action {
  return { type: 'patch-user-task-run', target, change };
}

export function deleteSecret({ namespace, name }: UserTaskRun): Action {
  return { type: 'delete-secret', namespace, name: secretNameFor(name) };
}

export function event(
  about: UserTaskRun,
  severity: 'Normal' | 'Warning',
  reason: EventReason,
  message: string,
): Action {
  return { type: 'emit-event', about, severity, reason, message };
}

export function annotatePod(taskRun: UserTaskRun, values: Readonly<Record<string, string | null>>): Action[] {
  return taskRun.podName === '' ? [] : [{ type: 'annotate-pod', about: taskRun, annotations: values }];
}

/** The pod looks for its Secret as soon as it reads this. */
export function podNews(taskRun: UserTaskRun, claim: HostFacts): Action[] {
  const cleared = { [annotations.waitReason]: null, [annotations.queuePosition]: null };
  return annotatePod(taskRun, { [annotations.podAssignedHost]: claim.host, ...cleared });
}

/** Takes a TaskRun of ours away, whatever holds it. */
export function remove(target: OwnTaskRun): Action[] {
  return [
    ...(target.hasFinalizer ? [{ type: 'drop-own-finalizer', target } as const] : []),
    ...(target.deleting ? [] : [{ type: 'delete-task-run', target } as const]),
  ];
}

/**
 * The cleanup TaskRun of a lease, or the one that terminates its host; nothing where there is one already. Further tries are
 * for next-child-actions.ts.
 */
export function cleanUp(observed: Observed, { facts, claim }: Claimed): Action[] {
  const lease = { attempt: facts.attempt, claim };
  if (claim.provider === 'local' || isHandedOver(observed, lease)) return [];
  const host = launchedHost(claim, launchOf(observed, lease));
  const carried = { ...facts, claim: { ...host, since: facts.claim?.since ?? 0 } };
  return [{ type: 'create-task-run', manifest: undoTaskRun(observed.build, carried, host, 1, observed.installation) }];
}

/**
 * Gives up what was begun for an attempt. The Secret with the key may be there already: it has to go before an error Secret of
 * the same name can be made. It goes before the cleanup TaskRun is made: where that exists, a look after a crash skips all
 * of this, so it never deletes the error Secret.
 */
export function undoAttempt(observed: Observed, taskRun: UserTaskRun, claimed: Claimed): Action[] {
  const begun = isHandedOver(observed, claimed.facts);
  return begun ? [] : [deleteSecret(taskRun), ...cleanUp(observed, claimed)];
}
