// Everything one allocation looks at: a pool and its use, at one instant.
import type { Host } from '../model/host.ts';
import type { Instant } from '../model/instant.ts';
import type { Platform } from '../model/platform.ts';
import type { LaunchedPool, Pool, PoolLimits } from '../model/pool.ts';
import type { RejectReason, Told, WaitReason } from '../model/reason.ts';

/** A provision that failed, and whose host may be to blame. */
export interface FailedProvision {
  /** uid of the build it was for. */
  readonly build: string;
  readonly namespace: string;
  /** When the build got the host. */
  readonly since: Instant;
  readonly failed: Instant;
}

/** A host with slots and what it is used for, claims not yet confirmed by the watch included. */
export interface HostUse {
  readonly host: Host;
  readonly taken: number;
  /** As long as they are known; the order does not matter. */
  readonly failures: readonly FailedProvision[];
  /** When the newest of the builds got this host whose provision is known to have succeeded. */
  readonly lastGood: Instant | undefined;
  /** The operator namespace has its ssh Secret, with our label; nobody reads what is in it. */
  readonly hasSshSecret: boolean;
  /** Takes no new builds: host-config says so. */
  readonly cordoned: boolean;
  /** Takes no new builds: it is being emptied for its periodic care or, in a dynamic-pool, before it is terminated. */
  readonly draining: boolean;
}

/** No pool to allocate from: wait for it to be mended, then reject. */
export interface UnusablePool {
  readonly status: 'unusable';
  readonly told: Told<RejectReason & WaitReason>;
  /** Since when it is so: the grace runs from here, or from the request if that is younger. */
  readonly since: Instant;
}

/** Hosts with slots: static ones, or those of a dynamic-pool, which has `launched` as well. */
export interface StaticSnapshot {
  readonly status: 'static';
  readonly platform: Platform;
  readonly limits: PoolLimits;
  readonly hosts: readonly HostUse[];
  /** Slots of this platform by the namespace that holds them. */
  readonly held: ReadonlyMap<string, number>;
  /** When each namespace got its last slot of this platform, as far as that is known. */
  readonly lastServed: ReadonlyMap<string, Instant>;
  /** Since when ssh Secrets of its hosts are known to be missing, by name. */
  readonly missingSecrets: ReadonlyMap<string, Instant>;
  /** More hosts are launched when these are not enough. */
  readonly launched?: MoreHosts;
}

/** What is known of hosts that are not there yet. */
export interface MoreHosts {
  /** Why no slot is free. */
  readonly told: Told<WaitReason>;
  /** Launching is hopeless: what builds are told that are older than the launch that showed it. */
  readonly refused: { readonly told: Told<RejectReason>; readonly failed: Instant } | undefined;
  readonly missingSecret: MissingSecret | undefined;
}

/** Nothing can be launched, or nobody could log in to it. */
export interface MissingSecret {
  readonly told: Told<RejectReason & WaitReason>;
  /** Since when that is known. */
  readonly since: Instant;
}

/** Each build has a host of its own, launched for it. */
export interface LaunchedSnapshot {
  readonly status: 'launched';
  readonly pool: LaunchedPool;
  /** Hosts that are there, may be there, or are not known to be gone. */
  readonly taken: number;
  /** Of those, hosts whose launch has not ended. */
  readonly launching: number;
  /** Launches that ended, as long as they are known; the order does not matter. */
  readonly launches: readonly EndedLaunch[];
  readonly held: ReadonlyMap<string, number>;
  readonly lastServed: ReadonlyMap<string, Instant>;
  readonly missingSecret: MissingSecret | undefined;
}

export interface EndedLaunch {
  readonly ended: Instant;
  /** The provider was out of capacity: what it said. */
  readonly shortage: string | undefined;
}

export type PoolSnapshot =
  | StaticSnapshot
  | LaunchedSnapshot
  | { readonly status: 'local'; readonly platform: Platform; readonly limits: PoolLimits }
  | { readonly status: 'unknown'; readonly platform: string; readonly configured: readonly string[] }
  | UnusablePool;

/** The limits of a snapshot that has a pool. */
export function limitsOf(snapshot: PoolSnapshot): Pool['limits'] | undefined {
  if (snapshot.status === 'launched') return snapshot.pool.limits;
  return snapshot.status === 'local' || snapshot.status === 'static' ? snapshot.limits : undefined;
}
