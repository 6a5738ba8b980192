// What TaskRuns tell about hosts that were launched, for one build or for several.
import type { KeptTaskRun, OwnTaskRun } from '../model/task-run.ts';

/** The launched host that may be there because of this TaskRun; undefined: none, or it is known to be gone. */
export function launchedHostOf(taskRun: KeptTaskRun): string | undefined {
  const { claim } = taskRun.facts ?? {};
  if (claim?.provider !== 'dynamic') return undefined;
  if (taskRun.kind === 'user') return claim.host;
  const isGone = taskRun.cleaned || (taskRun.type === 'terminate' && taskRun.outcome === 'succeeded');
  // The lost launch of a host for one build is made again, under the same token. That of a host for several is not: its
  // finalizer keeps it on the record until the host is terminated.
  const isLost = taskRun.type === 'launch' && taskRun.deleting && !taskRun.hasFinalizer;
  return isGone || isLost ? undefined : claim.host;
}

/** Cancelled ones say nothing about the provider. */
export function hasLaunched({ type, outcome, cancelled }: OwnTaskRun): boolean {
  return type === 'launch' && outcome !== 'running' && !cancelled;
}
