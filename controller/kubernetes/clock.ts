// Time as this folder needs it: given from outside, so that tests own it. Type only; telemetry/clock.ts has the real one, of the
// same shape, since neither folder imports the other.
import type { Duration, Instant } from '../model/instant.ts';

export interface Clock {
  /** Wall time: may jump. */
  now(): Instant;
  /** Never goes back; stands still while the machine sleeps. */
  monotonic(): Duration;
  /** Resolves after the time, or at once when the signal aborts; never rejects. */
  sleep(duration: Duration, signal?: AbortSignal): Promise<void>;
}
