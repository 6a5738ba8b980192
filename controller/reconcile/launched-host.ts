// What TaskRuns tell about hosts that were launched, for one build or for several.
import type { KeptTaskRun, OwnTaskRun } from '../model/task-run.ts';

/** The launched host that may be there because of this TaskRun; undefined: none, or it is known to be gone. */
export function launchedHostOf(taskRun: KeptTaskRun): string | undefined {
  const { claim } = taskRun.facts ?? {};
  if (claim?.provider !== 'dynamic') return undefined;
  if (taskRun.kind === 'user') return claim.host;
  const isGone = taskRun.cleaned || (taskRun.type === 'terminate' && taskRun.outcome === 'succeeded');
  // One that was lost is made again, under the same token.
  // A host of several builds is not made again: its launch stays on the record until somebody terminates it.
  const isLost = taskRun.type === 'launch' && taskRun.deleting && !taskRun.hasFinalizer;
  return isGone || isLost ? undefined : claim.host;
}

/** Cancelled ones say nothing about the provider. */
export function hasLaunched({ type, outcome, cancelled }: OwnTaskRun): boolean {
  return type === 'launch' && outcome !== 'running' && !cancelled;
}
