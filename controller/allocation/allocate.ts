// Who gets which host: one call per platform, many requests, one pool, one instant. Decides only; writes nothing.
import type { Host } from '../model/host.ts';
import type { HostRequest } from '../model/host-request.ts';
import { second, type Duration, type Instant } from '../model/instant.ts';
import type { RejectReason, Told, WaitReason } from '../model/reason.ts';
import { candidates, chooseHost } from './choose-host.ts';
import { limitsOf, type HostUse, type PoolSnapshot, type UnusablePool } from './pool-snapshot.ts';
import { compareRequests } from './waiting-order.ts';

/** What becomes of one request. */
export type Allocation =
  | { readonly outcome: 'assign'; readonly request: HostRequest; readonly host: Host }
  | { readonly outcome: 'assign-local'; readonly request: HostRequest }
  | {
      readonly outcome: 'wait';
      readonly request: HostRequest;
      readonly told: Told<WaitReason>;
      readonly position: number;
      readonly until: Instant | undefined;
    }
  | { readonly outcome: 'reject'; readonly request: HostRequest; readonly told: Told<RejectReason> };

/** How long a build waits for a broken config to be mended before it is refused: a GitOps sync takes seconds. */
export const configGrace: Duration = 15 * second;

/** Returns one allocation per request, in queue order. Hosts given away here count as taken for those that follow. */
export function allocate(pool: PoolSnapshot, waiting: readonly HostRequest[], now: Instant): Allocation[] {
  const taken = new Map<Host, number>();
  let position = 0;
  return [...waiting].sort(compareRequests).map((request) => {
    const allocation = allocateOne(withTaken(pool, taken), request, now, position + 1);
    if (allocation.outcome === 'assign') taken.set(allocation.host, (taken.get(allocation.host) ?? 0) + 1);
    if (allocation.outcome === 'wait') position += 1;
    return allocation;
  });
}

function withTaken(pool: PoolSnapshot, taken: ReadonlyMap<Host, number>): PoolSnapshot {
  if (pool.status !== 'static' || taken.size === 0) return pool;
  return { ...pool, hosts: pool.hosts.map((use) => ({ ...use, taken: use.taken + (taken.get(use.host) ?? 0) })) };
}

function allocateOne(pool: PoolSnapshot, request: HostRequest, now: Instant, position: number): Allocation {
  const reject = (told: Told<RejectReason>): Allocation => ({ outcome: 'reject', request, told });
  const wait = (told: Told<WaitReason>, until: Instant | undefined): Allocation => ({
    outcome: 'wait',
    request,
    told,
    position,
    until,
  });

  if (pool.status === 'unknown') return reject(unknownPlatform(pool.platform, pool.configured));
  if (pool.status === 'unusable') return waitThenReject(pool, request, now, wait, reject);
  if (!isAllowed(pool, request)) return reject(namespaceNotAllowed(request));
  if (pool.status === 'local') return { outcome: 'assign-local', request };

  if (candidates(pool.hosts, request).length === 0) return reject(nobodyLeft(pool.hosts, request));
  const chosen = chooseHost(pool.hosts, request);
  if (chosen !== undefined) return { outcome: 'assign', request, host: chosen.host };

  const deadline = pool.limits.maxWait === undefined ? undefined : request.since + pool.limits.maxWait;
  return deadline !== undefined && now >= deadline
    ? reject(waitedTooLong(request, now))
    : wait(allBusy(pool.hosts), deadline);
}

function waitThenReject(
  pool: UnusablePool,
  request: HostRequest,
  now: Instant,
  wait: (told: Told<WaitReason>, until: Instant) => Allocation,
  reject: (told: Told<RejectReason>) => Allocation,
): Allocation {
  const deadline = Math.max(pool.since, request.since) + configGrace;
  return now >= deadline ? reject(pool.told) : wait(pool.told, deadline);
}

function isAllowed(pool: PoolSnapshot, request: HostRequest): boolean {
  return (limitsOf(pool)?.allowedNamespaces ?? []).every((patterns) =>
    patterns.some((pattern) => pattern.test(request.namespace)),
  );
}

function unknownPlatform(platform: string, configured: readonly string[]): Told<RejectReason> {
  const choice = configured.length === 0 ? 'none is configured' : `configured are ${configured.join(', ')}`;
  const remedy = `ask an administrator to add hosts for it to host-config, or choose another PLATFORM (${choice})`;
  return {
    reason: 'PlatformUnknown',
    message: `Error allocating host: no hosts configured for platform ${platform}: ${remedy}`,
  };
}

function namespaceNotAllowed({ namespace }: HostRequest): Told<RejectReason> {
  const message =
    `namespace ${namespace} does not match any namespace defined in allowed namespaces, ` +
    'ask an administrator to enable multi platform builds for your namespace';
  return { reason: 'NamespaceNotAllowed', message };
}

function nobodyLeft(hosts: readonly HostUse[], request: HostRequest): Told<RejectReason> {
  const untried = hosts.filter((use) => !request.failedHosts.includes(use.host.name));
  if (untried.length > 0) {
    const secrets = [...new Set(untried.map((use) => use.host.secret))].join(', ');
    const remedy = `ask an administrator to create Secret ${secrets} with key id_rsa and the label build.appstudio.redhat.com/multi-platform-secret in the operator namespace`;
    return {
      reason: 'SshSecretMissing',
      message: `failed to get SSH secret, system may not be configured correctly: ${remedy}`,
    };
  }
  const remedy = 'run the build again; if it fails again, ask an administrator to look at these hosts';
  const why = request.lastFailure === undefined ? '' : ` (last: ${request.lastFailure})`;
  const failed = `all available hosts for the platform have failed: ${request.failedHosts.join(',')}`;
  const message = `Error allocating host: ${failed}${why}: ${remedy}`;
  return { reason: 'AllHostsFailed', message };
}

function waitedTooLong(request: HostRequest, now: Instant): Told<RejectReason> {
  const minutes = Math.round((now - request.since) / (60 * second));
  const message = `Error allocating host: no host for platform ${request.platform} became free in ${minutes} min: run the build again later`;
  return { reason: 'WaitedTooLong', message };
}

function allBusy(hosts: readonly HostUse[]): Told<WaitReason> {
  const slots = hosts.reduce((sum, use) => sum + use.host.concurrency, 0);
  const cordoned = hosts.some((use) => use.cordoned) ? ' or on cordoned hosts' : '';
  return { reason: 'NoFreeSlot', message: `all ${slots} slots of the platform are taken${cordoned}` };
}
