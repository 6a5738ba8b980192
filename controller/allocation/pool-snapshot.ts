// Everything one allocation looks at: a pool and its use, at one instant.
import type { Host } from '../model/host.ts';
import type { Instant } from '../model/instant.ts';
import type { Platform } from '../model/platform.ts';
import type { Pool, PoolLimits } from '../model/pool.ts';
import type { RejectReason, Told, WaitReason } from '../model/reason.ts';

/** A static host and what it is used for, claims not yet confirmed by the watch included. */
export interface HostUse {
  readonly host: Host;
  readonly taken: number;
  /** Failed provisions of late, for the choice between equals. */
  readonly recentFailures: number;
  /** Its ssh Secret exists in the operator namespace and holds a key. */
  readonly hasSshSecret: boolean;
  readonly cordoned: boolean;
}

/** No pool to allocate from: wait until `rejectFrom`, then reject. */
export interface UnusablePool {
  readonly status: 'unusable';
  readonly told: Told<RejectReason & WaitReason>;
  /** Since when it is so: the grace runs from here, or from the request if that is younger. */
  readonly since: Instant;
}

export type PoolSnapshot =
  | { readonly status: 'local'; readonly platform: Platform; readonly limits: PoolLimits }
  | {
      readonly status: 'static';
      readonly platform: Platform;
      readonly limits: PoolLimits;
      readonly hosts: readonly HostUse[];
    }
  | { readonly status: 'unknown'; readonly platform: string; readonly configured: readonly string[] }
  | UnusablePool;

/** The limits of a snapshot that has a pool. */
export function limitsOf(snapshot: PoolSnapshot): Pool['limits'] | undefined {
  return snapshot.status === 'local' || snapshot.status === 'static' ? snapshot.limits : undefined;
}
