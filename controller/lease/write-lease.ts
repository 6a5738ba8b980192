// Changes of a user TaskRun that move its lease: what is written together, in one patch.
import type { UserTaskRunChange } from '../model/action.ts';
import { boundedText } from '../model/bounded-text.ts';
import type { Host } from '../model/host.ts';
import { hostLabel } from '../model/host-label.ts';
import type { HostFacts, LeaseFacts } from '../model/host-lease.ts';
import { second, type Instant } from '../model/instant.ts';
import { annotations, labels } from '../model/labels.ts';
import { dashedPlatform, type Platform } from '../model/platform.ts';
import type { RejectReason, Told } from '../model/reason.ts';
import type { UserTaskRun } from '../model/task-run.ts';
import type { LaunchedPool } from '../model/pool.ts';
import type { LaunchTokens } from '../taskruns/launch-token.ts';
import { hostToLaunch, localHost, staticHost } from './host-facts.ts';

const noHost = { [labels.assignedHost]: null, [labels.attempt]: null };
const noWaiting = { [annotations.waitReason]: null, [annotations.queuePosition]: null };

/** Takes a slot: with the finalizer, so that nothing this claim leads to is ever forgotten. */
export function claimHost(taskRun: UserTaskRun, host: Host, now: Instant): UserTaskRunChange {
  const facts = nextClaim(taskRun, host.platform, staticHost(host), now);
  return { finalizer: 'add', facts, labels: claimLabels(facts, host.name), annotations: noWaiting };
}

/** The build runs in its own pod; its Secret goes when it ends, like that of any other. */
export function claimLocal(taskRun: UserTaskRun, platform: Platform, now: Instant): UserTaskRunChange {
  const facts = nextClaim(taskRun, platform, localHost, now);
  return { finalizer: 'add', facts, labels: claimLabels(facts, localHost.host), annotations: noWaiting };
}

/** A host is to be launched for it. Its name is written before anything is: whatever is launched under it is found again. */
export function claimLaunch(
  taskRun: UserTaskRun,
  pool: LaunchedPool,
  tokens: LaunchTokens,
  now: Instant,
): UserTaskRunChange {
  const { platform } = pool;
  const host = hostToLaunch(pool, tokens({ ...taskRun, attempt: attemptsOf(taskRun) + 1 }));
  const facts = nextClaim(taskRun, platform, host, now);
  return {
    finalizer: 'add',
    facts,
    labels: { ...claimLabels(facts, host.host), [labels.cloudDynamicPlatform]: dashedPlatform(platform) },
    annotations: { ...noWaiting, [annotations.allocationStartTime]: String(Math.floor(now / second)) },
  };
}

/** The host is there: how it is reached, and what it is known as to its provider. */
export function noteLaunched(facts: LeaseFacts, claim: HostFacts): UserTaskRunChange {
  const { launch, address } = claim;
  return {
    facts: { ...facts, claim: { ...claim, since: facts.claim?.since ?? 0 } },
    labels: { [labels.assignedHost]: hostLabel(claim) },
    annotations: {
      ...(launch?.instanceId === undefined ? {} : { [annotations.cloudInstanceId]: launch.instanceId }),
      ...(address === '' ? {} : { [annotations.cloudAddress]: address }),
    },
  };
}

/** A launched host serves one try. `counts`: it came to nothing, and not for want of capacity. */
export function giveUpLaunch(taskRun: UserTaskRun, facts: LeaseFacts, counts: boolean): UserTaskRunChange {
  const failedLaunches = (facts.failedLaunches ?? 0) + (counts ? 1 : 0);
  const left = giveUpHost(taskRun, { ...facts, ...(failedLaunches === 0 ? {} : { failedLaunches }) }, false);
  if (!counts) return { ...left, annotations: {} };
  const failed = failedHosts(taskRun, facts.claim?.launch?.instanceId);
  return { ...left, annotations: { ...failed, [annotations.cloudFailureCount]: String(failedLaunches) } };
}

/** Facts found again: of a claim that is in force, or of one that is over. */
export function restore({ hasFinalizer, deleting }: UserTaskRun, facts: LeaseFacts): UserTaskRunChange {
  const { claim } = facts;
  const held = claim === undefined ? noHost : claimLabels(facts, hostLabel(claim));
  // Nobody can add one to an object that is being deleted.
  const bound = (claim !== undefined || facts.rejected !== undefined) && !hasFinalizer && !deleting;
  return { ...(bound ? { finalizer: 'add' } : {}), facts, labels: held, annotations: noWaiting };
}

/** What somebody set back to what it was: the facts, what is told of them, and which hosts failed. */
export function putBack(taskRun: UserTaskRun, lost: UserTaskRun): UserTaskRunChange {
  if (lost.facts === undefined) return {};
  const { labels: held = {} } = restore(taskRun, lost.facts);
  const all = [...lost.failedHosts, ...taskRun.failedHosts];
  return { facts: lost.facts, labels: held, annotations: failedHosts({ failedHosts: all }, undefined) };
}

export function markReady(facts: LeaseFacts): UserTaskRunChange {
  return { facts: { ...facts, ready: true } };
}

/** The TaskRun that launches or prepares the host was lost: the same host again, under a new attempt. */
export function nextAttempt(facts: LeaseFacts): UserTaskRunChange {
  const attempt = facts.attempt + 1;
  return { facts: { ...facts, attempt, lost: true }, labels: { [labels.attempt]: String(attempt) } };
}

