// What follows when a host could not be prepared, or when the TaskRun that should do it was lost: another try, another
// host, or the end.
import type { Action } from '../model/action.ts';
import { saidBy } from '../model/said-by.ts';
import type { UserTaskRun } from '../model/task-run.ts';
import { cleanUp, deleteSecret, event, patch, undoAttempt, type Claimed } from './build-actions.ts';
import { refuseForeignSecret } from './foreign-secret.ts';
import { provisionOf, type Observed } from './observed.ts';
import { blamelessReasons, neverEntered } from './provision-reasons.ts';
import { refusal } from './refusal.ts';
import { giveUpHost, nextAttempt } from './write-lease.ts';

/** A failed provision: its half-made user is cleaned up, and the build waits for another host. */
export function tryElsewhere(observed: Observed, taskRun: UserTaskRun, claimed: Claimed): Action[] {
  const { facts, claim } = claimed;
  const failed = provisionOf(observed, facts);
  const said = failed === undefined ? 'it was deleted' : saidBy(failed);
  const reason = failed?.results['REASON'] ?? '';
  if (reason === 'SecretExists') {
    return refuseForeignSecret(observed, taskRun, claimed);
  }
  const blameless = blamelessReasons.has(reason);
  const undo = neverEntered.has(reason) ? [] : undoAttempt(observed, taskRun, claimed);
  if (blameless && facts.attempt >= blamelessAttempts) {
    const message = `Error allocating host: failed to provision host: ${said}: run the build again later`;
    return [...undo, ...refusal(taskRun, { reason: 'ProvisionImpossible', message })];
  }
  return [
    ...undo,
    patch(taskRun, giveUpHost(taskRun, facts, !blameless)),
    event(taskRun, 'Warning', 'ProvisionFailed', `host ${claim.host} could not be prepared: ${said}`),
  ];
}

/** After so many attempts that no host is to blame for, trying on helps nobody. */
const blamelessAttempts = 5;

/**
 * Tekton never finishes a TaskRun that is being deleted, and one that is gone may have left a pod that runs on: the same
 * host again, under a new attempt. Users on hosts, and Secrets, belong to one attempt.
 */
export function lostProvision(observed: Observed, taskRun: UserTaskRun, claimed: Claimed): Action[] {
  const { facts, claim } = claimed;
  const message = `the TaskRun that prepared host ${claim.host} was deleted (attempt ${facts.attempt}): it is started again`;
  return [
    ...cleanUp(observed, claimed),
    deleteSecret(taskRun),
    patch(taskRun, nextAttempt(facts)),
    event(taskRun, 'Warning', 'ProvisionFailed', message),
  ];
}
