// Changes of a user TaskRun that move its lease: what is written together, in one patch.
import type { UserTaskRunChange } from '../model/action.ts';
import type { Host } from '../model/host.ts';
import type { LeaseFacts } from '../model/host-lease.ts';
import type { Instant } from '../model/instant.ts';
import { annotations, labels } from '../model/labels.ts';
import { dashedPlatform, type Platform } from '../model/platform.ts';
import type { RejectReason } from '../model/reason.ts';
import type { UserTaskRun } from '../model/task-run.ts';

const noWaiting = { [annotations.waitReason]: null, [annotations.queuePosition]: null };

/** Takes a slot: with the finalizer, so that nothing this claim leads to is ever forgotten. */
export function claimHost(taskRun: UserTaskRun, host: Host, now: Instant): UserTaskRunChange {
  const claim = {
    provider: 'static',
    host: host.name,
    address: host.address,
    user: host.user,
    sshSecret: host.secret,
    since: now,
  } as const;
  return {
    finalizer: 'add',
    facts: { attempt: attemptsOf(taskRun) + 1, platform: host.platform, claim },
    labels: claimLabels(host.platform, host.name),
    annotations: noWaiting,
  };
}

/** The build runs in its own pod. No finalizer: its Secret is garbage-collected with the TaskRun. */
export function claimLocal(taskRun: UserTaskRun, platform: Platform, now: Instant): UserTaskRunChange {
  const claim = { provider: 'local', host: 'localhost', address: '', user: '', sshSecret: '', since: now } as const;
  return {
    facts: { attempt: attemptsOf(taskRun) + 1, platform, claim },
    labels: claimLabels(platform, 'localhost'),
    annotations: noWaiting,
  };
}

export function markReady(facts: LeaseFacts): UserTaskRunChange {
  return { facts: { ...facts, ready: true } };
}

/** The provision TaskRun was lost: the same host again, under a new attempt. */
export function nextAttempt(facts: LeaseFacts): UserTaskRunChange {
  return { facts: { ...facts, attempt: facts.attempt + 1 } };
}

/** Gives the slot back after a failed provision; the build waits for another host, or for the same if it is not to blame. */
export function giveUpHost(taskRun: UserTaskRun, facts: LeaseFacts, toBlame = true): UserTaskRunChange {
  const failed = new Set([...taskRun.failedHosts, ...(facts.claim && toBlame ? [facts.claim.host] : [])]);
  return {
    facts: withoutClaim(facts),
    labels: { [labels.assignedHost]: null, [labels.waitingForPlatform]: dashedPlatform(facts.platform) },
    annotations: failed.size === 0 ? {} : { [annotations.failedHosts]: [...failed].join(',') },
  };
}

/** Nothing is held any more: a cleanup TaskRun carries on, or there is nothing to clean. */
export function release(taskRun: UserTaskRun): UserTaskRunChange {
  return {
    ...(taskRun.hasFinalizer ? { finalizer: 'remove' } : {}),
    ...(taskRun.facts === undefined ? {} : { facts: withoutClaim(taskRun.facts) }),
    labels: { [labels.assignedHost]: null, [labels.waitingForPlatform]: null },
    annotations: noWaiting,
  };
}

/** Refused for good: no finalizer, no claim; a further look at this TaskRun changes nothing. */
export function reject(taskRun: UserTaskRun, reason: RejectReason): UserTaskRunChange {
  // A malformed platform may be of any length; what is stored of it is bounded.
  const facts = taskRun.facts ?? { attempt: 0, platform: (taskRun.platform ?? '').slice(0, 127) };
  return { ...release(taskRun), facts: { ...withoutClaim(facts), rejected: reason } };
}

/** An announcement that came late, after the claim. */
export function withoutWaiting(): UserTaskRunChange {
  return { labels: { [labels.waitingForPlatform]: null }, annotations: noWaiting };
}

/** Tells people and programs that, and why, this build waits. */
export function announceWait(platform: Platform, message: string, position: number): UserTaskRunChange {
  const dashed = dashedPlatform(platform);
  return {
    // Nobody can have configured a longer one, and it would be no label value.
    labels: dashed.length > 63 ? {} : { [labels.waitingForPlatform]: dashed, [labels.targetPlatform]: dashed },
    annotations: { [annotations.waitReason]: message, [annotations.queuePosition]: String(position) },
  };
}

function claimLabels(platform: Platform, host: string): Record<string, string | null> {
  const target = { [labels.targetPlatform]: dashedPlatform(platform), [labels.assignedHost]: host };
  return { ...target, [labels.waitingForPlatform]: null };
}

function attemptsOf(taskRun: UserTaskRun): number {
  return taskRun.facts?.attempt ?? 0;
}

function withoutClaim(facts: LeaseFacts): LeaseFacts {
  const { attempt, platform, rejected } = facts;
  return { attempt, platform, ...(rejected === undefined ? {} : { rejected }) };
}
