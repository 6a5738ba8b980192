// Changes of a user TaskRun that move its lease: what is written together, in one patch.
import type { UserTaskRunChange } from '../model/action.ts';
import type { Host } from '../model/host.ts';
import type { LeaseFacts } from '../model/host-lease.ts';
import type { Instant } from '../model/instant.ts';
import { annotations, labels } from '../model/labels.ts';
import { dashedPlatform, type Platform } from '../model/platform.ts';
import type { RejectReason } from '../model/reason.ts';
import type { UserTaskRun } from '../model/task-run.ts';
import { localHost, staticHost } from './host-facts.ts';

const noHost = { [labels.assignedHost]: null, [labels.attempt]: null };
const noWaiting = { [annotations.waitReason]: null, [annotations.queuePosition]: null };

/** Takes a slot: with the finalizer, so that nothing this claim leads to is ever forgotten. */
export function claimHost(taskRun: UserTaskRun, host: Host, now: Instant): UserTaskRunChange {
  const claim = { ...staticHost(host), since: now };
  const facts = { attempt: attemptsOf(taskRun) + 1, platform: host.platform, claim };
  return { finalizer: 'add', facts, labels: claimLabels(facts, host.name), annotations: noWaiting };
}

/** The build runs in its own pod. No finalizer: its Secret is garbage-collected with the TaskRun. */
export function claimLocal(taskRun: UserTaskRun, platform: Platform, now: Instant): UserTaskRunChange {
  const facts = { attempt: attemptsOf(taskRun) + 1, platform, claim: { ...localHost, since: now } };
  return { facts, labels: claimLabels(facts, localHost.host), annotations: noWaiting };
}

/** Facts found again: of a claim that is in force, or of one that is over. */
export function restore({ hasFinalizer, deleting }: UserTaskRun, facts: LeaseFacts): UserTaskRunChange {
  const { claim } = facts;
  const held = claim === undefined ? noHost : claimLabels(facts, claim.host);
  // Nobody can add one to an object that is being deleted.
  const bound = claim?.provider === 'static' && !hasFinalizer && !deleting;
  return { ...(bound ? { finalizer: 'add' } : {}), facts, labels: held, annotations: noWaiting };
}

export function markReady(facts: LeaseFacts): UserTaskRunChange {
  return { facts: { ...facts, ready: true } };
}

/** The provision TaskRun was lost: the same host again, under a new attempt. */
export function nextAttempt(facts: LeaseFacts): UserTaskRunChange {
  const attempt = facts.attempt + 1;
  return { facts: { ...facts, attempt }, labels: { [labels.attempt]: String(attempt) } };
}

/** Gives the slot back after a failed provision; the build waits for another host, or for the same if it is not to blame. */
export function giveUpHost(taskRun: UserTaskRun, facts: LeaseFacts, toBlame = true): UserTaskRunChange {
  const failed = new Set([...taskRun.failedHosts, ...(facts.claim && toBlame ? [facts.claim.host] : [])]);
  return {
    facts: withoutClaim(facts),
    labels: { ...noHost, [labels.waitingForPlatform]: dashedPlatform(facts.platform) },
    annotations: failed.size === 0 ? {} : { [annotations.failedHosts]: [...failed].join(',') },
  };
}

/** Nothing is held any more: a cleanup TaskRun carries on, or there is nothing to clean. */
export function release(taskRun: UserTaskRun): UserTaskRunChange {
  return {
    ...(taskRun.hasFinalizer ? { finalizer: 'remove' } : {}),
    ...(taskRun.facts === undefined ? {} : { facts: withoutClaim(taskRun.facts) }),
    labels: { ...noHost, [labels.waitingForPlatform]: null },
    annotations: noWaiting,
  };
}

/** The one-time token is good for this run of the build. */
export function noteRetries(facts: LeaseFacts, retries: number): UserTaskRunChange {
  return { facts: { ...facts, retries } };
}

/** The one-time password server keeps its key until the release. */
export function noteOneTimeKey(facts: LeaseFacts): UserTaskRunChange {
  return { facts: { ...facts, oneTimeKey: true } };
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

function claimLabels({ platform, attempt }: LeaseFacts, host: string): Record<string, string | null> {
  const target = { [labels.targetPlatform]: dashedPlatform(platform), [labels.assignedHost]: host };
  return { ...target, [labels.attempt]: attempt === 0 ? null : String(attempt), [labels.waitingForPlatform]: null };
}

function attemptsOf(taskRun: UserTaskRun): number {
  return taskRun.facts?.attempt ?? 0;
}

function withoutClaim(facts: LeaseFacts): LeaseFacts {
  const { attempt, platform, rejected } = facts;
  return { attempt, platform, ...(rejected === undefined ? {} : { rejected }) };
}
