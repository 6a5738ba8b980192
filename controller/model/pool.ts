// A pool: the hosts and limits behind one platform, as configured.
import type { Host } from './host.ts';
import type { Duration } from './instant.ts';
import type { Platform } from './platform.ts';

/** Limits that hold for a platform whatever kind its pool is. */
export interface PoolLimits {
  /** Lists of patterns; a namespace must match one of each list. No list: every namespace. */
  readonly allowedNamespaces: readonly (readonly RegExp[])[];
  /** A build that waited longer is rejected. Undefined: waits without end. */
  readonly maxWait: Duration | undefined;
}

/** The build runs in its own pod, in the cluster. */
export interface LocalPool {
  readonly kind: 'local';
  readonly platform: Platform;
  readonly limits: PoolLimits;
}

/** Long-lived hosts named in host-config. */
export interface StaticPool {
  readonly kind: 'static';
  readonly platform: Platform;
  readonly hosts: readonly Host[];
  /** Names of hosts that take no new builds. */
  readonly cordoned: ReadonlySet<string>;
  readonly limits: PoolLimits;
}

export type Pool = LocalPool | StaticPool;
