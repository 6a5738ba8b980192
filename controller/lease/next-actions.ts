// What must happen next for one build: one call per look, from the whole picture, never from an event.
// Its own phase first, then the TaskRuns of ours that work for it. Decides only.
import type { Action } from '../model/action.ts';
import { assertNever } from '../model/assert-never.ts';
import type { LeasePhase } from '../model/host-lease.ts';
import type { Instant } from '../model/instant.ts';
import { storedKeyName } from '../model/one-time-key.ts';
import { localSecretData } from '../model/ssh-secret.ts';
import type { UserTaskRun } from '../model/task-run.ts';
import { provisionTaskRun } from '../taskruns/own-task-run-manifest.ts';
import { claimOf, cleanUp, deleteSecret, event, patch, type Claimed } from './build-actions.ts';
import { hostText } from './host-facts.ts';
import { nextChildActions } from './next-child-actions.ts';
import { attend, deliver, delivered, deliverEarly } from './next-delivery-actions.ts';
import { lostProvision, tryElsewhere } from './next-failure-actions.ts';
import {
  awaitLaunch,
  failedLaunch,
  failedOnLaunched,
  launchHost,
  lostOnLaunched,
  noteHost,
  prepareLaunched,
} from './next-launch-actions.ts';
import { nextUnsignedActions } from './next-unsigned-actions.ts';
import { isHandedOver, launchOf, provisionOf, seenOf, type Observed } from './observed.ts';
import { noPlan, planOf, type Plan } from './plan.ts';
import { hasEnded, readPhase } from './read-lease.ts';
import { tellRefusal } from './refusal.ts';
import { defaultKeepTimes, stopWait, type KeepTimes } from './timeouts.ts';
import { nextAttempt, release, withoutWaiting } from './write-lease.ts';

export function nextActions(observed: Observed, now: Instant, keep: KeepTimes = defaultKeepTimes): Plan {
  const own = nextOfBuild(observed, now);
  // Children wait for the build's own step: what they may do depends on facts it is about to change.
  if (own.actions.length > 0) return own;
  // Told last: an error Secret that cannot be made, for now, holds up nothing else.
  return planOf([], own, nextChildActions(observed, now, keep), planOf(refusalToTell(observed, now)));
}

function refusalToTell(observed: Observed, now: Instant): Action[] {
  const { taskRun } = observed;
  if (taskRun?.facts?.untold === undefined) return [];
  return readPhase(observed, now) === 'rejected' ? tellRefusal(taskRun, taskRun.facts.untold) : [];
}

function nextOfBuild(observed: Observed, now: Instant): Plan {
  const { taskRun } = observed;
  if (taskRun === undefined) return noPlan;
  const phase = readPhase(observed, now);
  const claimed = claimOf(taskRun);
  if (phase === 'unsigned') return nextUnsignedActions(observed, taskRun, now);
  return claimed === undefined ? unclaimed(taskRun, phase) : nextOfClaim(observed, taskRun, claimed, phase, now);
}

function unclaimed(taskRun: UserTaskRun, phase: LeasePhase): Plan {
  if (phase === 'over') {
    const left = taskRun.hasFinalizer || taskRun.assignedHost !== undefined || isMarkedWaiting(taskRun);
    return left ? planOf([...withdrawRefusal(taskRun), patch(taskRun, release(taskRun))]) : noPlan;
  }
  // Somebody took it away: without it the error Secret would outlive the build.
  if (phase === 'rejected') return taskRun.hasFinalizer ? noPlan : planOf([patch(taskRun, { finalizer: 'add' })]);
  // Everything else about waiting is for its platform's lane.
  const nameless = phase === 'waiting' && taskRun.platform === undefined;
  return nameless ? planOf([event(taskRun, 'Warning', 'PlatformMissing', platformMissing)]) : noPlan;
}

/** The error Secret of a build that was refused; not a Secret that was in its way. */
function withdrawRefusal(taskRun: UserTaskRun): Action[] {
  const reason = taskRun.facts?.rejected;
  return taskRun.hasFinalizer && reason !== undefined && reason !== 'SecretExists' ? [deleteSecret(taskRun)] : [];
}

const platformMissing =
  'PLATFORM parameter not found in TaskRun parameters: add it to spec.params, for example linux/arm64';

