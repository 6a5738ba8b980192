// What undoes a claim: a launched host is terminated, a shared one is cleaned.
import type { TaskRunManifest } from '../model/action.ts';
import type { HostFacts, LeaseFacts } from '../model/host-lease.ts';
import { cleanupTaskRun, type BuildIdentity, type Installation } from './own-task-run-manifest.ts';
import { terminateTaskRun } from './terminate-task-run-manifest.ts';

/** `nth`: 1, 2, …: which try it is. */
export function undoTaskRun(
  build: BuildIdentity,
  facts: LeaseFacts,
  claim: HostFacts,
  nth: number,
  installation: Installation,
): TaskRunManifest {
  const { launch } = claim;
  return launch === undefined
    ? cleanupTaskRun(build, facts, claim, nth, installation)
    : terminateTaskRun(build, facts, { ...claim, launch }, nth, installation);
}
