// Refusing a build for good: it is told why in its error Secret, and holds nothing any more.
import type { Action } from '../model/action.ts';
import { annotations } from '../model/labels.ts';
import type { RejectReason, Told } from '../model/reason.ts';
import { errorSecretData } from '../model/ssh-secret.ts';
import type { UserTaskRun } from '../model/task-run.ts';
import { annotatePod, event, patch } from './build-actions.ts';
import { reject } from './write-lease.ts';

/** Error Secret first: with the marker alone, a crash between the two would leave the build waiting for ever. */
export function refusal(taskRun: UserTaskRun, told: Told<RejectReason>): Action[] {
  const platform = told.reason === 'PlatformMalformed' ? undefined : taskRun.platform;
  return [
    { type: 'create-secret', owner: taskRun, data: errorSecretData(told.message, platform) },
    patch(taskRun, reject(taskRun, told.reason)),
    ...annotatePod(taskRun, { [annotations.podAssignedHost]: 'error' }),
    event(taskRun, 'Warning', 'Rejected', told.message),
  ];
}
