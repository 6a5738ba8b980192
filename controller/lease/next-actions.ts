// What must happen next for one build: one call per look, from the whole picture, never from an event.
// Its own phase first, then the TaskRuns of ours that work for it. Decides only.
import type { Action, UserTaskRunChange } from '../model/action.ts';
import { assertNever } from '../model/assert-never.ts';
import type { HostFacts, LeaseFacts } from '../model/host-lease.ts';
import type { Instant } from '../model/instant.ts';
import { annotations, secretNameFor } from '../model/labels.ts';
import type { EventReason, RejectReason, Told } from '../model/reason.ts';
import { errorSecretData, localSecretData } from '../model/ssh-secret.ts';
import type { UserTaskRun } from '../model/task-run.ts';
import { cleanupTaskRun, provisionTaskRun } from '../taskruns/own-task-run-manifest.ts';
import { nextChildActions } from './next-child-actions.ts';
import { cleanupsOf, provisionOf, type Observed } from './observed.ts';
import { noPlan, planOf, type Plan } from './plan.ts';
import { blamelessReasons, neverEntered } from './provision-reasons.ts';
import { readPhase } from './read-lease.ts';
import { defaultKeepTimes, stopWait, type KeepTimes } from './timeouts.ts';
import { giveUpHost, markReady, nextAttempt, reject, release, withoutWaiting } from './write-lease.ts';

export function nextActions(observed: Observed, now: Instant, keep: KeepTimes = defaultKeepTimes): Plan {
  const own = nextOfBuild(observed, now);
  // Children wait for the build's own step: what they may do depends on facts it is about to change.
  return own.actions.length > 0 ? own : planOf([], own, nextChildActions(observed, now, keep));
}

function nextOfBuild(observed: Observed, now: Instant): Plan {
  const { taskRun } = observed;
  if (taskRun === undefined) return noPlan;
  const phase = readPhase(observed, now);
  const claimed = claimOf(taskRun);
  switch (phase) {
    case 'waiting':
      // Everything else about waiting is for its platform's lane.
      return taskRun.platform === undefined
        ? planOf([event(taskRun, 'Warning', 'PlatformMissing', platformMissing)])
        : noPlan;
    case 'rejected':
      return noPlan;
    case 'provisioning':
      return planOf(forgetWaiting(taskRun), lostProvision(observed, claimed), deliverEarly(observed, taskRun, claimed));
    case 'over':
      return taskRun.hasFinalizer || taskRun.assignedHost !== undefined || isMarkedWaiting(taskRun)
        ? planOf([patch(taskRun, release(taskRun))])
        : noPlan;
    case 'claimed':
      return claimed ? planOf(provision(observed, taskRun, claimed)) : noPlan;
    case 'provisioned':
      return claimed ? planOf(deliver(observed, taskRun, claimed)) : noPlan;
    case 'failed':
      return claimed ? planOf(tryElsewhere(observed, taskRun, claimed)) : noPlan;
    case 'ready':
      return planOf(forgetWaiting(taskRun), tellPod(observed, taskRun));
    case 'stopping':
      return stop(observed, taskRun, now);
    case 'releasing':
      return claimed ? planOf(releaseHost(observed, taskRun, claimed)) : noPlan;
    default:
      return assertNever(phase);
  }
}

const platformMissing =
  'PLATFORM parameter not found in TaskRun parameters: add it to spec.params, for example linux/arm64';

interface Claimed {
  readonly facts: LeaseFacts;
  readonly claim: HostFacts;
}

function claimOf({ facts }: UserTaskRun): Claimed | undefined {
  return facts?.claim === undefined ? undefined : { facts, claim: facts.claim };
}

function isMarkedWaiting({ waitingFor, waitReason, queuePosition }: UserTaskRun): boolean {
  return waitingFor !== undefined || waitReason !== undefined || queuePosition !== undefined;
}

function forgetWaiting(taskRun: UserTaskRun): Action[] {
  return isMarkedWaiting(taskRun) ? [patch(taskRun, withoutWaiting())] : [];
}

