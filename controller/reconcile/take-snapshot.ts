// One platform at this instant, out of the caches: what allocate() decides on. Reads only; asks the API nothing.
import type { HostUse, PoolSnapshot } from '../allocation/pool-snapshot.ts';
import type { Cache } from '../kubernetes/cache.ts';
import type { Host } from '../model/host.ts';
import type { HostRequest } from '../model/host-request.ts';
import { minute, type Instant } from '../model/instant.ts';
import { parsePlatform } from '../model/platform.ts';
import type { KeptTaskRun, OwnTaskRun, UserTaskRun } from '../model/task-run.ts';
import type { ConfiguredPool } from './host-config-state.ts';

/** Named indexes of the TaskRun cache. */
export type TaskRunIndex = 'waiting' | 'claims' | 'children' | 'failedProvisions';
export type TaskRuns = Cache<KeptTaskRun, TaskRunIndex>;

/** How long a failed provision counts against its host in the choice between equals. */
const failureMemory = 10 * minute;

/** `waiting` by PLATFORM · `claims` by host, live builds only · `children` by build uid · `failedProvisions` by host. */
export const taskRunIndexes: Readonly<Record<TaskRunIndex, (taskRun: KeptTaskRun) => string | undefined>> = {
  waiting: (taskRun) => (taskRun.kind === 'user' && isWaiting(taskRun) ? taskRun.platform : undefined),
  claims: (taskRun) => (taskRun.kind === 'user' && isLive(taskRun) ? staticHostOf(taskRun) : undefined),
  children: (taskRun) => (taskRun.kind === 'own' ? taskRun.userUid : undefined),
  failedProvisions: (taskRun) =>
    taskRun.kind === 'own' && taskRun.type === 'provision' && taskRun.outcome === 'failed' && !taskRun.cancelled
      ? taskRun.host
      : undefined,
};

function isLive({ outcome, deleting }: UserTaskRun): boolean {
  return outcome === 'running' && !deleting;
}

/** The static host a build holds a slot of. */
export function staticHostOf({ facts }: UserTaskRun): string | undefined {
  return facts?.claim?.provider === 'static' ? facts.claim.host : undefined;
}

/** A slot is taken from the claim until the build has ended. */
export function holdsSlot(taskRun: UserTaskRun): boolean {
  return isLive(taskRun) && staticHostOf(taskRun) !== undefined;
}

/** In the queue of its platform. */
export function isWaiting(taskRun: UserTaskRun): boolean {
  return isLive(taskRun) && taskRun.facts?.claim === undefined && taskRun.facts?.rejected === undefined;
}

export interface SnapshotSources {
  readonly taskRuns: TaskRuns;
  /** The operator namespace has a labelled Secret of this name. */
  readonly hasSshSecret: (name: string) => boolean;
  /** Claims under way for this host that the cache does not show yet. */
  readonly assumed: (host: string) => number;
}

export function takeSnapshot(
  platform: string,
  configured: ConfiguredPool,
  sources: SnapshotSources,
  now: Instant,
): PoolSnapshot {
  if (configured.status === 'unknown') return { ...configured, platform };
  if (configured.status === 'unusable') return configured;
  const { pool } = configured;
  if (pool.kind === 'local') return { status: 'local', platform: pool.platform, limits: pool.limits };
  const hosts = pool.hosts.map((host) => useOf(host, pool.cordoned.has(host.name), sources, now));
  return { status: 'static', platform: pool.platform, limits: pool.limits, hosts };
}

function useOf(host: Host, cordoned: boolean, sources: SnapshotSources, now: Instant): HostUse {
  const { taskRuns } = sources;
  return {
    host,
    cordoned,
    taken: count(taskRuns.by('claims', host.name)) + sources.assumed(host.name),
    recentFailures: count(taskRuns.by('failedProvisions', host.name), (failed) => now - failed.created < failureMemory),
    hasSshSecret: sources.hasSshSecret(host.secret),
  };
}

/** The waiting builds of a platform that are well-formed, as requests. */
export function readRequest(taskRun: UserTaskRun, taskRuns: TaskRuns): HostRequest | undefined {
  const platform = parsePlatform(taskRun.platform ?? '');
  if (platform === undefined) return undefined;
  const { uid, namespace, name, created, failedHosts } = taskRun;
  const lastFailure = failedHosts.length === 0 ? undefined : readLastFailure(uid, taskRuns);
  return { uid, namespace, name, platform, since: created, failedHosts, ...(lastFailure ? { lastFailure } : {}) };
}

/** What the newest failed provision of this build said. */
function readLastFailure(uid: string, taskRuns: TaskRuns): string | undefined {
  let newest: OwnTaskRun | undefined;
  for (const child of taskRuns.by('children', uid)) {
    const failed = child.kind === 'own' && child.type === 'provision' && child.outcome === 'failed';
    if (failed && child.attempt > (newest?.attempt ?? 0)) newest = child;
  }
  return newest?.results['MESSAGE'] ?? newest?.message;
}

function count<Item>(items: Iterable<Item>, counts: (item: Item) => boolean = () => true): number {
  let total = 0;
  for (const item of items) if (counts(item)) total += 1;
  return total;
}
