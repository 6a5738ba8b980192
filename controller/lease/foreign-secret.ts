// A Secret of somebody else has the name of the build's: the build is refused, and what was begun for it is undone.
import type { Action } from '../model/action.ts';
import type { LeaseFacts } from '../model/host-lease.ts';
import { secretNameFor } from '../model/labels.ts';
import type { UserTaskRun } from '../model/task-run.ts';
import { cleanUp, type Claimed } from './build-actions.ts';
import type { Observed } from './observed.ts';
import { mostBlamelessAttempts } from './provision-reasons.ts';
import { refusal } from './refusal.ts';

/**
 * Why a launch or a provision failed: because of a Secret that is not ours. The attempt before may have made it, late: a TaskRun that is
 * deleted leaves its pod a moment to run on.
 */
export function isForeignSecret(reason: string | undefined, { attempt }: LeaseFacts): boolean {
  return reason === 'SecretExists' && (attempt === 1 || attempt >= mostBlamelessAttempts);
}

/** Not the host's fault, and not ours to overwrite. */
export function refuseForeignSecret(observed: Observed, taskRun: UserTaskRun, claimed: Claimed): Action[] {
  const name = secretNameFor(taskRun.name);
  const message = `Secret ${name} exists already and is not ours: delete it and run the build again`;
  return [...cleanUp(observed, claimed), ...refusal(taskRun, { reason: 'SecretExists', message })];
}
