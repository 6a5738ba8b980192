// The cache of TaskRuns as a drain shows it to whoever releases builds: from a given time on every build has ended, whatever
// it really does. So a drain has no way of its own to release a host.
import type { Instant } from '../model/instant.ts';
import type { KeptTaskRun } from '../model/task-run.ts';
import type { TaskRuns } from './take-snapshot.ts';

type Readable = Pick<TaskRuns, 'byUid' | 'get' | 'by'>;

export class DrainView implements Readable {
  readonly #taskRuns: Readable;
  #endedAt: Instant | undefined;

  constructor(taskRuns: Readable) {
    this.#taskRuns = taskRuns;
  }

  /** From now on. */
  endBuilds(now: Instant): void {
    this.#endedAt ??= now;
  }

  byUid(uid: string): KeptTaskRun | undefined {
    return this.#shown(this.#taskRuns.byUid(uid));
  }

  get(namespace: string, name: string): KeptTaskRun | undefined {
    return this.#shown(this.#taskRuns.get(namespace, name));
  }

  /** Only TaskRuns of ours are looked for this way, and they are shown as they are. */
  by(...index: Parameters<Readable['by']>): Iterable<KeptTaskRun> {
    return this.#taskRuns.by(...index);
  }

  #shown(taskRun: KeptTaskRun | undefined): KeptTaskRun | undefined {
    if (this.#endedAt === undefined || taskRun?.kind !== 'user') return taskRun;
    return { ...taskRun, deleting: true, ended: taskRun.ended ?? this.#endedAt };
  }
}
