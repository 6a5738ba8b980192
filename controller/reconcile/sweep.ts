// The periodic look-again: whatever an event missed is found here. Also settles own writes the watch never showed.
import { ApiError } from '../kubernetes/api-errors.ts';
import type { Unsettled } from '../kubernetes/cache.ts';
import type { Cluster, KubeObject } from '../kubernetes/cluster.ts';
import type { KeptTaskRun } from '../model/task-run.ts';
import { buildKey, platformKey, type Key } from './doorbells.ts';
import { isWaiting, type TaskRuns } from './take-snapshot.ts';

export interface SweepOptions {
  readonly cluster: Cluster;
  readonly taskRuns: TaskRuns;
  readonly project: (raw: KubeObject) => KeptTaskRun | undefined;
  readonly add: (key: Key) => void;
}

export class Sweep {
  readonly #options: SweepOptions;
  /** Writes that were not confirmed at the last sweep. */
  #doubtful: ReadonlySet<Unsettled> = new Set();

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  /** Enqueues everything there is. Called after a start, and then every minute. */
  enqueueAll(): void {
    for (const taskRun of this.#options.taskRuns.values()) {
      this.#options.add(buildKey(taskRun.kind === 'own' ? taskRun.userUid : taskRun.uid));
      if (taskRun.kind === 'user' && isWaiting(taskRun)) this.#options.add(platformKey(taskRun.platform ?? ''));
    }
  }

  async run(): Promise<void> {
    this.enqueueAll();
    const unsettled = this.#options.taskRuns.unsettled();
    for (const write of unsettled) if (this.#doubtful.has(write)) await this.#settle(write);
    this.#doubtful = new Set(unsettled);
  }

  /** A write the watch did not show for a whole sweep, as after a list that overtook it: the API server knows. */
  async #settle(write: Unsettled): Promise<void> {
    const { cluster, taskRuns, project } = this.#options;
    try {
      const found = await cluster.read('taskruns', write.namespace, write.name);
      taskRuns.confirmed(write, found.metadata.uid === write.uid ? project(found) : undefined);
    } catch (error) {
      if (!(error instanceof ApiError) || error.kind !== 'gone') throw error;
      taskRuns.confirmed(write, undefined);
    }
  }
}
