// What host-config says about a host somebody names, and how full it is. For builds whose claim is not signed by us.
import type { Labelled } from '../lease/observed.ts';
import type { HostFacts } from '../model/host-lease.ts';
import type { UserTaskRun } from '../model/task-run.ts';
import type { HostConfigState } from './host-config-state.ts';

export interface KnownHosts {
  /** What label `…/assigned-host` of a build stands for. */
  readonly labelled: (taskRun: UserTaskRun) => Labelled;
  /** False only when host-config could be read and does not name the host. */
  readonly isConfigured: (host: string) => boolean;
}

export const localHost = 'localhost';

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
        return assignedHost === localHost ? { to: 'host', claim: localClaim, hasRoom: true } : { to: 'nothing' };
      const host = pool.hosts.find(({ name }) => name === assignedHost);
      if (host === undefined) return { to: 'nothing' };
      const { name, address, user, secret } = host;
      const claim: HostFacts = { provider: 'static', host: name, address, user, sshSecret: secret };
      return { to: 'host', claim, hasRoom: taken(name) < host.concurrency };
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

const localClaim: HostFacts = { provider: 'local', host: localHost, address: '', user: '', sshSecret: '' };
