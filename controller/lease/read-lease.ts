// In which phase a lease is, derived from the facts on objects and nothing else.
import type { LeaseFacts, LeasePhase } from '../model/host-lease.ts';
import type { Instant } from '../model/instant.ts';
import type { OwnTaskRun, UserTaskRun } from '../model/task-run.ts';
import { undosOf, highestAttempt, launchOf, provisionOf, type Observed } from './observed.ts';
import { stopWait } from './timeouts.ts';

export function readPhase(observed: Observed, now: Instant): LeasePhase {
  const { taskRun } = observed;
  if (taskRun === undefined) return 'over';
  const { facts } = taskRun;
  if (isUnsigned(taskRun) || isBehind(observed)) return 'unsigned';
  const ended = hasEnded(taskRun);
  if (facts?.claim === undefined) {
    if (ended) return 'over';
    return facts?.rejected === undefined ? 'waiting' : 'rejected';
  }
  const provision = provisionOf(observed, facts);
  if (ended) return isUnderWay(observed, facts) && isWorthAwaiting(observed, now) ? 'stopping' : 'releasing';
  if (facts.ready) return 'ready';
  if (provision === undefined) return facts.claim.launch === undefined ? 'claimed' : readLaunch(observed, facts);
  if (provision.outcome === 'running') return 'provisioning';
  return provision.outcome === 'succeeded' ? 'provisioned' : 'failed';
}

/** How far the build's own host is, before it is prepared. */
function readLaunch(observed: Observed, facts: LeaseFacts): LeasePhase {
  const launch = launchOf(observed, facts);
  if (facts.claim?.address !== '' || launch?.outcome === 'succeeded') return 'launched';
  if (launch === undefined) return 'claimed';
  return launch.outcome === 'running' ? 'launching' : 'unlaunched';
}

export function hasEnded({ deleting, outcome }: UserTaskRun): boolean {
  return deleting || outcome !== 'running';
}

/** Carries our finalizer and no facts of ours: somebody took them away, or an older controller made no such facts. */
export function isUnsigned({ facts, hasFinalizer }: UserTaskRun): boolean {
  return facts === undefined && hasFinalizer;
}

/** TaskRuns of ours, which no tenant can forge, know of a later claim. */
function isBehind(observed: Observed): boolean {
  const highest = highestAttempt(observed);
  const { facts } = observed.taskRun ?? {};
  return highest !== undefined && (facts === undefined || facts.attempt < highest);
}

/** Its host is still being prepared, or launched. */
function isUnderWay(observed: Observed, facts: LeaseFacts): boolean {
  return isRunning(provisionOf(observed, facts)) || isRunning(launchOf(observed, facts));
}

/** Tekton ends none that is being deleted. */
function isRunning(taskRun: OwnTaskRun | undefined): boolean {
  return taskRun?.outcome === 'running' && !taskRun.deleting;
}

/** A cleanup that exists means the wait is over already. */
function isWorthAwaiting(observed: Observed, now: Instant): boolean {
  const { taskRun } = observed;
  const endedAt = taskRun?.ended ?? now;
  return now < endedAt + stopWait && undosOf(observed, taskRun?.facts).length === 0;
}
