// How far each build came while this process looked on: what a look at the objects alone cannot tell, because Tekton may
// set a TaskRun back to what it was. Forgotten with the last object that could bring it up. Lost with a restart: then it is
// asked first whether the build's Secret is there already.
import type { Observed } from '../lease/observed.ts';
import { isUnsigned } from '../lease/read-lease.ts';
import type { Instant } from '../model/instant.ts';
import type { KeptTaskRun, OwnTaskRun, UserTaskRun } from '../model/task-run.ts';

type Progress = NonNullable<Observed['seen']>;

export class ProgressMemory {
  readonly #seen = new Map<string, Progress>();
  readonly #isThere: (uid: string) => boolean;
  readonly #now: () => Instant;

  /** `isThere`: the TaskRun of this uid is in the cache. */
  constructor(isThere: (uid: string) => boolean, now: () => Instant) {
    this.#isThere = isThere;
    this.#now = now;
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

  #noteOwn({ type, userUid, attempt, deleting }: OwnTaskRun): void {
    if (attempt < this.#attemptOf(userUid)) return;
    if (type === 'launch' && userUid !== '') this.#noteLaunch(userUid, attempt);
    if (type !== 'provision') return;
    if (deleting) this.#noteLost(userUid, attempt);
    else this.#seen.set(userUid, { attempt, step: 'provision' });
  }

  #noteLaunch(userUid: string, attempt: number): void {
    const before = this.#seen.get(userUid);
    if (before?.attempt !== attempt || before.step === 'claim') this.#seen.set(userUid, { attempt, step: 'launch' });
  }

  #noteLost(userUid: string, attempt: number): void {
    const before = this.#seen.get(userUid);
    const lostSince = (before?.attempt === attempt ? before.lostSince : undefined) ?? this.#now();
    this.#seen.set(userUid, { attempt, step: 'provision', lostSince });
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
    else if (gone?.type === 'provision' && gone.attempt >= this.#attemptOf(gone.userUid))
      this.#noteLost(gone.userUid, gone.attempt);
  }

  #attemptOf(uid: string): number {
    return this.#seen.get(uid)?.attempt ?? 0;
  }
}
