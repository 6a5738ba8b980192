// Who gets which host: one call per platform, many requests, one pool, one instant. Decides only; writes nothing.
// The cost grows with the requests and hardly with the hosts: thousands may wait for one platform.
import { configGrace } from '../model/config-grace.ts';
import type { Host } from '../model/host.ts';
import type { HostRequest } from '../model/host-request.ts';
import type { Instant } from '../model/instant.ts';
import { allowsNamespace, noLimits, type LaunchedPool, type PoolLimits } from '../model/pool.ts';
import type { RejectReason, Told, WaitReason } from '../model/reason.ts';
import { allocateLaunched } from './allocate-launched.ts';
import { allocateStatic } from './allocate-static.ts';
import { limitsOf, type PoolSnapshot, type UnusablePool } from './pool-snapshot.ts';
import { namespaceNotAllowed, unknownPlatform } from './told-reasons.ts';
import { WaitingQueue, type Shares } from './waiting-queue.ts';

/** What becomes of one request. */
export type Allocation =
  | { readonly outcome: 'assign'; readonly request: HostRequest; readonly host: Host }
  | { readonly outcome: 'launch'; readonly request: HostRequest; readonly pool: LaunchedPool }
  | { readonly outcome: 'assign-local'; readonly request: HostRequest }
  | WaitAllocation
  | { readonly outcome: 'reject'; readonly request: HostRequest; readonly told: Told<RejectReason> };

export interface WaitAllocation {
  readonly outcome: 'wait';
  readonly request: HostRequest;
  readonly told: Told<WaitReason>;
  /** 1, 2, …: its place among those that wait. */
  readonly position: number;
  /** When something changes although nothing happens. */
  readonly until: Instant | undefined;
}

/** An allocation whose place in the queue is not known yet. */
export type Decision = Exclude<Allocation, WaitAllocation> | Omit<WaitAllocation, 'position'>;

/** Returns one allocation per request, in queue order. Hosts given away here count as taken for those that follow. */
export function allocate(pool: PoolSnapshot, waiting: readonly HostRequest[], now: Instant): Allocation[] {
  const limits = limitsOf(pool) ?? noLimits;
  const shares = {
    held: new Map('held' in pool ? pool.held : []),
    lastServed: new Map('lastServed' in pool ? pool.lastServed : []),
  };
  const queue = new WaitingQueue(waiting, limits, shares);
  const isAllowed = allowedNamespaces(pool);
  const decide = deciderFor(pool, shares.held, now);
  const decisions: Decision[] = [];
  for (let request = queue.next(); request !== undefined; request = queue.next()) {
    const allowed = pool.status === 'unusable' || pool.status === 'unknown' || isAllowed(request.namespace);
    const decision = allowed
      ? decide(request)
      : ({ outcome: 'reject', request, told: namespaceNotAllowed(request) } as const);
    if (decision.outcome === 'assign' || decision.outcome === 'launch') {
      queue.served();
      // One after the other.
      shares.lastServed.set(request.namespace, now + decisions.length);
    }
    decisions.push(decision);
  }
  const positions = limits.fairShare ? positionsByTurn(decisions, limits, shares) : undefined;
  let position = 0;
  return decisions.map((decision) => {
    if (decision.outcome !== 'wait') return decision;
    position += 1;
    const { outcome, request, told, until } = decision;
    return { outcome, request, told, position: positions?.get(request) ?? position, until };
  });
}

/** Places are counted as if every one in the queue got a slot when its turn comes. */
function positionsByTurn(decisions: readonly Decision[], limits: PoolLimits, shares: Shares): Map<HostRequest, number> {
  const waiting = decisions.flatMap(({ outcome, request }) => (outcome === 'wait' ? [request] : []));
  const queue = new WaitingQueue(waiting, limits, shares);
  const positions = new Map<HostRequest, number>();
  for (let request = queue.next(); request !== undefined; request = queue.next()) {
    queue.served();
    positions.set(request, positions.size + 1);
  }
  return positions;
}

function deciderFor(pool: PoolSnapshot, held: Map<string, number>, now: Instant): (request: HostRequest) => Decision {
  if (pool.status === 'static') return allocateStatic(pool, held, now);
  return pool.status === 'launched' ? allocateLaunched(pool, held, now) : decideWithoutHosts(pool, now);
}

type PoolWithoutHosts = Exclude<PoolSnapshot, { readonly status: 'static' | 'launched' }>;

function decideWithoutHosts(pool: PoolWithoutHosts, now: Instant): (request: HostRequest) => Decision {
  if (pool.status === 'local') return (request) => ({ outcome: 'assign-local', request });
  if (pool.status === 'unusable') return (request) => waitThenReject(pool, request, now);
  const told = unknownPlatform(pool.platform, pool.configured);
  return (request) => ({ outcome: 'reject', request, told });
}

function waitThenReject(pool: UnusablePool, request: HostRequest, now: Instant): Decision {
  const until = Math.max(pool.since, request.since) + configGrace;
  return now >= until
    ? { outcome: 'reject', request, told: pool.told }
    : { outcome: 'wait', request, told: pool.told, until };
}

/** Each namespace is matched once, however many builds it has. */
function allowedNamespaces(pool: PoolSnapshot): (namespace: string) => boolean {
  const limits = limitsOf(pool) ?? noLimits;
  const known = new Map<string, boolean>();
  return (namespace) => {
    const allowed = known.get(namespace) ?? allowsNamespace(limits, namespace);
    known.set(namespace, allowed);
    return allowed;
  };
}
