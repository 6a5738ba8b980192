// The queue of looks: which part looks at a key, and how long a key that could not be looked at waits.
import { ApiError } from '../kubernetes/api-errors.ts';
import type { Clock } from '../model/clock.ts';
import type { Duration, Instant } from '../model/instant.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Key } from './doorbells.ts';
import { defaultPause, WorkQueue } from './work-queue.ts';

export interface LookQueueOptions {
  readonly lookAtPlatform: (platform: string) => Instant | undefined;
  readonly lookAtBuild: (uid: string) => Promise<Instant | undefined>;
  readonly workers: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Counts and logs what went wrong. */
  readonly report: (message: string, error: unknown, fields: Readonly<Record<string, unknown>>) => void;
}

/** A stale view is put right by the watch within a moment. */
const conflictPause = 50;

export function newLookQueue(options: LookQueueOptions): WorkQueue<Key> {
  const { lookAtPlatform, lookAtBuild, workers, clock, logger, report } = options;
  return new WorkQueue<Key>({
    look: async (key) => {
      const [kind = '', ...rest] = key.split(':');
      const name = rest.join(':');
      return kind === 'platform' ? lookAtPlatform(name) : lookAtBuild(name);
    },
    workers,
    clock,
    pauseAfter,
    onError: (key, error, pause) => {
      const conflict = error instanceof ApiError && error.kind === 'conflict';
      if (conflict) logger.debug('the view was stale, looking again', { look: key });
      else report('a look failed, trying again', error, { look: key, pauseSeconds: pause / 1000 });
    },
  });
}

function pauseAfter(error: unknown, nth: number): Duration {
  if (error instanceof ApiError && error.kind === 'conflict') return Math.min(conflictPause * nth, 1000);
  if (error instanceof ApiError && error.retryAfter !== undefined) return error.retryAfter;
  return defaultPause(error, nth);
}
