// One platform at this instant, out of the caches: what allocate() decides on. Also how TaskRuns are indexed for that: which
// of them wait, and which hold a slot. Reads only; asks the API nothing.
import type { FailedProvision, HostUse, PoolSnapshot, StaticSnapshot } from '../allocation/pool-snapshot.ts';
import type { Cache } from '../kubernetes/cache.ts';
import { blamelessReasons } from '../lease/provision-reasons.ts';
import { isUnsigned } from '../lease/read-lease.ts';
import type { Host } from '../model/host.ts';
import type { HostRequest } from '../model/host-request.ts';
import type { Instant } from '../model/instant.ts';
import { hasLaunched, launchedHostOf } from './launched-host.ts';
import { asStaticPool, moreHostsOf } from './pooled-hosts.ts';
import { takeLaunchedSnapshot, type AssumedLaunch } from './take-launched-snapshot.ts';
import { parsePlatform } from '../model/platform.ts';
import type { StaticPool } from '../model/pool.ts';
import { saidBy } from '../model/said-by.ts';
import type { KeptTaskRun, OwnTaskRun, UserTaskRun } from '../model/task-run.ts';
import type { ConfiguredPool } from './host-config-state.ts';

export type TaskRunIndex =
  /** By PLATFORM: builds in the queue. */
  | 'waiting'
  /** By host: live builds that hold a slot. */
  | 'claims'
  /** By host: builds that ended and are not released yet. */
  | 'endedClaims'
  /** By uid of the build: TaskRuns of ours that work for it. */
  | 'children'
  /** By host: failed provisions for which it may be to blame. */
  | 'failedProvisions'
  /** By host: first tries of cleanups that run. */
  | 'firstCleanups'
  /** By host: TaskRuns of ours that run there for a build. */
  | 'working'
  /** By host: cleanups that have not succeeded. */
  | 'cleanups'
  /** All under one value, allUpdates. */
  | 'updates'
  /** By platform: whatever tells that a launched host may be there. */
  | 'launchedHosts'
  /** By platform. */
  | 'endedLaunches';
export type TaskRuns = Cache<KeptTaskRun, TaskRunIndex>;

export const allUpdates = 'all';

export const taskRunIndexes: Readonly<Record<TaskRunIndex, (taskRun: KeptTaskRun) => string | undefined>> = {
  waiting: (taskRun) => (taskRun.kind === 'user' && isWaiting(taskRun) ? taskRun.platform : undefined),
  claims: (taskRun) => (taskRun.kind === 'user' && isLive(taskRun) ? staticHostOf(taskRun) : undefined),
  endedClaims: (taskRun) => (taskRun.kind === 'user' && !isLive(taskRun) ? staticHostOf(taskRun) : undefined),
  // TaskRuns that update hosts work for no build.
  children: (taskRun) => (taskRun.kind === 'own' && taskRun.userUid !== '' ? taskRun.userUid : undefined),
  failedProvisions: (taskRun) => (taskRun.kind === 'own' && isBlamed(taskRun) ? taskRun.host : undefined),
  firstCleanups: (taskRun) => (taskRun.kind === 'own' && isFirstCleanup(taskRun) ? taskRun.host : undefined),
  launchedHosts: (taskRun) => (launchedHostOf(taskRun) === undefined ? undefined : taskRun.facts?.platform),
  endedLaunches: (taskRun) => (taskRun.kind === 'own' && hasLaunched(taskRun) ? taskRun.facts?.platform : undefined),
  working: (taskRun) => (taskRun.kind === 'own' && isWorking(taskRun) ? taskRun.host : undefined),
  cleanups: (taskRun) => (taskRun.kind === 'own' && isUnfinishedCleanup(taskRun) ? taskRun.host : undefined),
  updates: (taskRun) => (taskRun.kind === 'own' && taskRun.type === 'update' ? allUpdates : undefined),
};

/** The static host a build holds a slot of. */
export function staticHostOf({ facts }: UserTaskRun): string | undefined {
  return facts?.claim?.provider === 'static' ? facts.claim.host : undefined;
}

/** A slot is taken from the claim until the build has ended; where cleanup keeps it longer, useOf() counts that. */
export function holdsSlot(taskRun: UserTaskRun): boolean {
  return isLive(taskRun) && staticHostOf(taskRun) !== undefined;
}

/** In the queue of its platform. Not while it is to be found out which host it may hold, nor once it was cancelled. */
export function isWaiting(taskRun: UserTaskRun): boolean {
  const { facts, cancelled } = taskRun;
  return (
    isLive(taskRun) && !cancelled && !isUnsigned(taskRun) && facts?.claim === undefined && facts?.rejected === undefined
  );
}

/** May keep a slot taken after its build; further tries of a cleanup do not. */
export function isFirstCleanup({ type, cleanupTry, outcome }: OwnTaskRun): boolean {
  return type === 'clean' && cleanupTry === 1 && outcome === 'running';
}

/** What a build left there is not known to be gone. */
function isUnfinishedCleanup({ type, outcome, cleaned }: OwnTaskRun): boolean {
  return type === 'clean' && outcome !== 'succeeded' && !cleaned;
}

function isWorking({ type, outcome }: OwnTaskRun): boolean {
  return type !== 'update' && outcome === 'running';
}

function isLive({ outcome, deleting }: UserTaskRun): boolean {
  return outcome === 'running' && !deleting;
}

function isBlamed({ type, outcome, cancelled, results }: OwnTaskRun): boolean {
  return type === 'provision' && outcome === 'failed' && !cancelled && !blamelessReasons.has(results['REASON'] ?? '');
}

