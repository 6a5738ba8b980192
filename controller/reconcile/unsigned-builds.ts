// Builds that carry our finalizer but no facts, as after an upgrade from a Go controller, and a label we may believe. Until
// each is decided on, a slot of the host it names is kept for it; afterwards only if the build is adopted.
import { hasEnded, isUnsigned } from '../lease/read-lease.ts';
import type { KeptTaskRun, UserTaskRun } from '../model/task-run.ts';

type Decision = 'open' | 'adopting' | 'not now';

export class UnsignedBuilds {
  readonly #builds = new Map<string, { readonly host: string; readonly decision: Decision }>();
  readonly #mayHold: (taskRun: UserTaskRun) => boolean;

  /** `mayHold`: whether the host on its label may be its own. */
  constructor(mayHold: (taskRun: UserTaskRun) => boolean) {
    this.#mayHold = mayHold;
  }

  /** To be called with every change of the cache. */
  note(before: KeptTaskRun | undefined, after: KeptTaskRun | undefined): void {
    const { uid } = after ?? before ?? {};
    if (uid === undefined) return;
    const open = after?.kind === 'user' && isUnsigned(after) && !hasEnded(after) && this.#mayHold(after);
    if (!open) this.#builds.delete(uid);
    else if (!this.#builds.has(uid)) this.#builds.set(uid, { host: after.assignedHost ?? '', decision: 'open' });
  }

  decide(uid: string, decision: Decision): void {
    const build = this.#builds.get(uid);
    if (build !== undefined) this.#builds.set(uid, { ...build, decision });
  }

  /** Slots kept on this host: for those being adopted, and for those nobody looked at yet. */
  countOn(host: string, which: readonly Decision[] = ['open', 'adopting']): number {
    let count = 0;
    for (const build of this.#builds.values()) if (build.host === host && which.includes(build.decision)) count += 1;
    return count;
  }
}
