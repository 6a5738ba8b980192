// Host-config and TaskRuns come by watches of their own: what was written before a build may be seen after it. A build that is
// refused because of host-config is refused for good, so such a refusal waits a moment for news.
import type { Allocation } from '../allocation/allocate.ts';
import { second, type Duration, type Instant } from '../model/instant.ts';
import type { RejectReason } from '../model/reason.ts';

/** Longer than a watch lags behind another. */
const newsGrace: Duration = 2 * second;
/** The others are about hosts, or have waited long enough. */
const ofHostConfig: ReadonlySet<RejectReason> = new Set(['PlatformUnknown', 'NamespaceNotAllowed']);

export class LateConfig {
  readonly #firstSeen = new Map<string, Instant>();

  /** When what was decided stands if nothing changes; undefined: now. To be asked of every decision. */
  heldUntil(allocation: Allocation, now: Instant): Instant | undefined {
    const { uid } = allocation.request;
    if (allocation.outcome !== 'reject' || !ofHostConfig.has(allocation.told.reason)) {
      // Accepted: should host-config change again, that is another wait.
      this.#firstSeen.delete(uid);
      return undefined;
    }
    const first = this.#firstSeen.get(uid) ?? now;
    this.#firstSeen.set(uid, first);
    return now < first + newsGrace ? first + newsGrace : undefined;
  }

  /** The build is gone. */
  forget(uid: string): void {
    this.#firstSeen.delete(uid);
  }
}
