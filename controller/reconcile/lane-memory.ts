// What a lane remembers because no object tells it: who had a turn last, and since when an ssh Secret is not there. Lost at
// a restart, which costs somebody a turn, or gives a missing Secret its grace anew.
import type { Instant } from '../model/instant.ts';

/** Namespaces remembered for a platform: enough for all that wait at once. */
const maxNamespaces = 10_000;

export class LaneMemory {
  readonly #served = new Map<string, Map<string, Instant>>();
  readonly #missingSince = new Map<string, Instant>();

  /** A build of that namespace got a slot. */
  noteServed(platform: string, namespace: string, now: Instant): void {
    const served = this.#served.get(platform) ?? new Map<string, Instant>();
    this.#served.set(platform, served);
    // The oldest stand first.
    served.delete(namespace);
    served.set(namespace, now);
    const [oldest] = served.keys();
    if (served.size > maxNamespaces && oldest !== undefined) served.delete(oldest);
  }

  /** When each namespace got its last slot of that platform. */
  lastServed(platform: string): ReadonlyMap<string, Instant> {
    return this.#served.get(platform) ?? new Map<string, Instant>();
  }

  /** Since when that Secret is missing; to be asked at every look. undefined: it is there. */
  missingSince(secret: string, isThere: boolean, now: Instant): Instant | undefined {
    if (isThere) this.#missingSince.delete(secret);
    else if (!this.#missingSince.has(secret)) this.#missingSince.set(secret, now);
    return this.#missingSince.get(secret);
  }
}
