// What must happen while a build gets a host of its own: it is launched, prepared, or given up for another. A launched host
// serves one try of one build; whatever becomes of that, it is terminated.
import type { Action } from '../model/action.ts';
import { second, type Instant } from '../model/instant.ts';
import { mostFailedLaunches } from '../model/most-failed-launches.ts';
import type { RejectReason } from '../model/reason.ts';
import { saidBy } from '../model/said-by.ts';
import type { OwnTaskRun, UserTaskRun } from '../model/task-run.ts';
import { launchTaskRun } from '../taskruns/launch-task-run-manifest.ts';
import { provisionTaskRun } from '../taskruns/own-task-run-manifest.ts';
import { cleanUp, event, patch, undoAttempt, type Claimed } from './build-actions.ts';
import { isForeignSecret, refuseForeignSecret } from './foreign-secret.ts';
import { hostText, launchedHost } from './host-facts.ts';
import { delivered, deliverEarly } from './next-delivery-actions.ts';
import { unlessDelivered } from './next-failure-actions.ts';
import { isHandedOver, launchOf, provisionOf, seenOf, type Observed } from './observed.ts';
import { planOf, type Plan } from './plan.ts';
import { refusal } from './refusal.ts';
import { launchDeadline } from './timeouts.ts';
import { giveUpLaunch, nextAttempt, noteLaunched } from './write-lease.ts';

/** May be done again and again: the token stands for one host. */
export function launchHost(observed: Observed, taskRun: UserTaskRun, claimed: Claimed): Action[] {
  const { facts, claim } = claimed;
  const pool = observed.launchedPool(facts.platform, claim.launch?.type ?? '');
  // Undone already, or host-config was changed since; an earlier process may have launched it all the same.
  if (pool === undefined || isHandedOver(observed, facts))
    return [...cleanUp(observed, claimed), patch(taskRun, giveUpLaunch(taskRun, facts, false))];
  if (seenOf(observed, facts)?.step === 'launch') return launchAgain(taskRun, claimed);
  const manifest = launchTaskRun(observed.build, facts, claim, pool, observed.installation, taskRun.wishes);
  const message = `launching a host of type ${pool.provider.type} (attempt ${facts.attempt})`;
  return [{ type: 'create-task-run', manifest }, event(taskRun, 'Normal', 'Launching', message)];
}

export function awaitLaunch(observed: Observed, taskRun: UserTaskRun, claimed: Claimed, now: Instant): Plan {
  const { facts, claim } = claimed;
  const running = launchOf(observed, facts);
  if (running === undefined || claim.launch === undefined) return planOf([]);
  // Tekton never ends it.
  if (running.deleting) return planOf(launchAgain(taskRun, claimed));
  const early = claim.launch.preparesItself ? [deliverEarly(observed, taskRun, claimed)] : [];
  const deadline = launchDeadline(running.created, claim.launch.timeout);
  if (now < deadline) return planOf([], ...early, { actions: [], lookAgainAt: deadline });
  return planOf(running.cancelled ? [] : [{ type: 'cancel-task-run', target: running }], ...early);
}

/**
 * Its TaskRun is gone, or going. The token stays, so that what it began is found, not done twice; the name does not: Tekton would
 * take the pod of the one that is gone for that of the new one.
 */
function launchAgain(taskRun: UserTaskRun, { facts }: Claimed): Action[] {
  const message = `the TaskRun that launched a host was deleted (attempt ${facts.attempt}): it is started again`;
  return [patch(taskRun, nextAttempt(facts)), event(taskRun, 'Warning', 'LaunchFailed', message)];
}

/** It failed, or was cancelled because it took too long. */
export function failedLaunch(observed: Observed, taskRun: UserTaskRun, claimed: Claimed): Action[] {
  const failed = launchOf(observed, claimed.facts);
  const reason = failed?.results['REASON'];
  const said = failed === undefined ? 'it was deleted' : whyFailed(failed, claimed);
  if (isForeignSecret(reason, claimed.facts)) return refuseForeignSecret(observed, taskRun, claimed);
  if (reason === 'LaunchRefused')
    return refuse(
      observed,
      taskRun,
      claimed,
      'LaunchRefused',
      `Error allocating host: the launch was refused: ${said}`,
    );
  const counts = reason !== 'InsufficientCapacity';
  return anotherHost(observed, taskRun, claimed, said, counts);
}

