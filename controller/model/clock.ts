// Time, given from outside, so that tests own it; `telemetry/clock.ts` has the real one. Decides nothing.
import type { Duration, Instant } from './instant.ts';

export interface Clock {
  /** Wall time: may jump. */
  now(): Instant;
  /** Never goes back; stands still while the machine sleeps. */
  monotonic(): Duration;
  /** Resolves after the time, or at once when the signal aborts; never rejects. */
  sleep(duration: Duration, signal?: AbortSignal): Promise<void>;
}
