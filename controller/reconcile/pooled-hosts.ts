// The hosts of a dynamic-pool as the cache shows them: each is known by the TaskRun that launched it. Reads only.
import { launchTrouble, type LaunchTrouble } from '../allocation/launch-trouble.ts';
import type { MoreHosts } from '../allocation/pool-snapshot.ts';
import {
  allInstancesTaken,
  hostsAreLaunched,
  launchCameToNothing,
  launchFailed,
  outOfCapacity,
} from '../allocation/told-reasons.ts';
import type { Host } from '../model/host.ts';
import { parsePlatform } from '../model/platform.ts';
import type { LaunchedPool, StaticPool } from '../model/pool.ts';
import type { Told, WaitReason } from '../model/reason.ts';
import type { OwnTaskRun } from '../model/task-run.ts';
import { launchedHostOf } from './launched-host.ts';
import { missingSecretOf } from './pool-secrets.ts';
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
  const parsed = parsePlatform(platform ?? '');
  if (ADDRESS === '' || USER === '' || parsed === undefined) return undefined;
  return { name: launch.host, address: ADDRESS, user: USER, platform: parsed, secret: claim.sshSecret, concurrency };
}

/** Its hosts, as if they had been there always. */
export function asStaticPool({ platform, limits, concurrency }: LaunchedPool, taskRuns: TaskRuns): StaticPool {
  const hosts = pooledLaunches(platform, taskRuns).flatMap((launch) => pooledHost(launch, concurrency) ?? []);
  return { kind: 'static', platform, hosts, cordoned: new Set(), limits };
}

/** Names of hosts that are there, may be there, or are not known to be gone. */
export function hostsTaken(platform: string, taskRuns: TaskRuns): Set<string> {
  return new Set([...taskRuns.by('launchedHosts', platform)].flatMap((it) => launchedHostOf(it) ?? []));
}

/** What is known of its hosts that are not there yet, for builds that find no free slot. */
export function moreHostsOf(pool: LaunchedPool, sources: SnapshotSources): MoreHosts {
  const { taskRuns } = sources;
  const { platform, maxInstances } = pool;
  const launches = pooledLaunches(platform, taskRuns);
  const running = launches.filter(({ outcome }) => outcome === 'running').length;
  const trouble = launchTrouble(launches);
  const full = hostsTaken(platform, taskRuns).size >= maxInstances;
  return {
    told: toldOf(pool, running, full, trouble),
    refused: trouble?.isFinal === true ? { told: launchFailed(trouble.said), failed: trouble.failed } : undefined,
    missingSecret: missingSecretOf(pool, sources),
  };
}

function toldOf(
  pool: LaunchedPool,
  running: number,
  full: boolean,
  trouble: LaunchTrouble | undefined,
): Told<WaitReason> {
  if (running > 0) return hostsAreLaunched(running);
  if (full) return allInstancesTaken(pool.maxInstances);
  if (trouble === undefined) return hostsAreLaunched(running);
  const { said, until, isShortage } = trouble;
  return isShortage ? outOfCapacity(pool.platform, said, until) : launchCameToNothing(said, until);
}
