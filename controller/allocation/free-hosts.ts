// Hosts with free slots while one allocation goes on, best first. Keeps count of what was given away; who may have which
// is for the caller.
import type { Host } from '../model/host.ts';
import type { Instant } from '../model/instant.ts';
import { SortedList } from '../model/sorted-list.ts';
import type { HostUse } from './pool-snapshot.ts';
import { failureMemory } from './quarantine.ts';
import { compareText } from './waiting-order.ts';

interface FreeHost {
  readonly use: HostUse;
  readonly recentFailures: number;
  free: number;
}

export class FreeHosts {
  readonly #hosts: SortedList<FreeHost>;

  /** Hosts that take no new builds are left out. */
  constructor(hosts: readonly HostUse[], now: Instant) {
    const free = hosts.flatMap((use): FreeHost[] =>
      isOpen(use) && freeSlots(use) > 0
        ? [{ use, recentFailures: recentFailures(use, now), free: freeSlots(use) }]
        : [],
    );
    this.#hosts = new SortedList(compareHosts, free);
  }

  /** Gives away a slot of the best host that will do; undefined: none will. */
  take(willDo: (use: HostUse) => boolean): Host | undefined {
    for (const host of this.#hosts) {
      if (!willDo(host.use)) continue;
      this.#hosts.remove(host);
      host.free -= 1;
      if (host.free > 0) this.#hosts.add(host);
      return host.use.host;
    }
    return undefined;
  }
}

/** Never negative, also when `concurrency` was lowered below what runs. */
export function freeSlots(use: HostUse): number {
  return Math.max(0, use.host.concurrency - use.taken);
}

/** Takes new builds, as far as its configuration goes. */
export function isOpen({ hasSshSecret, cordoned, draining }: HostUse): boolean {
  return hasSshSecret && !cordoned && !draining;
}

/** 1. Most free slots. 2. Fewest recent failures. 3. Host name. */
function compareHosts(a: FreeHost, b: FreeHost): number {
  return b.free - a.free || a.recentFailures - b.recentFailures || compareText(a.use.host.name, b.use.host.name);
}

/** One for each build: a build can be sent to the host again and again. */
function recentFailures({ failures }: HostUse, now: Instant): number {
  if (failures.length === 0) return 0;
  return new Set(failures.filter(({ failed }) => now - failed < failureMemory).map(({ build }) => build)).size;
}
