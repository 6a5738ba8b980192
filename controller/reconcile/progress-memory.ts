// How far each build came while this process looked on: what a look at the objects alone cannot tell, because Tekton may
// set a TaskRun back to what it was. Forgotten with the last object that could bring it up.
import type { Observed } from '../lease/observed.ts';
import { isUnsigned } from '../lease/read-lease.ts';
import type { KeptTaskRun, OwnTaskRun, UserTaskRun } from '../model/task-run.ts';

type Progress = NonNullable<Observed['seen']>;

export class ProgressMemory {
  readonly #seen = new Map<string, Progress>();
  readonly #isThere: (uid: string) => boolean;

  /** `isThere`: the TaskRun of this uid is in the cache. */
  constructor(isThere: (uid: string) => boolean) {
    this.#isThere = isThere;
  }

  of(uid: string): Progress | undefined {
    return this.#seen.get(uid);
  }

  /** To be called with every change of the cache. `putBack`: this build's facts had been lost. */
  note(before: KeptTaskRun | undefined, after: KeptTaskRun | undefined, putBack: boolean): void {
    if (after === undefined) return this.#noteGone(before);
    if (after.kind === 'own') this.#noteOwn(after);
    else if (before?.kind === 'user' && !putBack) this.#noteClaim(before, after);
  }

  #noteOwn({ type, userUid, attempt }: OwnTaskRun): void {
    if (type === 'provision' && attempt >= this.#attemptOf(userUid))
      this.#seen.set(userUid, { attempt, step: 'provision' });
  }

  /** A new claim, or the same host under a new attempt; not one that was found again. */
  #noteClaim(before: UserTaskRun, { uid, facts }: UserTaskRun): void {
    if (facts?.claim === undefined || facts.ready || isUnsigned(before)) return;
    const { attempt } = facts;
    if (attempt <= Math.max(before.facts?.attempt ?? 0, this.#attemptOf(uid))) return;
    this.#seen.set(uid, { attempt, step: 'claim' });
  }

  #noteGone(gone: KeptTaskRun | undefined): void {
    if (gone?.kind === 'user') this.#seen.delete(gone.uid);
    // It may have outlived its build, and changed since.
    else if (gone !== undefined && !this.#isThere(gone.userUid)) this.#seen.delete(gone.userUid);
  }

  #attemptOf(uid: string): number {
    return this.#seen.get(uid)?.attempt ?? 0;
  }
}
