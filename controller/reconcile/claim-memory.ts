// Claims that somebody else took away: facts stripped from a TaskRun, or our finalizer removed and the TaskRun gone.
// Remembers how each build with a claim was last seen, so that its host is released all the same.
import type { KeptTaskRun, UserTaskRun } from '../model/task-run.ts';
import { staticHostOf } from './take-snapshot.ts';

export class ClaimMemory {
  readonly #lost = new Map<string, UserTaskRun>();

  /** To be called with every change of the cache. Our own releases leave facts without a claim: those are no loss. */
  note(before: KeptTaskRun | undefined, after: KeptTaskRun | undefined): void {
    if (after?.kind === 'user' && after.facts !== undefined) this.#lost.delete(after.uid);
    if (before?.kind !== 'user' || staticHostOf(before) === undefined) return;
    if (after === undefined || (after.kind === 'user' && after.facts === undefined)) this.#lost.set(before.uid, before);
  }

  /** The build as it was when it still had its claim; undefined: nothing was lost. */
  lost(uid: string): UserTaskRun | undefined {
    return this.#lost.get(uid);
  }

  forget(uid: string): void {
    this.#lost.delete(uid);
  }
}
