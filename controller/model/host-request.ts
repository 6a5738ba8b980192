// A user TaskRun seen as a wish for a host.
import type { Instant } from './instant.ts';
import type { Platform } from './platform.ts';

export interface HostRequest {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly platform: Platform;
  /** Creation of the TaskRun; with namespace and name, its place in the queue. */
  readonly since: Instant;
  /** From annotation `…/priority`: higher ones first, where host-config allows it. 0 for none. */
  readonly priority: number;
  /** From annotation `…/failed-hosts`: not to be chosen again. */
  readonly failedHosts: readonly string[];
  /** What the last of them answered; undefined when that is not known any more. */
  readonly lastFailure?: string;
}
