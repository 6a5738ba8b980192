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
 * Why a launch or a provision failed: because of a Secret that is not ours. A try before this one may have made it, late: a
 * TaskRun that is deleted or cancelled leaves its pod a moment to run on. A launch for which there was no capacity made nothing.
 */
export function isForeignSecret(reason: string | undefined, facts: LeaseFacts): boolean {
  const { attempt, claim, failedLaunches = 0, lost = false } = facts;
  if (reason !== 'SecretExists' || lost) return false;
  return claim?.provider === 'dynamic' ? failedLaunches === 0 : attempt === 1 || attempt >= mostBlamelessAttempts;
}

/** Not the host's fault, and not ours to overwrite. */
export function refuseForeignSecret(observed: Observed, taskRun: UserTaskRun, claimed: Claimed): Action[] {
  const name = secretNameFor(taskRun.name);
  const message = `Secret ${name} exists already and is not ours: delete it and run the build again`;
  return [...cleanUp(observed, claimed), ...refusal(taskRun, { reason: 'SecretExists', message })];
}
