// Reads one TaskRun again, into the cache: after a write whose fate is unknown.
import { ApiError } from '../kubernetes/api-errors.ts';
import type { Cluster, KubeObject } from '../kubernetes/cluster.ts';
import type { KeptTaskRun, UserTaskRun } from '../model/task-run.ts';
import type { TaskRuns } from './take-snapshot.ts';

export function refreshWith(
  cluster: Cluster,
  project: (raw: KubeObject) => KeptTaskRun | undefined,
  taskRuns: TaskRuns,
): (taskRun: UserTaskRun) => Promise<void> {
  return async ({ namespace, name }) => {
    try {
      const found = project(await cluster.read('taskruns', namespace, name));
      if (found !== undefined) taskRuns.written(found);
    } catch (error) {
      // Gone: the watch will say so, and nothing of the write is left.
      if (!(error instanceof ApiError) || error.kind !== 'gone') throw error;
    }
  };
}
