// The hosts of a dynamic-pool as the cache shows them: each is known by the TaskRun that launched it. Reads only.
import { launchTrouble } from '../allocation/launch-trouble.ts';
import type { StaticSnapshot } from '../allocation/pool-snapshot.ts';
import { allInstancesTaken, hostsAreLaunched, launchCameToNothing, outOfCapacity } from '../allocation/told-reasons.ts';
import type { Host } from '../model/host.ts';
import type { LaunchedPool, StaticPool } from '../model/pool.ts';
import type { OwnTaskRun } from '../model/task-run.ts';
import { launchedHostOf } from './launched-host.ts';
import type { SnapshotSources, TaskRuns } from './take-snapshot.ts';

/** TaskRuns that launch, launched, or failed to launch a host of this platform for several builds. */
export function pooledLaunches(platform: string, taskRuns: TaskRuns): OwnTaskRun[] {
  const found = new Set<OwnTaskRun>();
  for (const index of ['launchedHosts', 'endedLaunches'] as const)
    for (const it of taskRuns.by(index, platform)) if (it.kind === 'own' && isPooledLaunch(it)) found.add(it);
  return [...found];
}

export function isPooledLaunch({ type, userUid, facts }: OwnTaskRun): boolean {
  return type === 'launch' && userUid === '' && facts?.claim?.launch !== undefined;
}

/** Undefined: it is not there, or nobody knows how to reach it. */
export function pooledHost(launch: OwnTaskRun, concurrency: number): Host | undefined {
  const { ADDRESS = '', USER = '' } = launch.results;
  const { claim, platform } = launch.facts ?? {};
  if (claim === undefined || launch.outcome !== 'succeeded' || launch.cleaned) return undefined;
  if (ADDRESS === '' || USER === '' || platform === undefined) return undefined;
  return { name: launch.host, address: ADDRESS, user: USER, platform: claim.platform, secret: claim.sshSecret, concurrency };
}
