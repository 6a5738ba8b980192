// What host-config says about a host somebody names, and how full it is. For builds whose claim is not signed by us.
import { localHost, staticHost } from '../lease/host-facts.ts';
import type { Labelled } from '../lease/observed.ts';
import type { UserTaskRun } from '../model/task-run.ts';
import type { HostConfigState } from './host-config-state.ts';

export interface KnownHosts {
  /** What label `…/assigned-host` of a build stands for. */
  readonly labelled: (taskRun: UserTaskRun) => Labelled;
  /** False only when host-config could be read and does not name the host. */
  readonly isConfigured: (host: string) => boolean;
}

/** `taken`: slots of a host that nobody else may have. */
export function knownHosts(
  hostConfig: Pick<HostConfigState, 'poolOf' | 'config'>,
  taken: (host: string) => number,
): KnownHosts {
  return {
    labelled: ({ platform, assignedHost }) => {
      if (platform === undefined || assignedHost === undefined) return { to: 'nothing' };
      const configured = hostConfig.poolOf(platform);
      if (configured.status === 'unusable') return { to: 'unknown' };
      if (configured.status !== 'pool') return { to: 'nothing' };
      const { pool } = configured;
      if (pool.kind === 'local')
        return assignedHost === localHost.host ? { to: 'host', claim: localHost, hasRoom: true } : { to: 'nothing' };
      const host = pool.hosts.find(({ name }) => name === assignedHost);
      if (host === undefined) return { to: 'nothing' };
      return { to: 'host', claim: staticHost(host), hasRoom: taken(host.name) < host.concurrency };
    },
    isConfigured: (name) => {
      const { config } = hostConfig;
      if (config === undefined || config.problems.some(({ key }) => key.startsWith(`host.${name}.`))) return true;
      return [...config.pools.values()].some(
        (pool) => pool.kind === 'static' && pool.hosts.some((host) => host.name === name),
      );
    },
  };
}
