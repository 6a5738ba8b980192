// In which phase a lease is, derived from the facts on objects and nothing else.
import type { LeasePhase } from '../model/host-lease.ts';
import type { Instant } from '../model/instant.ts';
import { cleanupsOf, provisionOf, type Observed } from './observed.ts';
import { stopWait } from './timeouts.ts';

export function readPhase(observed: Observed, now: Instant): LeasePhase {
  const { taskRun } = observed;
  if (taskRun === undefined) return 'over';
  const { facts } = taskRun;
  const ended = taskRun.deleting || taskRun.outcome !== 'running';
  if (facts?.claim === undefined) {
    if (ended) return 'over';
    return facts?.rejected === undefined ? 'waiting' : 'rejected';
  }
  const provision = provisionOf(observed, facts.attempt);
  if (ended) return provision?.outcome === 'running' && isWorthAwaiting(observed, now) ? 'stopping' : 'releasing';
  if (facts.ready) return 'ready';
  if (provision === undefined) return 'claimed';
  if (provision.outcome === 'running') return 'provisioning';
  return provision.outcome === 'succeeded' ? 'provisioned' : 'failed';
}

/** A cleanup that exists means the wait is over already. */
function isWorthAwaiting(observed: Observed, now: Instant): boolean {
  const { taskRun } = observed;
  const endedAt = taskRun?.ended ?? now;
  return now < endedAt + stopWait && cleanupsOf(observed, taskRun?.facts?.attempt ?? 0).length === 0;
}