/** Tekton never finishes a TaskRun that is being deleted: the same host again, under a new attempt. */
function lostProvision(observed: Observed, claimed: Claimed | undefined): Plan {
  const { taskRun } = observed;
  if (taskRun === undefined || claimed === undefined) return noPlan;
  const running = provisionOf(observed, claimed.facts.attempt);
  if (!running?.deleting) return noPlan;
  // Its pod may have come far: users on hosts, and Secrets, belong to one attempt.
  return planOf([...cleanUp(observed, claimed), deleteSecret(taskRun), patch(taskRun, nextAttempt(claimed.facts))]);
}

function provision(observed: Observed, taskRun: UserTaskRun, { facts, claim }: Claimed): Action[] {
  if (claim.provider === 'local') {
    return [{ type: 'create-secret', owner: taskRun, data: localSecretData }, ...delivered(taskRun, { facts, claim })];
  }
  if (cleanupsOf(observed, facts.attempt).length > 0) return [patch(taskRun, nextAttempt(facts))];
  const manifest = provisionTaskRun(observed.build, facts, claim, observed.installation);
  return [
    { type: 'create-task-run', manifest },
    event(taskRun, 'Normal', 'Provisioning', `preparing host ${claim.host} (attempt ${facts.attempt})`),
  ];
}

/** The provision TaskRun succeeded: the build can go on, if it really made the Secret. */
function deliver(observed: Observed, taskRun: UserTaskRun, claimed: Claimed): Action[] {
  const done = provisionOf(observed, claimed.facts.attempt);
  const present: Action[] = [
    ...delivered(taskRun, claimed),
    ...(done ? [{ type: 'delete-task-run', target: done } as const] : []),
  ];
  const message = `provision task failed to create a secret: ask an administrator to look at Task provision-shared-host`;
  const missing = refuse(observed, taskRun, claimed, { reason: 'SecretNotCreated', message });
  return [{ type: 'check-secret', owner: taskRun, present, missing }];
}

/** It says so before Tekton says that it ended. Looked after, not believed: without the Secret its end is awaited. */
function deliverEarly(observed: Observed, taskRun: UserTaskRun, claimed: Claimed | undefined): Plan {
  const running = provisionOf(observed, claimed?.facts.attempt ?? 0);
  if (claimed === undefined || running === undefined || running.deleting || !observed.reported.has(running.uid))
    return noPlan;
  return planOf([{ type: 'check-secret', owner: taskRun, present: delivered(taskRun, claimed), missing: [] }]);
}

function delivered(taskRun: UserTaskRun, { facts, claim }: Claimed): Action[] {
  return [
    patch(taskRun, markReady(facts)),
    ...podNews(taskRun, claim),
    event(taskRun, 'Normal', 'HostReady', `host ${claim.host} is ready`),
  ];
}

/** A failed provision: its half-made user is cleaned up, and the build waits for another host. */
function tryElsewhere(observed: Observed, taskRun: UserTaskRun, claimed: Claimed): Action[] {
  const { facts, claim } = claimed;
  const failed = provisionOf(observed, facts.attempt);
  const said = failed?.results['MESSAGE'] ?? failed?.message ?? 'it was deleted';
  const reason = failed?.results['REASON'] ?? '';
  if (reason === 'SecretExists') {
    // Somebody else's Secret: not the host's fault, and not ours to overwrite.
    const name = secretNameFor(taskRun.name);
    const message = `Secret ${name} exists already and is not ours: delete it and run the build again`;
    return refuse(observed, taskRun, claimed, { reason: 'SecretExists', message });
  }
  const blameless = blamelessReasons.has(reason);
  if (blameless && facts.attempt >= blamelessAttempts) {
    const message = `Error allocating host: failed to provision host: ${said}: run the build again later`;
    return refuse(observed, taskRun, claimed, { reason: 'ProvisionImpossible', message });
  }
  return [
    ...(neverEntered.has(reason) ? [] : [...cleanUp(observed, claimed), deleteSecret(taskRun)]),
    patch(taskRun, giveUpHost(taskRun, facts, !blameless)),
    event(taskRun, 'Warning', 'ProvisionFailed', `host ${claim.host} could not be prepared: ${said}`),
  ];
}

