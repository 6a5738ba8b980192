// The system's time. Decides nothing; pure folders take an Instant instead.
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../model/clock.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (duration, signal) => {
    // Rejects only on abort, which is an end of the sleep like the other.
    await delay(duration, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  },
};
