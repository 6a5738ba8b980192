// Which TaskRuns of ours belong to no build and to no host, so that nobody else ever removes them.
import type { Duration, Instant } from '../model/instant.ts';
import type { OwnTaskRun } from '../model/task-run.ts';

/** `keep`: how long one that ended is kept for its log. One that runs is let run: Tekton ends it in its time. */
export function isOrphaned(taskRun: OwnTaskRun, now: Instant, keep: Duration): boolean {
  // Those of a build are looked after with the build, also when it is gone; updates with the care of hosts; lists of
  // instances with the sweep that makes them.
  if (taskRun.userUid !== '' || taskRun.type === 'update' || taskRun.type === 'list') return false;
  // So are hosts that serve several builds: launching and terminating them is recorded here and nowhere else.
  if ((taskRun.type === 'launch' || taskRun.type === 'terminate') && taskRun.facts !== undefined) return false;
  if (taskRun.deleting) return taskRun.hasFinalizer;
  return taskRun.outcome !== 'running' && now >= (taskRun.completed ?? taskRun.created) + keep;
}