/** After so many attempts that no host is to blame for, trying on helps nobody. */
const blamelessAttempts = 5;

/** No other host would help: the build is told why, and the host is given back. */
function refuse(observed: Observed, taskRun: UserTaskRun, claimed: Claimed, told: Told<RejectReason>): Action[] {
  return [...cleanUp(observed, claimed), ...refusal(taskRun, told)];
}

/** Error Secret first: with the marker alone, a crash between the two would leave the build waiting for ever. */
export function refusal(taskRun: UserTaskRun, told: Told<RejectReason>): Action[] {
  return [
    { type: 'create-secret', owner: taskRun, data: errorSecretData(told.message, taskRun.platform) },
    patch(taskRun, reject(taskRun, told.reason)),
    ...(taskRun.podName ? [annotatePod(taskRun, { [annotations.podAssignedHost]: 'error' })] : []),
    event(taskRun, 'Warning', 'Rejected', told.message),
  ];
}

/** A pod that appeared after the Secret needs no news, but telling it once is cheaper than knowing. */
function tellPod(observed: Observed, taskRun: UserTaskRun): Plan {
  const claim = taskRun.facts?.claim;
  return observed.podTold || claim === undefined ? noPlan : planOf(podNews(taskRun, claim));
}

function podNews(taskRun: UserTaskRun, claim: HostFacts): Action[] {
  if (taskRun.podName === '') return [];
  const cleared = { [annotations.waitReason]: null, [annotations.queuePosition]: null };
  return [annotatePod(taskRun, { [annotations.podAssignedHost]: claim.host, ...cleared })];
}

/** The build ended while its host was being prepared: cancel that first, so that cleanup comes after it. */
function stop(observed: Observed, taskRun: UserTaskRun, now: Instant): Plan {
  return { actions: cancelProvision(observed), lookAgainAt: (taskRun.ended ?? now) + stopWait };
}

function cancelProvision(observed: Observed): Action[] {
  const running = provisionOf(observed, observed.taskRun?.facts?.attempt ?? 0);
  return running?.outcome === 'running' && !running.cancelled ? [{ type: 'cancel-task-run', target: running }] : [];
}

/** Responsibility goes to the cleanup TaskRun before the finalizer goes. */
function releaseHost(observed: Observed, taskRun: UserTaskRun, claimed: Claimed): Action[] {
  return [
    // Still running when nobody could cancel it in time, as while the controller was away.
    ...cancelProvision(observed),
    ...cleanUp(observed, claimed),
    deleteSecret(taskRun),
    patch(taskRun, release(taskRun)),
    event(taskRun, 'Normal', 'Released', `host ${claimed.claim.host} is released`),
  ];
}

function cleanUp(observed: Observed, { facts, claim }: Claimed): Action[] {
  if (claim.provider === 'local' || cleanupsOf(observed, facts.attempt).length > 0) return [];
  return [
    { type: 'create-task-run', manifest: cleanupTaskRun(observed.build, facts, claim, 1, observed.installation) },
  ];
}

function patch(target: UserTaskRun, change: UserTaskRunChange): Action {
  return { type: 'patch-user-task-run', target, change };
}

function deleteSecret({ namespace, name }: UserTaskRun): Action {
  return { type: 'delete-secret', namespace, name: secretNameFor(name) };
}

function annotatePod(taskRun: UserTaskRun, values: Readonly<Record<string, string | null>>): Action {
  return { type: 'annotate-pod', about: taskRun, annotations: values };
}

function event(about: UserTaskRun, severity: 'Normal' | 'Warning', reason: EventReason, message: string): Action {
  return { type: 'emit-event', about, severity, reason, message };
}
