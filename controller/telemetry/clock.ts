// The system's time, behind a shape that tests replace. Decides nothing; pure folders take an Instant instead.
import { setTimeout as delay } from 'node:timers/promises';
import type { Duration, Instant } from '../model/instant.ts';

export interface Clock {
  /** Wall time: may jump. */
  now(): Instant;
  /** Never goes back; stands still while the machine sleeps. */
  monotonic(): Duration;
  /** Resolves after the time, or at once when the signal aborts; never rejects. */
  sleep(duration: Duration, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (duration, signal) => {
    // Rejects only on abort, which is an end of the sleep like the other.
    await delay(duration, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  },
};