export interface SnapshotSources {
  readonly taskRuns: TaskRuns;
  /** The operator namespace has a labelled Secret of this name. */
  readonly hasSshSecret: (name: string) => boolean;
  /** Slots of this host that are taken although the cache does not show it: the namespace of each, '' where unknown. */
  readonly assumed: (host: string) => readonly string[];
  /** Launched hosts of this platform that the cache does not show, each with the namespace of its build; absent: none. */
  readonly assumedLaunches?: (platform: string) => readonly AssumedLaunch[];
  /** It takes no new builds: see Upkeep.isDraining(). */
  readonly isDraining: (host: string) => boolean;
  /** What only the lane remembers; absent: nothing. */
  readonly lastServed?: ReadonlyMap<string, Instant>;
  readonly missingSince?: (secret: string) => Instant | undefined;
}

export function takeSnapshot(platform: string, configured: ConfiguredPool, sources: SnapshotSources): PoolSnapshot {
  if (configured.status === 'unknown') return { ...configured, platform };
  if (configured.status === 'unusable') return configured;
  const { pool } = configured;
  if (pool.kind === 'local') return { status: 'local', platform: pool.platform, limits: pool.limits };
  if (pool.kind === 'dynamic') return takeLaunchedSnapshot(pool, sources);
  if (pool.kind === 'static') return takeStaticSnapshot(pool, sources);
  return {
    ...takeStaticSnapshot(asStaticPool(pool, sources.taskRuns), sources),
    launched: moreHostsOf(pool, sources),
  };
}

function takeStaticSnapshot(pool: StaticPool, sources: SnapshotSources): StaticSnapshot {
  return {
    status: 'static',
    platform: pool.platform,
    limits: pool.limits,
    hosts: pool.hosts.map((host) => useOf(host, pool, sources)),
    held: heldBy(pool, sources),
    lastServed: sources.lastServed ?? new Map(),
    missingSecrets: missingSecrets(pool, sources),
  };
}

export function useOf(host: Host, pool: Pick<StaticPool, 'limits' | 'cordoned'>, sources: SnapshotSources): HostUse {
  const { taskRuns, assumed, isDraining, hasSshSecret } = sources;
  const { name } = host;
  const cleaning = taskRuns.count('endedClaims', name) + taskRuns.count('firstCleanups', name);
  const failures = failuresOn(name, taskRuns);
  return {
    host,
    taken:
      taskRuns.count('claims', name) +
      assumed(name).length +
      (pool.limits.releaseSlotAfter === 'cleanup' ? cleaning : 0),
    failures,
    lastGood: failures.length === 0 ? undefined : lastGoodOn(name, taskRuns),
    hasSshSecret: hasSshSecret(host.secret),
    cordoned: pool.cordoned.has(name),
    draining: isDraining(name),
  };
}

function failuresOn(host: string, taskRuns: TaskRuns): FailedProvision[] {
  const failures: FailedProvision[] = [];
  for (const failed of taskRuns.by('failedProvisions', host)) {
    if (failed.kind !== 'own') continue;
    const { userUid, userNamespace, facts, created, completed } = failed;
    const since = facts?.claim?.since ?? created;
    failures.push({ build: userUid, namespace: userNamespace, since, failed: completed ?? created });
  }
  return failures;
}

/** Successful provision TaskRuns are deleted at once; what they led to shows that they were. */
function lastGoodOn(host: string, taskRuns: TaskRuns): Instant | undefined {
  let newest: Instant | undefined;
  for (const index of ['claims', 'endedClaims', 'firstCleanups'] as const) {
    for (const { facts } of taskRuns.by(index, host)) {
      const since = facts?.ready === true ? facts.claim?.since : undefined;
      if (since !== undefined && since > (newest ?? -Infinity)) newest = since;
    }
  }
  return newest;
}

/** Who holds how many slots of the platform; looked for only where that decides something. */
export function heldBy({ hosts, limits }: StaticPool, { taskRuns, assumed }: SnapshotSources): Map<string, number> {
  const held = new Map<string, number>();
  if (!limits.fairShare && limits.maxPerNamespace === undefined) return held;
  const add = (namespace: string): void => void held.set(namespace, (held.get(namespace) ?? 0) + 1);
  for (const { name } of hosts) {
    for (const { namespace } of taskRuns.by('claims', name)) add(namespace);
    for (const namespace of assumed(name)) add(namespace);
  }
  return held;
}

function missingSecrets({ hosts }: StaticPool, { missingSince }: SnapshotSources): Map<string, Instant> {
  const missing = new Map<string, Instant>();
  for (const { secret } of hosts) {
    const since = missingSince?.(secret);
    if (since !== undefined) missing.set(secret, since);
  }
  return missing;
}

/** A waiting build as a request; undefined when its PLATFORM is malformed. */
export function readRequest(taskRun: UserTaskRun, taskRuns: TaskRuns): HostRequest | undefined {
  const platform = parsePlatform(taskRun.platform ?? '');
  if (platform === undefined) return undefined;
  const { uid, namespace, name, created, failedHosts, priority } = taskRun;
  const lastFailure = failedHosts.length === 0 ? undefined : readLastFailure(uid, taskRuns);
  const request = { uid, namespace, name, platform, since: created, priority, failedHosts };
  return lastFailure === undefined ? request : { ...request, lastFailure };
}

/** What the newest failed provision of this build said. */
function readLastFailure(uid: string, taskRuns: TaskRuns): string | undefined {
  let newest: OwnTaskRun | undefined;
  for (const child of taskRuns.by('children', uid)) {
    const failed = child.kind === 'own' && child.type === 'provision' && child.outcome === 'failed';
    if (failed && child.attempt > (newest?.attempt ?? 0)) newest = child;
  }
  return newest && saidBy(newest);
}
