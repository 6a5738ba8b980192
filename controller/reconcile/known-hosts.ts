// What host-config says about a host somebody names, and how full it is. For builds whose claim is not signed by us.
import { hostToLaunch, localHost, staticHost } from '../lease/host-facts.ts';
import type { Labelled, Observed } from '../lease/observed.ts';
import type { Host } from '../model/host.ts';
import type { LaunchedPool } from '../model/pool.ts';
import type { OwnTaskRun, UserTaskRun } from '../model/task-run.ts';
import type { LaunchTokens } from '../taskruns/launch-token.ts';
import type { HostConfigState } from './host-config-state.ts';
import { pooledHost } from './pooled-hosts.ts';

export interface KnownHosts {
  /** What label `…/assigned-host` of a build stands for. */
  readonly labelled: (taskRun: UserTaskRun) => Labelled;
  /** False only when host-config could be read and does not name the host. */
  readonly isConfigured: (host: string) => boolean;
  readonly launchedPool: Observed['launchedPool'];
}

/**
 * `taken`: slots of a host that nobody else may have. `launches`: those of a dynamic-pool, each of which stands for its host.
 */
export function knownHosts(
  hostConfig: Pick<HostConfigState, 'poolOf' | 'config'>,
  taken: (host: string) => number,
  tokens: LaunchTokens,
  launches: (platform: string) => readonly OwnTaskRun[] = () => [],
): KnownHosts {
  return {
    labelled: (taskRun) => {
      const { platform, assignedHost } = taskRun;
      if (platform === undefined || assignedHost === undefined) return { to: 'nothing' };
      const configured = hostConfig.poolOf(platform);
      if (configured.status === 'unusable') return { to: 'unknown' };
      if (configured.status !== 'pool') return { to: 'nothing' };
      const { pool } = configured;
      if (pool.kind === 'local')
        return assignedHost === localHost.host ? { to: 'host', claim: localHost, hasRoom: true } : { to: 'nothing' };
      if (pool.kind === 'dynamic') return ownLaunchedHost(taskRun, pool, tokens);
      const hosts = pool.kind === 'static' ? pool.hosts : hostsOf(pool, launches);
      const host = hosts.find(({ name }) => name === assignedHost);
      if (host === undefined) return { to: 'nothing' };
      return { to: 'host', claim: staticHost(host), hasRoom: taken(host.name) < host.concurrency };
    },
    launchedPool: (platform, type) => {
      const configured = hostConfig.poolOf(platform);
      if (configured.status !== 'pool') return undefined;
      const { pool } = configured;
      return pool.kind !== 'local' && pool.kind !== 'static' && pool.provider.type === type ? pool : undefined;
    },
    isConfigured: (name) => {
      const { config } = hostConfig;
      if (config === undefined || config.problems.some(({ key }) => key.startsWith(`host.${name}.`))) return true;
      return [...config.pools.values()].some((pool) => {
        if (pool.kind === 'dynamic-pool') return launches(pool.platform).some(({ host }) => host === name);
        return pool.kind === 'static' && pool.hosts.some((host) => host.name === name);
      });
    },
  };
}

function hostsOf(
  { platform, concurrency }: LaunchedPool,
  launches: (platform: string) => readonly OwnTaskRun[],
): Host[] {
  return launches(platform).flatMap((launch) => pooledHost(launch, concurrency) ?? []);
}

/** Attempts whose token is looked for: beyond that, somebody wrote the label for our work. */
const mostAttempts = 100;

/** A label can name the host of its own build only: each token is made from the build it is for. */
function ownLaunchedHost(taskRun: UserTaskRun, pool: LaunchedPool, tokens: LaunchTokens): Labelled {
  const last = Math.min(Number(taskRun.attemptLabel) || 1, mostAttempts);
  for (let attempt = 1; attempt <= last; attempt += 1) {
    const token = tokens({ ...taskRun, attempt });
    if (token === taskRun.assignedHost) return { to: 'host', claim: hostToLaunch(pool, token), hasRoom: true };
  }
  return { to: 'nothing' };
}