/** The host is there: what was told about it is written down, then it is prepared, unless launch did that. */
export function prepareLaunched(observed: Observed, taskRun: UserTaskRun, claimed: Claimed, now: Instant): Plan {
  const { facts, claim } = claimed;
  if (isHandedOver(observed, facts)) {
    const preparedItself = claim.launch?.preparesItself && launchOf(observed, facts)?.outcome === 'succeeded';
    // Of a host that prepared itself, found out before a crash: the Secret that is there now is the one that says so.
    const over = preparedItself ? noSecretOf(claimed, taskRun) : [patch(taskRun, giveUpLaunch(taskRun, facts, false))];
    return planOf(over);
  }
  const news = noteHost(observed, taskRun, claimed);
  if (news.length > 0) return planOf(news);
  if (claim.launch?.preparesItself) {
    const missing = [...cleanUp(observed, claimed), ...noSecretOf(claimed, taskRun)];
    const present = delivered(taskRun, claimed);
    return planOf([{ type: 'check-secret', owner: taskRun, wasReported: true, present, missing }]);
  }
  if (claim.address === '' || claim.user === '')
    return planOf(anotherHost(observed, taskRun, claimed, 'its launch told no ADDRESS, or no USER', true));
  const seen = seenOf(observed, facts);
  if (seen?.step === 'provision') return lostOnLaunched(observed, taskRun, claimed, now);
  const manifest = provisionTaskRun(observed.build, facts, claim, observed.installation);
  const message = `preparing host ${hostText(claim)} (attempt ${facts.attempt})`;
  const start: Action[] = [{ type: 'create-task-run', manifest }, event(taskRun, 'Normal', 'Provisioning', message)];
  if (seen !== undefined) return planOf(start);
  // The launch is from an earlier process. The host may have been prepared, if Tekton set the facts back since.
  return planOf([{ type: 'check-secret', owner: taskRun, present: delivered(taskRun, claimed), missing: start }]);
}

function noSecretOf({ claim }: Claimed, taskRun: UserTaskRun): Action[] {
  const message = `launch task failed to create a secret: ask an administrator to look at Task launch-${claim.launch?.type}`;
  return refusal(taskRun, { reason: 'SecretNotCreated', message });
}

/** The TaskRun that should prepare it was deleted. */
export function lostOnLaunched(observed: Observed, taskRun: UserTaskRun, claimed: Claimed, now: Instant): Plan {
  const another = anotherHost(observed, taskRun, claimed, 'the TaskRun that prepared it was deleted', true);
  return unlessDelivered(observed, taskRun, claimed, now, another);
}

/** What the launch TaskRun said and the facts do not say yet; of a host that prepares itself, perhaps after the Secret. */
export function noteHost(observed: Observed, taskRun: UserTaskRun, { facts, claim }: Claimed): Action[] {
  const host = launchedHost(claim, launchOf(observed, facts));
  if (host.address === claim.address && host.launch?.instanceId === claim.launch?.instanceId) return [];
  const message = `host ${hostText(host)} is launched${host.address === '' ? '' : ` (${host.address})`}`;
  return [patch(taskRun, noteLaunched(facts, host)), event(taskRun, 'Normal', 'Launched', message)];
}

/** Its provision failed. */
export function failedOnLaunched(observed: Observed, taskRun: UserTaskRun, claimed: Claimed): Action[] {
  const provision = provisionOf(observed, claimed.facts);
  if (isForeignSecret(provision?.results['REASON'], claimed.facts))
    return refuseForeignSecret(observed, taskRun, claimed);
  const said = provision === undefined ? 'it was deleted' : whyFailed(provision, claimed);
  return anotherHost(observed, taskRun, claimed, said, true);
}

function anotherHost(
  observed: Observed,
  taskRun: UserTaskRun,
  claimed: Claimed,
  said: string,
  counts: boolean,
): Action[] {
  const { facts, claim } = claimed;
  const failed = (facts.failedLaunches ?? 0) + 1;
  if (counts && failed >= mostFailedLaunches) {
    const remedy = 'run the build again later; if it fails again, ask an administrator to look at the launch';
    const message = `Error allocating host: failed to provision host: ${said} (${failed} hosts came to nothing): ${remedy}`;
    return refuse(observed, taskRun, claimed, 'LaunchFailed', message);
  }
  return [
    ...undoAttempt(observed, taskRun, claimed),
    patch(taskRun, giveUpLaunch(taskRun, facts, counts)),
    event(taskRun, 'Warning', 'LaunchFailed', `host ${hostText(claim)} could not be had: ${said}`),
  ];
}

function refuse(
  observed: Observed,
  taskRun: UserTaskRun,
  claimed: Claimed,
  reason: RejectReason,
  message: string,
): Action[] {
  return [...undoAttempt(observed, taskRun, claimed), ...refusal(taskRun, { reason, message })];
}

function whyFailed(failed: OwnTaskRun, { claim }: Claimed): string {
  const timeout = claim.launch?.timeout ?? Infinity;
  const late = failed.type === 'launch' && failed.cancelled && (failed.completed ?? 0) - failed.created >= timeout;
  if (late) return `timed out waiting for instance address (allocation-timeout is ${timeout / second} s)`;
  return saidBy(failed);
}
