// The facts of a build that lost them, from TaskRuns of ours that work for it: those are in our own namespace, so they are
// believed. The newest of them tells where the build stands.
import type { LeaseFacts } from '../model/host-lease.ts';
import { hasFacts, highestAttempt, isHandedOver, leaseOf, type Observed } from './observed.ts';

/** Undefined: nobody ever worked for it, or all is cleaned up and gone. */
export function recoverFacts(observed: Observed): LeaseFacts | undefined {
  const attempt = highestAttempt(observed);
  const newest = observed.children.filter(hasFacts).filter((child) => child.attempt === attempt);
  const [first] = newest;
  if (first === undefined) return undefined;
  const platform = observed.taskRun?.platform ?? first.facts.platform;
  // Of a launched host the provision TaskRun knows more than the launch TaskRun.
  const inOrder = [...newest].sort((a, b) => rankOf(a) - rankOf(b));
  const held = inOrder.find((child) => !isHandedOver(observed, leaseOf(child)));
  // What is being cleaned up was given back.
  const failed = Math.max(...newest.map(({ facts }) => facts.failedLaunches ?? 0));
  const over: LeaseFacts = {
    attempt: first.attempt,
    platform,
    ...(failed === 0 ? {} : { failedLaunches: failed }),
    ...(newest.some(({ facts }) => facts.lost) ? { lost: true } : {}),
  };
  if (held?.facts.claim === undefined) return over;
  const { claim } = held.facts;
  // An older cleanup says the address only, its build's label the name.
  const name = held.host === '' ? observed.taskRun?.assignedHost : undefined;
  return { ...over, claim: name === undefined ? claim : { ...claim, host: name } };
}

function rankOf({ type }: { readonly type: string }): number {
  return type === 'launch' ? 1 : 0;
}
