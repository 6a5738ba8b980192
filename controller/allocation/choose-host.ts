// Which host of a pool a request gets.
import type { HostRequest } from '../model/host-request.ts';
import type { HostUse } from './pool-snapshot.ts';
import { compareText } from './waiting-order.ts';

/** Hosts this request could ever run on: not tried before, and with a key to log in. */
export function candidates(hosts: readonly HostUse[], request: HostRequest): HostUse[] {
  return hosts.filter((use) => use.hasSshSecret && !request.failedHosts.includes(use.host.name));
}

/** 1. Most free slots. 2. Fewest recent failures. 3. Host name. Undefined: none has a free slot. */
export function chooseHost(hosts: readonly HostUse[], request: HostRequest): HostUse | undefined {
  const free = candidates(hosts, request).filter((use) => !use.cordoned && freeSlots(use) > 0);
  return free.sort(
    (a, b) =>
      freeSlots(b) - freeSlots(a) || a.recentFailures - b.recentFailures || compareText(a.host.name, b.host.name),
  )[0];
}

/** Never negative, also when `concurrency` was lowered below what runs. */
export function freeSlots(use: HostUse): number {
  return Math.max(0, use.host.concurrency - use.taken);
}