function nextOfClaim(
  observed: Observed,
  taskRun: UserTaskRun,
  claimed: Claimed,
  phase: LeasePhase,
  now: Instant,
): Plan {
  if (!taskRun.hasFinalizer && !hasEnded(taskRun)) {
    // Somebody took it away: without it the build could vanish before its host is given back.
    return planOf([patch(taskRun, { finalizer: 'add' })]);
  }
  const isLaunched = claimed.claim.provider === 'dynamic';
  switch (phase) {
    case 'claimed':
      return isLaunched ? planOf(launchHost(observed, taskRun, claimed)) : provision(observed, taskRun, claimed, now);
    case 'launching':
      return planOf(forgetWaiting(taskRun), awaitLaunch(observed, taskRun, claimed, now));
    case 'launched':
      return prepareLaunched(observed, taskRun, claimed, now);
    case 'unlaunched':
      return planOf(failedLaunch(observed, taskRun, claimed));
    case 'provisioning':
      return planOf(forgetWaiting(taskRun), awaitProvision(observed, taskRun, claimed, now));
    case 'provisioned':
      return planOf(deliver(observed, taskRun, claimed));
    case 'failed':
      return planOf(
        isLaunched ? failedOnLaunched(observed, taskRun, claimed) : tryElsewhere(observed, taskRun, claimed),
      );
    case 'ready':
      return planOf([
        ...forgetWaiting(taskRun),
        ...(isLaunched ? noteHost(observed, taskRun, claimed) : []),
        ...attend(observed, taskRun, claimed),
      ]);
    case 'stopping':
      // Cancelled first, so that cleanup comes after it.
      return { actions: cancelPreparing(observed), lookAgainAt: (taskRun.ended ?? now) + stopWait };
    case 'releasing':
      return planOf(releaseHost(observed, taskRun, claimed));
    case 'unsigned':
    case 'waiting':
    case 'rejected':
    case 'over':
      return noPlan;
    default:
      return assertNever(phase);
  }
}

function isMarkedWaiting({ waitingFor, waitReason, queuePosition }: UserTaskRun): boolean {
  return waitingFor !== undefined || waitReason !== undefined || queuePosition !== undefined;
}

function forgetWaiting(taskRun: UserTaskRun): Action[] {
  return isMarkedWaiting(taskRun) ? [patch(taskRun, withoutWaiting())] : [];
}

function awaitProvision(observed: Observed, taskRun: UserTaskRun, claimed: Claimed, now: Instant): Plan {
  const running = provisionOf(observed, claimed.facts);
  if (!running?.deleting) return deliverEarly(observed, taskRun, claimed);
  const lost = claimed.claim.provider === 'dynamic' ? lostOnLaunched : lostProvision;
  return lost(observed, taskRun, claimed, now);
}

function provision(observed: Observed, taskRun: UserTaskRun, claimed: Claimed, now: Instant): Plan {
  const { facts, claim } = claimed;
  if (claim.provider === 'local') {
    return planOf([{ type: 'create-secret', owner: taskRun, data: localSecretData }, ...delivered(taskRun, claimed)]);
  }
  const made = seenOf(observed, facts)?.step;
  if (made === 'provision') return lostProvision(observed, taskRun, claimed, now);
  const over = isHandedOver(observed, facts);
  // Attempt 0 was an older controller's: its users are not named as ours.
  if (over || facts.attempt === 0) return planOf([...cleanUp(observed, claimed), patch(taskRun, nextAttempt(facts))]);
  const start: Action[] = [
    {
      type: 'create-task-run',
      manifest: provisionTaskRun(observed.build, facts, claim, observed.installation),
    },
    event(taskRun, 'Normal', 'Provisioning', `preparing host ${claim.host} (attempt ${facts.attempt})`),
  ];
  if (made === 'claim') return planOf(start);
  // The claim is from an earlier process. It may have come further than the facts tell, if Tekton set them back since.
  return planOf([{ type: 'check-secret', owner: taskRun, present: delivered(taskRun, claimed), missing: start }]);
}

/** What still launches or prepares its host. */
function cancelPreparing(observed: Observed): Action[] {
  const lease = observed.taskRun?.facts;
  return [launchOf(observed, lease), provisionOf(observed, lease)].flatMap((target): Action[] =>
    target?.outcome === 'running' && !target.cancelled ? [{ type: 'cancel-task-run', target }] : [],
  );
}

/** Responsibility goes to the cleanup TaskRun before the finalizer goes. */
function releaseHost(observed: Observed, taskRun: UserTaskRun, claimed: Claimed): Action[] {
  const { operatorNamespace: namespace } = observed.installation;
  const key = { type: 'delete-secret', namespace, name: storedKeyName(taskRun.uid) } as const;
  return [
    // Still running when nobody could cancel it in time, as while the controller was away.
    ...cancelPreparing(observed),
    ...cleanUp(observed, claimed),
    deleteSecret(taskRun),
    ...(claimed.facts.oneTimeKey ? [key] : []),
    // Told before: with the last finalizer the TaskRun may be gone, and all that is remembered of it.
    event(taskRun, 'Normal', 'Released', `host ${hostText(claimed.claim)} is released`),
    patch(taskRun, release(taskRun)),
  ];
}
