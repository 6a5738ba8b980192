// What follows when a host could not be prepared, or when the TaskRun that should do it was lost: another try, another
// host, or the end.
import type { Action } from '../model/action.ts';
import { second, type Duration, type Instant } from '../model/instant.ts';
import { saidBy } from '../model/said-by.ts';
import type { UserTaskRun } from '../model/task-run.ts';
import { cleanUp, deleteSecret, event, patch, undoAttempt, type Claimed } from './build-actions.ts';
import { isForeignSecret, refuseForeignSecret } from './foreign-secret.ts';
import { delivered } from './next-delivery-actions.ts';
import { isHandedOver, provisionOf, seenOf, type Observed } from './observed.ts';
import { planOf, type Plan } from './plan.ts';
import { blamelessReasons, mostBlamelessAttempts, neverEntered } from './provision-reasons.ts';
import { refusal } from './refusal.ts';
import { giveUpHost, nextAttempt } from './write-lease.ts';

/** A failed provision: its half-made user is cleaned up, and the build waits for another host. */
export function tryElsewhere(observed: Observed, taskRun: UserTaskRun, claimed: Claimed): Action[] {
  const { facts, claim } = claimed;
  const failed = provisionOf(observed, facts);
  const said = failed === undefined ? 'it was deleted' : saidBy(failed);
  const reason = failed?.results['REASON'] ?? '';
  if (isForeignSecret(reason, facts)) return refuseForeignSecret(observed, taskRun, claimed);
  const blameless = blamelessReasons.has(reason);
  const undo = neverEntered.has(reason) ? [] : undoAttempt(observed, taskRun, claimed);
  if (blameless && facts.attempt >= mostBlamelessAttempts) {
    const message = `Error allocating host: failed to provision host: ${said}: run the build again later`;
    return [...undo, ...refusal(taskRun, { reason: 'ProvisionImpossible', message })];
  }
  return [
    ...undo,
    patch(taskRun, giveUpHost(taskRun, facts, !blameless)),
    event(taskRun, 'Warning', 'ProvisionFailed', `host ${claim.host} could not be prepared: ${said}`),
  ];
}

/** The pod of a TaskRun that is gone runs on for about so long. */
const runsOn: Duration = 5 * second;

/** On a host with slots: the same host again, under a new attempt, as users on hosts, and Secrets, belong to one attempt. */
export function lostProvision(observed: Observed, taskRun: UserTaskRun, claimed: Claimed, now: Instant): Plan {
  const { facts, claim } = claimed;
  const message = `the TaskRun that prepared host ${claim.host} was deleted (attempt ${facts.attempt}): it is started again`;
  const again = [
    ...cleanUp(observed, claimed),
    deleteSecret(taskRun),
    patch(taskRun, nextAttempt(facts)),
    event(taskRun, 'Warning', 'ProvisionFailed', message),
  ];
  return unlessDelivered(observed, taskRun, claimed, now, again);
}

/**
 * Tekton never finishes a TaskRun that is being deleted, and the pod of one that is gone runs on for a moment, perhaps until
 * it has made the Secret: then the build has what it needs, and `otherwise` is not done.
 */
export function unlessDelivered(
  observed: Observed,
  taskRun: UserTaskRun,
  claimed: Claimed,
  now: Instant,
  otherwise: readonly Action[],
): Plan {
  const until = (seenOf(observed, claimed.facts)?.lostSince ?? -Infinity) + runsOn;
  if (now < until) return { actions: [], lookAgainAt: until };
  // Somebody cleans up behind it already.
  if (isHandedOver(observed, claimed.facts)) return planOf(otherwise);
  return planOf([{ type: 'check-secret', owner: taskRun, present: delivered(taskRun, claimed), missing: otherwise }]);
}