/** Gives the slot back after a failed provision; the build waits for another host, or for the same if it is not to blame. */
export function giveUpHost(taskRun: UserTaskRun, facts: LeaseFacts, toBlame = true): UserTaskRunChange {
  return {
    facts: withoutClaim(facts),
    labels: { ...noHost, [labels.waitingForPlatform]: dashedPlatform(facts.platform) },
    annotations: failedHosts(taskRun, toBlame ? facts.claim?.host : undefined),
  };
}

/** Nothing is held any more: a cleanup TaskRun carries on, or there is nothing to clean. */
export function release(taskRun: UserTaskRun): UserTaskRunChange {
  return {
    ...(taskRun.hasFinalizer ? { finalizer: 'remove' } : {}),
    ...(taskRun.facts === undefined ? {} : { facts: withoutClaim(asTold(taskRun.facts)) }),
    labels: { ...noHost, [labels.waitingForPlatform]: null },
    annotations: noWaiting,
  };
}

/** The one-time token is good for this run of the build. */
export function noteRetries(facts: LeaseFacts, retries: number): UserTaskRunChange {
  return { facts: { ...facts, retries } };
}

/** The key server keeps its key until the release. */
export function noteOneTimeKey(facts: LeaseFacts): UserTaskRunChange {
  return { facts: { ...facts, oneTimeKey: true } };
}

/** Refused for good: no claim. With the finalizer, so that the error Secret goes when the build has ended. */
export function reject(taskRun: UserTaskRun, reason: RejectReason): UserTaskRunChange & { readonly facts: LeaseFacts } {
  const facts = taskRun.facts ?? { attempt: 0, platform: taskRun.platform ?? '' };
  return { ...release(taskRun), finalizer: 'add', facts: { ...withoutClaim(facts), rejected: reason } };
}

/** More of what a host said helps nobody, and an annotation has not room for everything. */
const longestSentence = 4096;

/** The same, before the error Secret is made. */
export function rejectUntold(taskRun: UserTaskRun, { reason, message }: Told<RejectReason>): UserTaskRunChange {
  const change = reject(taskRun, reason);
  return { ...change, facts: { ...change.facts, untold: boundedText(message, longestSentence) } };
}

/** The error Secret is there. */
export function markTold({ facts }: UserTaskRun): UserTaskRunChange {
  return facts === undefined ? {} : { facts: withoutClaim(facts) };
}

/** An announcement that came late, after the claim. */
export function withoutWaiting(): UserTaskRunChange {
  return { labels: { [labels.waitingForPlatform]: null }, annotations: noWaiting };
}

/** Tells people and programs that, and why, this build waits. */
export function announceWait(
  { assignedHost }: UserTaskRun,
  platform: Platform,
  message: string,
  position: number,
): UserTaskRunChange {
  const dashed = dashedPlatform(platform);
  // Other programs count slots by this label, and we did not write it.
  const noForgery = assignedHost === undefined ? {} : { ...noHost, [labels.leaseMark]: null };
  return {
    // Nobody can have configured a longer one, and it would be no label value.
    labels: {
      ...noForgery,
      ...(dashed.length > 63 ? {} : { [labels.waitingForPlatform]: dashed, [labels.targetPlatform]: dashed }),
    },
    annotations: { [annotations.waitReason]: message, [annotations.queuePosition]: String(position) },
  };
}

function claimLabels({ platform, attempt }: LeaseFacts, host: string): Record<string, string | null> {
  const target = { [labels.targetPlatform]: dashedPlatform(platform), [labels.assignedHost]: host };
  return { ...target, [labels.attempt]: attempt === 0 ? null : String(attempt), [labels.waitingForPlatform]: null };
}

/** Those of before, and this one. */
function failedHosts(
  { failedHosts: before }: Pick<UserTaskRun, 'failedHosts'>,
  host: string | undefined,
): Record<string, string> {
  const failed = new Set([...before, ...(host === undefined ? [] : [host])]);
  return failed.size === 0 ? {} : { [annotations.failedHosts]: [...failed].join(',') };
}

function attemptsOf(taskRun: UserTaskRun): number {
  return taskRun.facts?.attempt ?? 0;
}

/** A refusal that nobody was told of is none: it may be released because everything of ours is taken away. */
function asTold(facts: LeaseFacts): LeaseFacts {
  const { rejected: _, ...others } = facts;
  return facts.untold === undefined ? facts : others;
}

function withoutClaim(facts: LeaseFacts): LeaseFacts {
  const { attempt, platform, rejected } = facts;
  return { attempt, platform, ...(rejected === undefined ? {} : { rejected }), ...history(facts) };
}

/** What outlives a claim. */
function history({ failedLaunches, lost }: Partial<LeaseFacts> = {}): Partial<LeaseFacts> {
  return { ...(failedLaunches === undefined ? {} : { failedLaunches }), ...(lost ? { lost } : {}) };
}

function nextClaim(taskRun: UserTaskRun, platform: Platform, host: HostFacts, now: Instant): LeaseFacts {
  return { attempt: attemptsOf(taskRun) + 1, platform, claim: { ...host, since: now }, ...history(taskRun.facts) };
}
