// What host-config says about a host that the label of a build names, how full it is, and whose word that label is. For
// builds whose facts are not there: anyone may write a label, so one that nobody vouches for names nothing.
import { localHost, staticHost } from '../lease/host-facts.ts';
import type { Labelled } from '../lease/observed.ts';
import { allowsNamespace, type Pool } from '../model/pool.ts';
import type { UserTaskRun } from '../model/task-run.ts';
import type { HostConfigState } from './host-config-state.ts';

/** `older controller`: the build is from before our first start, so nobody can tell. */
export type LabelWriter = 'us' | 'older controller' | 'anybody';

export interface KnownHosts {
  /** What label `…/assigned-host` of a build stands for. */
  readonly labelled: (taskRun: UserTaskRun) => Labelled;
  /** It may hold the host its label names: that is to be found out. */
  readonly mayHold: (taskRun: UserTaskRun) => boolean;
  /** False only when host-config could be read and does not name the host. */
  readonly isConfigured: (host: string) => boolean;
}

export interface HostKnowledge {
  readonly hostConfig: Pick<HostConfigState, 'poolOf' | 'config'>;
  readonly writerOf: (taskRun: UserTaskRun) => LabelWriter;
}

/** `taken`: slots of a host that nobody else may have. */
export function knownHosts({ hostConfig, writerOf }: HostKnowledge, taken: (host: string) => number): KnownHosts {
  return {
    labelled: (taskRun) => {
      const { platform, assignedHost, namespace } = taskRun;
      if (platform === undefined || assignedHost === undefined) return { to: 'nothing' };
      const writer = writerOf(taskRun);
      if (writer === 'anybody') return { to: 'forgery' };
      const configured = hostConfig.poolOf(platform);
      if (configured.status === 'unusable') return { to: 'unknown' };
      if (configured.status !== 'pool') return { to: 'nothing' };
      const { pool } = configured;
      // We never gave one to a namespace that was not allowed; what is allowed may have changed since.
      if (writer === 'older controller' && !allowsNamespace(pool.limits, namespace)) return { to: 'nothing' };
      return hostOf(pool, assignedHost, taken);
    },
    mayHold: (taskRun) => taskRun.assignedHost !== undefined && writerOf(taskRun) !== 'anybody',
    isConfigured: (name) => {
      const { config } = hostConfig;
      if (config === undefined || config.problems.some(({ key }) => key.startsWith(`host.${name}.`))) return true;
      return [...config.pools.values()].some(
        (pool) => pool.kind === 'static' && pool.hosts.some((host) => host.name === name),
      );
    },
  };
}

function hostOf(pool: Pool, named: string, taken: (host: string) => number): Labelled {
  if (pool.kind === 'local')
    return named === localHost.host ? { to: 'host', claim: localHost, hasRoom: true } : { to: 'nothing' };
  const host = pool.hosts.find(({ name }) => name === named);
  if (host === undefined) return { to: 'nothing' };
  return { to: 'host', claim: staticHost(host), hasRoom: taken(host.name) < host.concurrency };
}
