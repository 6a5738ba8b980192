// What host-config says about a host that the label of a build names, how full it is, and whose word that label is. For
// builds whose facts are not there: anyone may write a label, so one that nobody vouches for names nothing.
import { hostToLaunch, localHost, staticHost } from '../lease/host-facts.ts';
import type { Labelled, Observed } from '../lease/observed.ts';
import type { Host } from '../model/host.ts';
import { allowsNamespace, isLaunched, type LaunchedPool, type Pool } from '../model/pool.ts';
import type { OwnTaskRun, UserTaskRun } from '../model/task-run.ts';
import { isToken, type LaunchTokens } from '../taskruns/launch-token.ts';
import type { HostConfigState } from './host-config-state.ts';
import { pooledHost } from './pooled-hosts.ts';

/** `older controller`: the build is from before our first start, so nobody can tell. */
export type LabelWriter = 'us' | 'older controller' | 'anybody';

export interface KnownHosts {
  /** What label `…/assigned-host` of a build stands for. */
  readonly labelled: (taskRun: UserTaskRun) => Labelled;
  /** It may hold the host its label names: that is to be found out. */
  readonly mayHold: (taskRun: UserTaskRun) => boolean;
  /** False only when host-config could be read and does not name the host. */
  readonly isConfigured: (host: string) => boolean;
  readonly launchedPool: Observed['launchedPool'];
}

export interface HostKnowledge {
  readonly hostConfig: Pick<HostConfigState, 'poolOf' | 'config'>;
  readonly writerOf: (taskRun: UserTaskRun) => LabelWriter;
  readonly tokens: LaunchTokens;
  /** Those of a dynamic-pool, each of which stands for its host. */
  readonly launches: (platform: string) => readonly OwnTaskRun[];
}

/** `taken`: slots of a host that nobody else may have. */
export function knownHosts(knowledge: HostKnowledge, taken: (host: string) => number): KnownHosts {
  const { hostConfig, writerOf, launches } = knowledge;
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
      return pool.kind === 'dynamic'
        ? ownLaunchedHost(taskRun, pool, knowledge)
        : hostOf(pool, assignedHost, knowledge, taken);
    },
    mayHold: (taskRun) => taskRun.assignedHost !== undefined && writerOf(taskRun) !== 'anybody',
    launchedPool: (platform, type) => {
      const configured = hostConfig.poolOf(platform);
      if (configured.status !== 'pool') return undefined;
      const { pool } = configured;
      return isLaunched(pool) && pool.provider.type === type ? pool : undefined;
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

function hostOf(pool: Pool, named: string, { launches }: HostKnowledge, taken: (host: string) => number): Labelled {
  if (pool.kind === 'local')
    return named === localHost.host ? { to: 'host', claim: localHost, hasRoom: true } : { to: 'nothing' };
  const hosts = pool.kind === 'static' ? pool.hosts : pooledHosts(pool, launches(pool.platform));
  const host = hosts.find(({ name }) => name === named);
  if (host === undefined) return { to: 'nothing' };
  return { to: 'host', claim: staticHost(host), hasRoom: taken(host.name) < host.concurrency };
}

function pooledHosts({ concurrency }: LaunchedPool, launches: readonly OwnTaskRun[]): Host[] {
  return launches.flatMap((launch) => pooledHost(launch, concurrency) ?? []);
}

/** Attempts whose token is tried. A label with a higher number was written to make us work. */
const mostAttempts = 100;

/**
 * A label can name the host of its own build only: each token is made from the build it is for. What else we wrote there is
 * what the provider calls the host: terminate finds it by that, whatever its token was.
 */
function ownLaunchedHost(taskRun: UserTaskRun, pool: LaunchedPool, { tokens, writerOf }: HostKnowledge): Labelled {
  const last = Math.min(Number(taskRun.attemptLabel) || 1, mostAttempts);
  for (let attempt = 1; attempt <= last; attempt += 1) {
    const token = tokens({ ...taskRun, attempt });
    if (token === taskRun.assignedHost) return { to: 'host', claim: hostToLaunch(pool, token), hasRoom: true };
  }
  const { assignedHost: instanceId } = taskRun;
  if (instanceId === undefined || isToken(instanceId) || writerOf(taskRun) !== 'us') return { to: 'nothing' };
  const claim = hostToLaunch(pool, tokens({ ...taskRun, attempt: last }));
  return { to: 'host', claim: { ...claim, launch: { ...claim.launch, instanceId } }, hasRoom: true };
}
