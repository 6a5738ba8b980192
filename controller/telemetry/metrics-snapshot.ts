// What the controller knows at the instant of a scrape, as plain data. Filled by the caller, turned into gauges here.
import type { Platform } from '../model/platform.ts';

/** What a slot is doing: `blocked` ones are free, on a host that takes no new builds (cordoned, draining, quarantined, no Secret). */
type SlotState = 'used' | 'free' | 'blocked';

export interface HostSnapshot {
  readonly host: string;
  readonly slots: Readonly<Record<SlotState, number>>;
  readonly quarantined: boolean;
}

export interface PlatformSnapshot {
  readonly platform: Platform;
  /** Sum of `concurrency`, or `max-instances`. */
  readonly poolSize: number;
  /** Builds by namespace. A namespace without any may be left out. */
  readonly running: Readonly<Record<string, number>>;
  readonly waiting: Readonly<Record<string, number>>;
  /** Seconds the oldest waiting build has waited; 0 when none waits. */
  readonly oldestWaiting: number;
  readonly hosts: readonly HostSnapshot[];
}

export interface MetricsSnapshot {
  /** Only the leader exports its platforms: two replicas would double every sum. */
  readonly leader: boolean;
  /** Problems of the host-config as it stands, by severity. */
  readonly configProblems: Readonly<Record<'error' | 'warning', number>>;
  /** Every configured platform that has hosts; those that run in the cluster itself are left out. */
  readonly platforms: readonly PlatformSnapshot[];
}
