// Periodic care of static hosts, as configured.
import type { Duration } from './instant.ts';

export interface CareSettings {
  /** Each host is updated once in this time. Undefined: never. */
  readonly updateInterval: Duration | undefined;
  /** For an update a host takes no new builds for this long at most. */
  readonly drainTimeout: Duration;
}
