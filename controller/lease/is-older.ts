// Which of two facts of one lease was written first. Tekton writes annotations as it read them at the start of its look
// at a TaskRun, over newer ones; so facts can go back to what they were. Forward they go by our own hand only.
import type { LeaseFacts } from '../model/host-lease.ts';

export function isOlder(facts: LeaseFacts, than: LeaseFacts): boolean {
  if (facts.attempt !== than.attempt) return facts.attempt < than.attempt;
  if (stageOf(facts) !== stageOf(than)) return stageOf(facts) < stageOf(than);
  if ((facts.retries ?? 0) !== (than.retries ?? 0)) return (facts.retries ?? 0) < (than.retries ?? 0);
  if (than.oneTimeKey === true && facts.oneTimeKey === undefined) return true;
  return knowsHost(than) && !knowsHost(facts);
}

/** Of a launched host, what its launch said. */
function knowsHost({ claim }: LeaseFacts): boolean {
  return claim?.launch?.instanceId !== undefined || (claim?.launch !== undefined && claim.address !== '');
}

/** Within an attempt: claimed, ready, given back, refused, and told why. */
function stageOf({ claim, ready, rejected, untold }: LeaseFacts): number {
  if (rejected !== undefined) return untold === undefined ? 4 : 3;
  if (claim === undefined) return 2;
  return ready ? 1 : 0;
}
