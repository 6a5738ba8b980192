// Builds whose claim could not be written. The first time a build keeps its place, and its slot, for another try; then it
// steps aside, for longer each time, and those behind it are served meanwhile.
import { second, type Duration, type Instant } from '../model/instant.ts';

export const retryPause: Duration = 0.2 * second;
const longestPause: Duration = 30 * second;

interface Failed {
  readonly until: Instant;
  readonly failures: number;
}

export class SteppedAside {
  readonly #failed = new Map<string, Failed>();

  /** A write failed; whether it is the first one in a row. */
  note(uid: string, now: Instant): 'keeps its place' | 'steps aside' {
    const failures = (this.#failed.get(uid)?.failures ?? 0) + 1;
    const pause = failures === 1 ? 0 : Math.min(retryPause * 2 ** (failures - 2), longestPause);
    this.#failed.set(uid, { until: now + pause, failures });
    return failures === 1 ? 'keeps its place' : 'steps aside';
  }

  /** When it joins the queue again; undefined: it is in it. */
  returnsAt(uid: string, now: Instant): Instant | undefined {
    const until = this.#failed.get(uid)?.until;
    return until !== undefined && until > now ? until : undefined;
  }

  get isEmpty(): boolean {
    return this.#failed.size === 0;
  }

  forget(uid: string): void {
    this.#failed.delete(uid);
  }
}
