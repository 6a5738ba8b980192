// Pools to allocate from, and outcomes as short sentences.
import { allocate, type Allocation } from '../../../controller/allocation/allocate.ts';
import type { HostUse, PoolSnapshot } from '../../../controller/allocation/pool-snapshot.ts';
import { assertNever } from '../../../controller/model/assert-never.ts';
import type { HostRequest } from '../../../controller/model/host-request.ts';
import type { PoolLimits } from '../../../controller/model/pool.ts';
import { aHost, platform, start } from '../../support/host-builders.ts';

export const noLimits: PoolLimits = { allowedNamespaces: [], maxWait: undefined };

export function use(name: string, slots: number, changes: Partial<HostUse> = {}): HostUse {
  const host = aHost(name).withSlots(slots).build();
  return { host, taken: 0, recentFailures: 0, hasSshSecret: true, cordoned: false, ...changes };
}

export function pool(hosts: readonly HostUse[], limits: Partial<PoolLimits> = {}): PoolSnapshot {
  return { status: 'static', platform: platform('linux/arm64'), limits: { ...noLimits, ...limits }, hosts };
}

/** `name → host`, `name waits 1`, `name rejected: Reason`. */
export function sentence(allocation: Allocation): string {
  const { name } = allocation.request;
  switch (allocation.outcome) {
    case 'assign':
      return `${name} → ${allocation.host.name}`;
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
