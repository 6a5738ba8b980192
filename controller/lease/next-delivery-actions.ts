// How a build comes to its Secret once its host is prepared, and what it needs while it runs: its pod is told, and the
// one-time token is good again for every retry.
import type { Action } from '../model/action.ts';
import type { UserTaskRun } from '../model/task-run.ts';
import { provisionTaskOf } from '../taskruns/own-task-run-manifest.ts';
import { cleanUp, event, patch, podNews, type Claimed } from './build-actions.ts';
import { isHandedOver, launchOf, provisionOf, type Observed } from './observed.ts';
import { hostText } from './host-facts.ts';
import { noPlan, planOf, type Plan } from './plan.ts';
import { refusal } from './refusal.ts';
import { markReady, noteOneTimeKey, noteRetries } from './write-lease.ts';

/** The provision TaskRun succeeded: the build can go on, if it really made the Secret. */
export function deliver(observed: Observed, taskRun: UserTaskRun, claimed: Claimed): Action[] {
  const task = provisionTaskOf(claimed.facts.platform);
  const message = `provision task failed to create a secret: ask an administrator to look at Task ${task}`;
  const refused = refusal(taskRun, { reason: 'SecretNotCreated', message });
  // Found out before a crash: the Secret that is there now is the one that says so.
  if (isHandedOver(observed, claimed.facts)) return refused;
  const done = provisionOf(observed, claimed.facts);
  const present: Action[] = [
    ...delivered(taskRun, claimed, hasOneTimeKey(observed, claimed)),
    ...(done ? [{ type: 'delete-task-run', target: done } as const] : []),
  ];
  const missing = [...cleanUp(observed, claimed), ...refused];
  return [{ type: 'check-secret', owner: taskRun, wasReported: true, present, missing }];
}

/** The TaskRun says so before Tekton says that it ended. That is checked, not believed: without the Secret its end is awaited. */
export function deliverEarly(observed: Observed, taskRun: UserTaskRun, claimed: Claimed): Plan {
  const { facts, claim } = claimed;
  const running = claim.launch?.preparesItself ? launchOf(observed, facts) : provisionOf(observed, facts);
  if (running === undefined || running.deleting || !observed.reported.has(running.uid)) return noPlan;
  const present = delivered(taskRun, claimed);
  return planOf([{ type: 'check-secret', owner: taskRun, wasReported: true, present, missing: [] }]);
}

export function delivered(taskRun: UserTaskRun, { facts, claim }: Claimed, oneTimeKey = false): Action[] {
  return [
    patch(taskRun, markReady(oneTimeKey ? { ...facts, oneTimeKey } : facts)),
    ...podNews(taskRun, claim),
    event(taskRun, 'Normal', 'HostReady', `host ${hostText(claim)} is ready`),
  ];
}

/** A build that has its host. */
export function attend(observed: Observed, taskRun: UserTaskRun, claimed: Claimed): Action[] {
  const { facts, claim } = claimed;
  if (facts.oneTimeKey === undefined && hasOneTimeKey(observed, claimed))
    return [patch(taskRun, noteOneTimeKey(facts))];
  if (claim.provider !== 'local' && taskRun.retries > (facts.retries ?? 0)) {
    const { retries } = taskRun;
    const { operatorNamespace: namespace } = observed.installation;
    return [{ type: 'rearm-token', namespace, owner: taskRun, retries }, patch(taskRun, noteRetries(facts, retries))];
  }
  // A pod that appeared after the Secret needs no news, but telling it once is cheaper than knowing.
  return observed.podTold ? [] : podNews(taskRun, claim);
}

function hasOneTimeKey(observed: Observed, { facts }: Claimed): boolean {
  return provisionOf(observed, facts)?.results['ONE_TIME_KEY'] === 'true';
}
