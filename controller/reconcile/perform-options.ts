// What every action of ours goes through: the signature of facts, the cache of our own writes, and who hears that it was done.
import type { ApiError } from '../kubernetes/api-errors.ts';
import type { Cluster } from '../kubernetes/cluster.ts';
import type { Action } from '../model/action.ts';
import type { Clock } from '../model/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { EventRecorder } from './event-recorder.ts';
import type { LeaseKey } from './lease-key.ts';
import { logAction } from './log-action.ts';
import type { PerformOptions } from './perform.ts';
import type { WatchedState } from './watched-state.ts';

export interface PerformParts {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly leaseKey: LeaseKey;
  readonly state: WatchedState;
  readonly events: EventRecorder;
  readonly noteDone: (action: Action) => void;
  /** Counts and logs what went wrong. */
  readonly report: (message: string, error: unknown, fields?: Readonly<Record<string, unknown>>) => void;
}

export function performOptions(parts: PerformParts): PerformOptions {
  const { cluster, clock, logger, metrics, leaseKey, state, events, noteDone, report } = parts;
  return {
    cluster,
    clock,
    taskRuns: state.taskRuns,
    project: state.project,
    leaseKey: leaseKey.secret,
    events,
    onForbidden: (action: Action, error: ApiError) => report('a right is missing', error, { action: action.type }),
    onDone: (action: Action) => {
      if (action.type === 'report-orphan') metrics.countOrphan(action.kind);
      logAction(logger, action);
      noteDone(action);
    },
  };
}
