// What the last launches of a dynamic-pool say about the next one: when it is worth a try, and who need not wait for it.
import type { Instant } from '../model/instant.ts';
import { mostFailedLaunches } from '../model/most-failed-launches.ts';
import { saidBy } from '../model/said-by.ts';
import type { OwnTaskRun } from '../model/task-run.ts';
import { launchPause } from './launch-pause.ts';

export interface LaunchTrouble {
  /** When the newest one failed. */
  readonly failed: Instant;
  /** Nobody tries again before. */
  readonly until: Instant;
  /** Why, in the provider's words. */
  readonly said: string;
  readonly isShortage: boolean;
  /** Trying again helps none of the builds that waited for this one. */
  readonly isFinal: boolean;
}

/** `launches`: TaskRuns that launched, or are to launch, hosts of one pool. Undefined: the newest that ended succeeded. */
export function launchTrouble(launches: readonly OwnTaskRun[]): LaunchTrouble | undefined {
  const ended = launches.filter(({ outcome }) => outcome !== 'running');
  const newestFirst = ended.sort((a, b) => endOf(b) - endOf(a));
  const good = newestFirst.findIndex(({ outcome }) => outcome === 'succeeded');
  const failures = good < 0 ? newestFirst : newestFirst.slice(0, good);
  const [newest] = failures;
  if (newest === undefined) return undefined;
  const failed = endOf(newest);
  const reason = newest.results['REASON'];
  const others = failures.filter(({ results }) => results['REASON'] !== 'InsufficientCapacity');
  return {
    failed,
    until: failed + launchPause(failures.length),
    said: saidBy(newest),
    isShortage: reason === 'InsufficientCapacity',
    isFinal: reason === 'LaunchRefused' || others.length >= mostFailedLaunches,
  };
}

function endOf({ completed, created }: OwnTaskRun): Instant {
  return completed ?? created;
}
