// Gauges, derived from the caches at the time of a scrape: they cannot stick or drift.
import { freeSlots, isOpen } from '../allocation/free-hosts.ts';
import { Quarantine } from '../allocation/quarantine.ts';
import type { HostConfig } from '../config/host-config.ts';
import { second, type Instant } from '../model/instant.ts';
import type { LaunchedPool, StaticPool } from '../model/pool.ts';
import type { KeptTaskRun, UserTaskRun } from '../model/task-run.ts';
import type { HostSnapshot, MetricsSnapshot, PlatformSnapshot } from '../telemetry/metrics-snapshot.ts';
import { asStaticPool } from './pooled-hosts.ts';
import type { HostConfigState } from './host-config-state.ts';
import { takeSnapshot, type TaskRuns } from './take-snapshot.ts';

export interface CollectOptions {
  readonly taskRuns: TaskRuns;
  readonly hostConfig: HostConfigState;
  readonly hasSshSecret: (name: string) => boolean;
  /** It takes no new builds: see Upkeep.isDraining(). */
  readonly isDraining: (host: string) => boolean;
  readonly isLeader: () => boolean;
  readonly now: () => Instant;
}

export function collectMetrics(options: CollectOptions): MetricsSnapshot {
  const { config } = options.hostConfig;
  const pools = [...(config?.pools.values() ?? [])].flatMap((pool) => (pool.kind === 'local' ? [] : [pool]));
  return {
    leader: options.isLeader(),
    configProblems: { error: countProblems(config, 'error'), warning: countProblems(config, 'warning') },
    platforms: pools.map((pool) => platformSnapshot(pool, options)),
  };
}

function platformSnapshot(pool: StaticPool | LaunchedPool, options: CollectOptions): PlatformSnapshot {
  const { taskRuns } = options;
  const now = options.now();
  const running = new Map<string, number>();
  for (const build of holdersIn(pool, taskRuns)) add(running, build.namespace);
  const waiting = new Map<string, number>();
  let oldest = now;
  for (const build of taskRuns.by('waiting', pool.platform)) {
    add(waiting, build.namespace);
    oldest = Math.min(oldest, build.created);
  }
  return {
    platform: pool.platform,
    poolSize: pool.kind === 'static' ? sumOfSlots(pool) : pool.maxInstances,
    running: Object.fromEntries(running),
    waiting: Object.fromEntries(waiting),
    oldestWaiting: (now - oldest) / second,
    // Launched ones come and go: a series of each would be one of every build.
    hosts: pool.kind === 'static' ? hostSnapshots(pool, options, now) : [],
  };
}

function sumOfSlots({ hosts }: StaticPool): number {
  return hosts.reduce((sum, host) => sum + host.concurrency, 0);
}

/** Live builds that have a host of this platform, or have one launched. */
function holdersIn(pool: StaticPool | LaunchedPool, taskRuns: TaskRuns): UserTaskRun[] {
  const claims = pool.kind === 'dynamic' ? [...taskRuns.by('launchedHosts', pool.platform)] : claimsOn(pool, taskRuns);
  return claims
    .filter((it) => it.kind === 'user')
    .filter(({ outcome, deleting }) => outcome === 'running' && !deleting);
}

function claimsOn(pool: StaticPool | LaunchedPool, taskRuns: TaskRuns): KeptTaskRun[] {
  const { hosts } = pool.kind === 'static' ? pool : asStaticPool(pool, taskRuns);
  return hosts.flatMap(({ name }) => [...taskRuns.by('claims', name)]);
}

function hostSnapshots(pool: StaticPool, options: CollectOptions, now: Instant): HostSnapshot[] {
  const { taskRuns, hasSshSecret, isDraining } = options;
  const sources = { taskRuns, hasSshSecret, isDraining, assumed: () => [] };
  const snapshot = takeSnapshot(pool.platform, { status: 'pool', pool }, sources);
  if (snapshot.status !== 'static') return [];
  const { ofAll, ofAnybody } = new Quarantine(snapshot.hosts, now);
  return snapshot.hosts.map((use) => {
    const free = freeSlots(use);
    const open = isOpen(use) && !ofAll.has(use);
    return {
      host: use.host.name,
      slots: { used: use.taken, free: open ? free : 0, blocked: open ? 0 : free },
      quarantined: ofAnybody.has(use),
    };
  });
}

function countProblems(config: HostConfig | undefined, severity: 'error' | 'warning'): number {
  return config?.problems.filter((problem) => problem.severity === severity).length ?? 0;
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
