// perform() on a cluster in memory, for tests that look at what it does there.
import type { Clock } from '../../controller/model/clock.ts';
import { EventRecorder } from '../../controller/reconcile/event-recorder.ts';
import { performWith, type Perform, type PerformOptions } from '../../controller/reconcile/perform.ts';
import { readBuild, readOwn, testKey } from './builders.ts';
import type { MemoryCluster } from './memory-cluster.ts';

/** A right that is missing is a failure, where a test says nothing else. */
export function performOn(
  cluster: MemoryCluster,
  clock: Clock,
  options: Pick<PerformOptions, 'taskRuns'> & Partial<PerformOptions>,
): Perform {
  return performWith({
    cluster,
    clock,
    project: (raw) => readOwn(raw) ?? readBuild(raw),
    leaseKey: testKey,
    events: new EventRecorder(cluster, clock, () => undefined),
    onForbidden: (_action, error) => {
      throw error;
    },
    onDone: () => undefined,
    ...options,
  });
}
