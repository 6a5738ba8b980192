// Host-config and TaskRuns come by watches of their own: what was written before a build may be seen after it. A build that is
// refused because of host-config is refused for good, so such a refusal waits a moment for news.
import type { Allocation } from '../allocation/allocate.ts';
import { second, type Duration, type Instant } from '../model/instant.ts';
import type { RejectReason } from '../model/reason.ts';

type Refusal = Extract<Allocation, { outcome: 'reject' }>;

/** Longer than a watch lags behind another. */
const newsGrace: Duration = 2 * second;
/** The others are about hosts, or have waited long enough. */
const ofHostConfig: ReadonlySet<RejectReason> = new Set(['PlatformUnknown', 'NamespaceNotAllowed']);

export class LateConfig {
  readonly #firstSeen = new Map<string, Instant>();

  /** When this refusal stands if nothing changes; undefined: now. */
  heldUntil({ request, told }: Refusal, now: Instant): Instant | undefined {
    if (!ofHostConfig.has(told.reason)) return undefined;
    const first = this.#firstSeen.get(request.uid) ?? now;
    this.#firstSeen.set(request.uid, first);
    return now < first + newsGrace ? first + newsGrace : undefined;
  }

  /** The build is gone. */
  forget(uid: string): void {
    this.#firstSeen.delete(uid);
  }
}
