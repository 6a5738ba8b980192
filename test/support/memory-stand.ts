// What parts of the controller stand on in unit tests: a clock the test moves, a cluster in memory, a cache that follows its
// TaskRuns at once, and perform() on both.
import { Cache } from '../../controller/kubernetes/cache.ts';
import type { Action } from '../../controller/model/action.ts';
import { taskRunIndexes, type TaskRuns } from '../../controller/reconcile/take-snapshot.ts';
import { readBuild, readOwn } from './builders.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryCluster } from './memory-cluster.ts';
import { performOn } from './perform-on.ts';

export class MemoryStand {
  readonly clock = new ManualClock();
  readonly cluster = new MemoryCluster(this.clock);
  /** What went wrong behind the scenes. */
  readonly errors: string[] = [];
  readonly taskRuns: TaskRuns = new Cache({
    index: taskRunIndexes,
    onListenerError: (error) => this.noteError(error),
  });
  readonly perform = performOn(this.cluster, this.clock, {
    taskRuns: this.taskRuns,
    onDone: (action) => this.noteDone(action),
  });

  constructor() {
    this.cluster.watch('taskruns', ({ type, object }) => {
      const kept = readOwn(object) ?? readBuild(object);
      if (kept !== undefined) this.taskRuns[type === 'DELETED' ? 'deleted' : 'applied'](kept);
    });
  }

  noteError(error: unknown): void {
    this.errors.push(String(error));
  }

  /** Every action that was done; for stands that want to know. */
  noteDone(_action: Action): void {}
}
