// How long things may take, and how long traces are kept.
import { hour, minute, second, type Duration, type Instant } from '../model/instant.ts';

export interface KeepTimes {
  /** Failed provision and cleanup TaskRuns: their logs are the only trace. */
  readonly failed: Duration;
  /** Update TaskRuns, however they ended. */
  readonly update: Duration;
}

/** What the flags of settings.ts say when they are not given. */
export const defaultKeepTimes: KeepTimes = { failed: hour, update: 24 * hour };

/** After a cancel, a provision TaskRun is awaited this long; then cleanup starts, which locks a late one out on the host. */
export const stopWait: Duration = 30 * second;

/**
 * A launch counts the time from when its pod runs, ends itself in time, and says why; it is cancelled when it did not. Where
 * minutes are given, as for new nodes, its own pod may wait for one, too.
 */
export function launchDeadline(created: Instant, timeout: Duration): Instant {
  return created + timeout + Math.max(Math.min(timeout, 30 * second), timeout / 8);
}

/** Pause before another try of a failed cleanup: 10 s, 30 s, 90 s, … at most half an hour. */
export function cleanupBackoff(failedTry: number): Duration {
  return Math.min(10 * second * 3 ** Math.min(failedTry - 1, 10), 30 * minute);
}

/** A host that is no longer in host-config is given up when its cleanup failed for this long. */
export const cleanupPatience: Duration = 24 * hour;

/** For how long a cleanup was tried when this try failed: the sum of the pauses before it, so nothing has to be stored. */
export function triedFor(failedTry: number): Duration {
  let total = 0;
  for (let earlier = 1; earlier < failedTry; earlier += 1) total += cleanupBackoff(earlier);
  return total;
}
