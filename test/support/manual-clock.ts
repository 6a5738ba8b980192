// A clock that stands still until a test moves it. Wakes sleepers in the order of their times, and lets everything
// that follows from one waking happen before the next.
import type { Clock } from '../../controller/model/clock.ts';
import type { Duration, Instant } from '../../controller/model/instant.ts';

interface Sleeper {
  readonly at: Instant;
  readonly wake: () => void;
}

export class ManualClock implements Clock {
  readonly #sleepers = new Set<Sleeper>();
  #now: Instant;

  constructor(start: Instant | string = '2026-01-01T00:00:00Z') {
    this.#now = typeof start === 'string' ? Date.parse(start) : start;
  }

  /** How many sleeps are not over: 0 when nothing is left behind. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /** The time the next sleeper wakes; undefined when there is none. */
  get nextWaking(): Instant | undefined {
    return this.#next()?.at;
  }

  now(): Instant {
    return this.#now;
  }

  monotonic(): Duration {
    return this.#now;
  }

  sleep(duration: Duration, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper: Sleeper = {
        at: this.#now + duration,
        wake: () => {
          this.#sleepers.delete(sleeper);
          signal?.removeEventListener('abort', sleeper.wake);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', sleeper.wake);
    });
  }

  /** Moves on, waking everybody whose time comes on the way. */
  async advance(duration: Duration): Promise<void> {
    const target = this.#now + duration;
    await settled();
    for (let next = this.#next(); next !== undefined && next.at <= target; next = this.#next()) {
      this.#now = Math.max(this.#now, next.at);
      next.wake();
      await settled();
    }
    this.#now = target;
  }

  /** For worlds that are looked at step by step: time passes, nobody is woken. */
  jump(duration: Duration): void {
    this.#now += duration;
  }

  #next(): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers) if (first === undefined || sleeper.at < first.at) first = sleeper;
    return first;
  }
}

/** Resolves when no promise is left that can go on without time passing. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
