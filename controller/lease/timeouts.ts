// How long things may take, and how long traces are kept.
import { hour, minute, second, type Duration } from '../model/instant.ts';

export interface KeepTimes {
  /** Failed provision and cleanup TaskRuns: their logs are the only trace. */
  readonly failed: Duration;
}

export const defaultKeepTimes: KeepTimes = { failed: hour };

/** After a cancel, a provision TaskRun is awaited this long; then cleanup starts, which locks a late one out on the host. */
export const stopWait: Duration = 30 * second;

/** Pause before another try of a failed cleanup: 10 s, 20 s, … at most 10 min. */
export function cleanupBackoff(failedTry: number): Duration {
  return Math.min(10 * second * 2 ** Math.min(failedTry - 1, 10), 10 * minute);
}
