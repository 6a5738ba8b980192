// What must happen for a build that carries our finalizer but no facts: a Go controller put it there, or somebody took
// the facts away. Believes our own TaskRuns first, then a label that is ours or older than we are. That label only names a
// host, and only one of the build's platform; it opens no host to anybody: where the build's Secret is not there, the label
// is taken off and the build waits like any other.
import type { Action } from '../model/action.ts';
import { configGrace } from '../model/config-grace.ts';
import type { LeaseFacts } from '../model/host-lease.ts';
import type { Instant } from '../model/instant.ts';
import type { UserTaskRun } from '../model/task-run.ts';
import { cleanUp, deleteSecret, event, patch } from './build-actions.ts';
import { labelledAttempt } from './lease-mark.ts';
import type { Labelled, Observed } from './observed.ts';
import { planOf, type Plan } from './plan.ts';
import { hasEnded } from './read-lease.ts';
import { recoverFacts } from './recover-facts.ts';
import { release, restore } from './write-lease.ts';

export function nextUnsignedActions(observed: Observed, taskRun: UserTaskRun, now: Instant): Plan {
  const known = recoverFacts(observed);
  const { labelled } = observed;
  // A later claim may have left nothing but its label.
  const newer = labelled.to === 'host' && nothingHeld(taskRun).attempt > (known?.attempt ?? 0);
  if (known !== undefined && !newer) return planOf(found(taskRun, known));
  if (labelled.to === 'unknown' && now < (taskRun.ended ?? now) + configGrace) {
    return { actions: [], lookAgainAt: (taskRun.ended ?? now) + configGrace };
  }
  // It waits for a host like any other: what it says of itself is taken off.
  if (labelled.to === 'forgery' && !hasEnded(taskRun))
    return planOf([patch(taskRun, restore(taskRun, nothingHeld(taskRun)))]);
  return labelled.to === 'host' ? planOf(labelledHost(observed, taskRun, labelled)) : hostUnknown(taskRun);
}

function found(taskRun: UserTaskRun, facts: LeaseFacts): Action[] {
  // A Secret of the claim that is over, or one that its release did not come to.
  const late = facts.claim === undefined ? [deleteSecret(taskRun)] : [];
  return [...late, patch(taskRun, restore(taskRun, facts))];
}

function labelledHost(observed: Observed, taskRun: UserTaskRun, to: Extract<Labelled, { to: 'host' }>): Action[] {
  const { claim } = to;
  const facts = { ...nothingHeld(taskRun), claim: { ...claim, since: taskRun.created } };
  if (hasEnded(taskRun) || claim.provider === 'local') return [patch(taskRun, restore(taskRun, facts))];
  return [
    {
      type: 'check-secret',
      owner: taskRun,
      // A full host takes no more builds because of a label; it is looked at again.
      present: to.hasRoom ? [patch(taskRun, restore(taskRun, { ...facts, ready: true }))] : [],
      // A provision may have begun, though nothing of it is to be seen any more.
      missing: [...cleanUp(observed, { facts, claim }), patch(taskRun, restore(taskRun, nothingHeld(taskRun)))],
    },
  ];
}

/** While it runs with a Secret it is left alone: it may be using a host that host-config named once. */
function hostUnknown(taskRun: UserTaskRun): Plan {
  const { assignedHost } = taskRun;
  if (!hasEnded(taskRun)) {
    const missing = [patch(taskRun, restore(taskRun, nothingHeld(taskRun)))];
    return planOf([{ type: 'check-secret', owner: taskRun, present: [], missing }]);
  }
  const why = 'which is not in host-config for this platform, or was not written there by this controller';
  const message = `its label names host ${assignedHost}, ${why}: what the build left there is not cleaned up`;
  const lost = assignedHost === undefined ? [] : [event(taskRun, 'Warning', 'HostLost', message)];
  return planOf([deleteSecret(taskRun), patch(taskRun, release(taskRun)), ...lost]);
}

function nothingHeld({ attemptLabel, platform }: UserTaskRun): LeaseFacts {
  return { attempt: labelledAttempt(attemptLabel), platform: platform ?? '' };
}
