// What a change of a user TaskRun gets before it is written: its facts signed, and the mark that makes its labels ours. The
// mark comes and goes with the claim it stands for.
import type { KeyObject } from 'node:crypto';
import type { UserTaskRunChange } from '../model/action.ts';
import { hostLabel } from '../model/host-label.ts';
import { labels } from '../model/labels.ts';
import { leaseMark } from './lease-mark.ts';
import { signFacts } from './signed-facts.ts';

export interface SignedChange {
  readonly change: UserTaskRunChange;
  /** Undefined: as they are; null: none. */
  readonly signedFacts: string | null | undefined;
}

export function signChange(key: KeyObject, uid: string, change: UserTaskRunChange): SignedChange {
  const { facts } = change;
  const signedFacts = facts === undefined || facts === null ? facts : signFacts(key, uid, facts);
  const mark = markOf(key, uid, change);
  if (mark === undefined) return { change, signedFacts };
  return { change: { ...change, labels: { ...change.labels, [labels.leaseMark]: mark } }, signedFacts };
}

function markOf(key: KeyObject, uid: string, { facts, finalizer }: UserTaskRunChange): string | null | undefined {
  if (facts === undefined) return finalizer === 'remove' ? null : undefined;
  return facts?.claim === undefined ? null : leaseMark(key, uid, facts.attempt, hostLabel(facts.claim));
}
