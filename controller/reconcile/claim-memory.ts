// Facts that somebody else took away: stripped from a TaskRun, set back to what they were, or gone with it because our
// finalizer was removed. Remembers how each such build was last seen, so that its host is released all the same.
// Lost with a restart: then TaskRuns of ours tell what the build holds (lease/recover-facts.ts).
import { isOlder } from '../lease/is-older.ts';
import type { LeaseFacts } from '../model/host-lease.ts';
import type { Instant } from '../model/instant.ts';
import type { KeptTaskRun, UserTaskRun } from '../model/task-run.ts';

export class ClaimMemory {
  readonly #lost = new Map<string, UserTaskRun>();

  /** To be called with every change of the cache. */
  note(before: KeptTaskRun | undefined, after: KeptTaskRun | undefined, now: Instant): void {
    const uid = (after ?? before)?.uid ?? '';
    const newest = this.#lost.get(uid) ?? (before?.kind === 'user' ? before : undefined);
    if (newest?.facts === undefined) return;
    if (after === undefined) {
      // With no host claimed there is nothing to release.
      if ((newest.facts.claim?.provider ?? 'local') === 'local') this.#lost.delete(uid);
      else this.#lost.set(uid, { ...newest, ended: newest.ended ?? now });
    } else if (after.kind === 'user' && isBehind(after.facts, newest.facts)) {
      this.#lost.set(uid, newest);
    } else {
      this.#lost.delete(uid);
    }
  }

  /** The build as it was with its newest facts; undefined: nothing was lost. */
  lost(uid: string): UserTaskRun | undefined {
    return this.#lost.get(uid);
  }

  /** Builds that hold a slot of this host although their TaskRuns do not show it. */
  countOn(host: string): number {
    let count = 0;
    for (const { facts } of this.#lost.values()) if (facts?.claim?.host === host) count += 1;
    return count;
  }

  /** The same, of hosts launched for one build each. */
  launchedHosts(platform: string): string[] {
    return [...this.#lost.values()].flatMap(({ facts }) =>
      facts?.claim?.provider === 'dynamic' && facts.platform === platform ? [facts.claim.host] : [],
    );
  }

  uids(): Iterable<string> {
    return this.#lost.keys();
  }

  forget(uid: string): void {
    this.#lost.delete(uid);
  }
}

function isBehind(facts: LeaseFacts | undefined, newest: LeaseFacts): boolean {
  return facts === undefined || isOlder(facts, newest);
}
