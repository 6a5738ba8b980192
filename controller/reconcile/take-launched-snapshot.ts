// A platform whose hosts are launched, one for each build, at this instant: how many there are, and how the last launches
// went. Reads only.
import type { EndedLaunch, LaunchedSnapshot } from '../allocation/pool-snapshot.ts';
import type { LaunchedPool } from '../model/pool.ts';
import { saidBy } from '../model/said-by.ts';
import type { UserTaskRun } from '../model/task-run.ts';
import { launchedHostOf } from './launched-host.ts';
import { missingSecretOf } from './pool-secrets.ts';
import type { SnapshotSources, TaskRuns } from './take-snapshot.ts';

/** A claim the cache does not show: not yet, or not any more. */
export interface AssumedLaunch {
  readonly host: string;
  /** '' where unknown. */
  readonly namespace: string;
}

export function takeLaunchedSnapshot(pool: LaunchedPool, sources: SnapshotSources): LaunchedSnapshot {
  const { taskRuns, lastServed = new Map() } = sources;
  const { platform } = pool;
  const hosts = new Set<string>();
  const held = new Map<string, number>();
  const hold = (namespace: string): void => void held.set(namespace, (held.get(namespace) ?? 0) + 1);
  let launching = 0;
  for (const taskRun of taskRuns.by('launchedHosts', platform)) {
    hosts.add(launchedHostOf(taskRun) ?? '');
    if (taskRun.kind !== 'user') continue;
    hold(taskRun.namespace);
    if (isStarting(taskRun)) launching += 1;
  }
  for (const { host, namespace } of sources.assumedLaunches?.(platform) ?? []) {
    hosts.add(host);
    hold(namespace);
    launching += 1;
  }
  return {
    status: 'launched',
    pool,
    taken: hosts.size,
    launching,
    launches: endedLaunches(platform, taskRuns),
    held,
    lastServed,
    missingSecret: missingSecretOf(pool, sources),
  };
}

/** Whether its host can be had is not known yet. */
function isStarting({ facts, outcome, deleting }: UserTaskRun): boolean {
  return outcome === 'running' && !deleting && facts?.ready !== true && facts?.claim?.address === '';
}

function endedLaunches(platform: string, taskRuns: TaskRuns): EndedLaunch[] {
  return [...taskRuns.by('endedLaunches', platform)].flatMap((it): EndedLaunch[] => {
    if (it.kind !== 'own') return [];
    const { results, completed, created, outcome } = it;
    const short = outcome === 'failed' && results['REASON'] === 'InsufficientCapacity';
    return [{ ended: completed ?? created, shortage: short ? saidBy(it) : undefined }];
  });
}
