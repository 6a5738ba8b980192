// Metrics that are counted, not derived: each only after what it counts was committed.
import type { Action } from '../model/action.ts';
import type { LeaseFacts } from '../model/host-lease.ts';
import { second, type Instant } from '../model/instant.ts';
import type { KeptTaskRun, UserTaskRun } from '../model/task-run.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** To be called after every write that succeeded. */
export function countDone(metrics: Metrics, action: Action, now: Instant): void {
  if (action.type === 'report-orphan') return metrics.countOrphan(action.kind);
  if (action.type !== 'patch-user-task-run') return;
  const { target, change } = action;
  const after = change.facts ?? undefined;
  const before = target.facts;
  if (after?.rejected !== undefined && before?.rejected === undefined) {
    metrics.count('host_allocation_failures', target.platform);
  }
  if (after?.claim !== undefined && isFirstClaim(target, after)) {
    const waited = after.claim.since - target.created;
    // One that was served at once has not waited. The creation is known to the second.
    if (target.waitingFor !== undefined || waited >= 3 * second)
      metrics.observe('wait_time', target.platform, waited / second);
    // A host of its own is there only once it was launched.
    if (after.claim.launch === undefined)
      metrics.observe('host_allocation_time', target.platform, (now - after.claim.since) / second);
  }
  if (before?.claim?.address === '' && (after?.claim?.address ?? '') !== '')
    metrics.observe('host_allocation_time', target.platform, (now - before.claim.since) / second);
  // A build that loses its host without having ended has not run: it gets another host, or is refused.
  if (before?.claim !== undefined && after?.claim === undefined && target.ended !== undefined) {
    metrics.observe('task_run_time', target.platform, (target.ended - target.created) / second);
  }
}

/** Not another try after a failed provision, nor facts that are put back: each build counts once. */
function isFirstClaim({ facts, hasFinalizer }: UserTaskRun, after: LeaseFacts): boolean {
  return facts === undefined && !hasFinalizer && after.attempt === 1;
}

/** To be called with every change of the cache: a TaskRun of ours that ended counts once, when it is seen to end. */
export function countEnded(metrics: Metrics, before: KeptTaskRun | undefined, after: KeptTaskRun | undefined): void {
  if (after?.kind !== 'own' || before?.outcome !== 'running' || after.outcome === 'running' || after.cancelled) return;
  const platform = after.facts?.platform;
  if (after.type === 'provision') {
    metrics.count(after.outcome === 'succeeded' ? 'provisioning_successes' : 'provisioning_failures', platform);
  } else if ((after.type === 'clean' || after.type === 'terminate') && after.outcome === 'failed') {
    metrics.count('cleanup_failures', platform);
  }
}
