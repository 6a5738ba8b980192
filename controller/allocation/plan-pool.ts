// The hosts of one dynamic-pool: when another one is launched, which take no new builds any more, and when each is terminated.
// Decides only; a host is known by the TaskRun that launched it.
import type { HostRequest } from '../model/host-request.ts';
import { earliest, type Duration, type Instant } from '../model/instant.ts';
import type { LaunchedPool } from '../model/pool.ts';
import type { OwnTaskRun } from '../model/task-run.ts';
import { freeSlots } from './free-hosts.ts';
import { launchTrouble } from './launch-trouble.ts';
import type { HostUse } from './pool-snapshot.ts';

export interface PooledHost {
  /** The TaskRun that launches, or launched it. */
  readonly launch: OwnTaskRun;
  /** When the launch has taken too long. */
  readonly deadline: Instant;
  /** Undefined: it is not there. */
  readonly use: HostUse | undefined;
  /** What builds left on it is being cleaned up. */
  readonly isBeingCleaned: () => boolean;
}

export interface PoolUse {
  /** Undefined: it is not configured any more. */
  readonly pool: LaunchedPool | undefined;
  readonly hosts: readonly PooledHost[];
  /** Hosts that are there, may be there, or are not known to be gone. */
  readonly taken: number;
  /** Builds for which no host was found so far. */
  readonly waiting: readonly HostRequest[];
  /** Slots by the namespace that holds them. */
  readonly held: ReadonlyMap<string, number>;
  /** Nothing can be launched, or nobody could log in to it. */
  readonly lacksSecret: boolean;
}

export type PoolStep =
  | { readonly type: 'launch'; readonly pool: LaunchedPool }
  | { readonly type: 'cancel'; readonly launch: OwnTaskRun }
  | { readonly type: 'terminate'; readonly launch: OwnTaskRun }
  /** It was terminated; its log is old. */
  | { readonly type: 'forget'; readonly launch: OwnTaskRun };

export interface PoolPlan {
  readonly steps: readonly PoolStep[];
  /** Hosts that take no new builds, by name. */
  readonly closed: ReadonlySet<string>;
  readonly lookAgainAt: Instant | undefined;
}

/** When the provisions of so many builds failed on a host, and none since succeeded, it is not worth keeping. */
const mostFailedBuilds = 3;

/** `keep`: how long a launch that failed is kept for its log. */
export function planPool(use: PoolUse, now: Instant, keep: Duration): PoolPlan {
  const steps: PoolStep[] = [];
  const closed = new Set<string>();
  const times: (Instant | undefined)[] = [];
  const open: HostUse[] = [];
  for (const host of use.hosts) {
    const fate = fateOf(host, use.pool, now, keep);
    if (fate.step !== undefined) steps.push(fate.step);
    if (fate.closed) closed.add(host.launch.host);
    else if (host.use !== undefined) open.push(host.use);
    times.push(fate.until);
  }
  const { count, until } = launchesNow(use, open, now);
  for (let nth = 0; nth < count && use.pool !== undefined; nth += 1) steps.push({ type: 'launch', pool: use.pool });
  return { steps, closed, lookAgainAt: earliest([...times, until]) };
}

interface Fate {
  readonly step?: PoolStep;
  readonly closed?: true;
  readonly until?: Instant;
}

function fateOf(host: PooledHost, pool: LaunchedPool | undefined, now: Instant, keep: Duration): Fate {
  const { launch, use } = host;
  if (launch.cleaned) {
    const until = (launch.completed ?? launch.created) + keep;
    return now < until ? { until } : { step: { type: 'forget', launch } };
  }
  const wanted = pool !== undefined && launch.facts?.claim?.launch?.type === pool.provider.type && !launch.deleting;
  if (launch.outcome === 'running' && !launch.deleting) return fateOfRunning(host, wanted, now);
  if (use === undefined) return { step: { type: 'terminate', launch }, closed: true };
  const oldAt = launch.created + (pool?.maxAge ?? 0);
  if (wanted && now < oldAt && !isWorn(use)) return { until: oldAt };
  const empty = use.taken === 0 && !host.isBeingCleaned();
  return empty ? { step: { type: 'terminate', launch }, closed: true } : { closed: true };
}

function fateOfRunning({ launch, deadline }: PooledHost, wanted: boolean, now: Instant): Fate {
  if (wanted && now < deadline) return { until: deadline };
  return launch.cancelled ? {} : { step: { type: 'cancel', launch } };
}

/** Nobody could be prepared there since it last went well. */
function isWorn({ failures, lastGood }: HostUse): boolean {
  const since = lastGood ?? -Infinity;
  return new Set(failures.filter((it) => it.since > since).map(({ build }) => build)).size >= mostFailedBuilds;
}

/** Enough for all that wait, one host for each `concurrency` of them; never more than there may be. */
function launchesNow(use: PoolUse, open: readonly HostUse[], now: Instant): { count: number; until?: Instant } {
  const { pool, hosts, taken } = use;
  if (pool === undefined || use.lacksSecret) return { count: 0 };
  const running = hosts.filter(({ launch }) => launch.outcome === 'running' && !launch.cancelled && !launch.deleting);
  const missing = slotsMissing(use, pool, open) - running.length * pool.concurrency;
  const count = Math.min(Math.ceil(missing / pool.concurrency), pool.maxInstances - taken);
  if (count <= 0) return { count: 0 };
  const trouble = launchTrouble(hosts.map(({ launch }) => launch));
  if (trouble === undefined) return { count };
  // One at a time finds out whether it is over.
  return now < trouble.until ? { count: 0, until: trouble.until } : { count: running.length > 0 ? 0 : 1 };
}

function slotsMissing({ waiting, held }: PoolUse, { limits }: LaunchedPool, open: readonly HostUse[]): number {
  const counts = new Map(held);
  const free = new Map(open.map((use) => [use.host.name, use.hasSshSecret ? freeSlots(use) : 0]));
  let missing = 0;
  for (const { namespace, failedHosts } of waiting) {
    const holds = counts.get(namespace) ?? 0;
    if (limits.maxPerNamespace !== undefined && holds >= limits.maxPerNamespace) continue;
    counts.set(namespace, holds + 1);
    const found = [...free].find(([name, slots]) => slots > 0 && !failedHosts.includes(name));
    if (found === undefined) missing += 1;
    else free.set(found[0], found[1] - 1);
  }
  return missing;
}
