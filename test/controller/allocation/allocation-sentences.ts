// Pools to allocate from, and outcomes as short sentences.
import { allocate, type Allocation } from '../../../controller/allocation/allocate.ts';
import type {
  FailedProvision,
  HostUse,
  StaticSnapshot,
  PoolSnapshot,
} from '../../../controller/allocation/pool-snapshot.ts';
import { assertNever } from '../../../controller/model/assert-never.ts';
import type { HostRequest } from '../../../controller/model/host-request.ts';
import type { Instant } from '../../../controller/model/instant.ts';
import { noLimits, type PoolLimits } from '../../../controller/model/pool.ts';
import { aHost, platform, start } from '../../support/host-builders.ts';

export function use(name: string, slots: number, changes: Partial<HostUse> = {}): HostUse {
  const host = aHost(name).withSlots(slots).build();
  const open = { hasSshSecret: true, cordoned: false, draining: false };
  return { host, taken: 0, failures: [], lastGood: undefined, ...open, ...changes };
}

/** One failed provision of each of these builds, `namespace/name`, a second apart, the last one at `last`. */
export function failures(builds: readonly string[], last: Instant = start): FailedProvision[] {
  return builds.map((build, index) => {
    const failed = last - (builds.length - 1 - index) * 1000;
    return { build, namespace: build.split('/')[0] ?? '', since: failed - 100, failed };
  });
}

export function pool(
  hosts: readonly HostUse[],
  limits: Partial<PoolLimits> = {},
  held: Readonly<Record<string, number>> = {},
): StaticSnapshot {
  const common = { status: 'static', platform: platform('linux/arm64') } as const;
  return {
    ...common,
    limits: { ...noLimits, ...limits },
    hosts,
    held: new Map(Object.entries(held)),
    lastServed: new Map(),
    missingSecrets: new Map(),
  };
}

/** `name → host`, `name waits 1`, `name rejected: Reason`. */
export function sentence(allocation: Allocation): string {
  const { name } = allocation.request;
  switch (allocation.outcome) {
    case 'assign':
      return `${name} → ${allocation.host.name}`;
    case 'launch':
      return `${name} → a host of its own`;
    case 'assign-local':
      return `${name} → its own pod`;
    case 'wait':
      return `${name} waits ${allocation.position}`;
    case 'reject':
      return `${name} rejected: ${allocation.told.reason}`;
    default:
      return assertNever(allocation);
  }
}

export function outcomes(snapshot: PoolSnapshot, requests: readonly HostRequest[], now = start): string[] {
  return allocate(snapshot, requests, now).map(sentence);
}

export function only(snapshot: PoolSnapshot, request: HostRequest, now = start): Allocation {
  const [allocation] = allocate(snapshot, [request], now);
  if (allocation === undefined) throw new Error('no allocation');
  return allocation;
}

export function messageOf(allocation: Allocation): string {
  return allocation.outcome === 'wait' || allocation.outcome === 'reject' ? allocation.told.message : '';
}
