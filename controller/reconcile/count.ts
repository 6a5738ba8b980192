// Metrics that are counted, not derived: each when the cache first shows what it counts, so that a write whose answer was
// lost counts as well, and one that failed does not.
import { second, type Instant } from '../model/instant.ts';
import type { KeptTaskRun, OwnTaskRun, UserTaskRun } from '../model/task-run.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** To be called with every change of the cache while this process acts. What is new to it was counted before, if ever. */
export function countChange(
  metrics: Metrics,
  before: KeptTaskRun | undefined,
  after: KeptTaskRun | undefined,
  now: Instant,
): void {
  if (before?.kind === 'own') return after?.kind === 'own' ? countEnd(metrics, before, after) : undefined;
  if (before === undefined) return;
  if (after?.kind === 'user') {
    countDecision(metrics, before, after, now);
    // Without the finalizer nothing is held any more; facts that somebody took away are put back.
    if (after.hasFinalizer || after.facts === undefined || after.facts.claim !== undefined) return;
  }
  if (before.facts?.claim === undefined) return;
  const ended = before.ended ?? (after?.kind === 'user' ? after.ended : now);
  // A build that loses its host without having ended has not run: it gets another host, or is refused.
  if (ended !== undefined) metrics.observe('task_run_time', before.platform, (ended - before.created) / second);
}

function countDecision(metrics: Metrics, before: UserTaskRun, after: UserTaskRun, now: Instant): void {
  const { facts, platform } = after;
  if (facts?.rejected !== undefined && before.facts?.rejected === undefined)
    metrics.count('host_allocation_failures', platform);
  const { claim } = facts ?? {};
  if (claim === undefined) return;
  if (isFirstClaim(before, after)) {
    const waited = claim.since - after.created;
    // One that was served at once has not waited. The creation is known to the second.
    if (before.waitingFor !== undefined || waited >= 3 * second)
      metrics.observe('wait_time', platform, waited / second);
    // A host of its own is there only once it was launched.
    if (claim.launch === undefined) metrics.observe('host_allocation_time', platform, (now - claim.since) / second);
  }
  if (before.facts?.claim?.address === '' && claim.address !== '')
    metrics.observe('host_allocation_time', platform, (now - claim.since) / second);
}

/** Not another try after a failed provision, nor facts that are put back: each build counts once. */
function isFirstClaim({ facts, hasFinalizer }: UserTaskRun, after: UserTaskRun): boolean {
  return facts === undefined && !hasFinalizer && after.facts?.attempt === 1;
}

function countEnd(metrics: Metrics, before: OwnTaskRun, after: OwnTaskRun): void {
  if (before.outcome !== 'running' || after.outcome === 'running' || after.cancelled) return;
  const platform = after.facts?.platform;
  if (after.type === 'provision') {
    metrics.count(after.outcome === 'succeeded' ? 'provisioning_successes' : 'provisioning_failures', platform);
  } else if ((after.type === 'clean' || after.type === 'terminate') && after.outcome === 'failed') {
    metrics.count('cleanup_failures', platform);
  }
}
