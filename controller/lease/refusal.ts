// Refusing a build for good: it is told why in its error Secret, and holds nothing any more.
import type { Action } from '../model/action.ts';
import { annotations } from '../model/labels.ts';
import type { RejectReason, Told } from '../model/reason.ts';
import { errorSecretData } from '../model/ssh-secret.ts';
import type { UserTaskRun } from '../model/task-run.ts';
import { annotatePod, event, patch } from './build-actions.ts';
import { markTold, reject } from './write-lease.ts';

/**
 * The decision with its sentence, before anything is made from it: whatever ends in between, the build or this process, the
 * error Secret is made, and goes with the build.
 */
export function refusal(taskRun: UserTaskRun, told: Told<RejectReason>): Action[] {
  return [patch(taskRun, reject(taskRun, told))];
}

/** The next step of a build that was refused; none when it knows. */
export function tellRefusal(taskRun: UserTaskRun): Action[] {
  const { facts } = taskRun;
  if (facts?.untold === undefined) return [];
  const platform = facts.rejected === 'PlatformMalformed' ? undefined : taskRun.platform;
  return [
    { type: 'create-secret', owner: taskRun, data: errorSecretData(facts.untold, platform) },
    patch(taskRun, markTold(facts)),
    ...annotatePod(taskRun, { [annotations.podAssignedHost]: 'error' }),
    event(taskRun, 'Warning', 'Rejected', facts.untold),
  ];
}
