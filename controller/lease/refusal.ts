// Refusing a build for good: it is told why in its error Secret, and holds nothing any more. Whatever ends in between, the build
// or this process, nobody waits for ever and no Secret is left behind.
import type { Action } from '../model/action.ts';
import { annotations } from '../model/labels.ts';
import type { RejectReason, Told } from '../model/reason.ts';
import { errorSecretData } from '../model/ssh-secret.ts';
import type { UserTaskRun } from '../model/task-run.ts';
import { annotatePod, event, patch } from './build-actions.ts';
import { markTold, reject, rejectUntold } from './write-lease.ts';

/** Of a build that holds nothing, so that nothing would undo the Secret: the decision with its sentence first. */
export function refuseWaiting(taskRun: UserTaskRun, told: Told<RejectReason>): Action[] {
  return [patch(taskRun, rejectUntold(taskRun, told))];
}

/** The next step of such a build, with the sentence that its facts hold. */
export function tellRefusal(taskRun: UserTaskRun, untold: string): Action[] {
  const platform = taskRun.facts?.rejected === 'PlatformMalformed' ? undefined : taskRun.platform;
  return tell(taskRun, untold, platform, patch(taskRun, markTold(taskRun)));
}

/** Of a build that holds a host: the claim says what is to be undone until the Secret is there. */
export function refusal(taskRun: UserTaskRun, told: Told<RejectReason>): Action[] {
  return tell(taskRun, told.message, taskRun.platform, patch(taskRun, reject(taskRun, told.reason)));
}

function tell(taskRun: UserTaskRun, message: string, platform: string | undefined, mark: Action): Action[] {
  return [
    { type: 'create-secret', owner: taskRun, data: errorSecretData(message, platform) },
    mark,
    ...annotatePod(taskRun, { [annotations.podAssignedHost]: 'error' }),
    event(taskRun, 'Warning', 'Rejected', message),
  ];
}
