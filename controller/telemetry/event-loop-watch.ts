// Notices an event loop that keeps stalling. A loop that stopped for good answers no probe at all; this one tells the
// rest: every turn takes so long that leases and watches cannot be kept.
import type { Clock } from '../model/clock.ts';
import type { HealthCheck } from './health.ts';

const beat = 1_000;

export class EventLoopWatch {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #limit: number;
  readonly #timer: NodeJS.Timeout;
  #last: number;
  #late = 0;

  /** `limit`: by how many milliseconds one beat a second may be late. */
  constructor(clock: Pick<Clock, 'monotonic'>, limit: number) {
    this.#clock = clock;
    this.#limit = limit;
    this.#last = clock.monotonic();
    this.#timer = setInterval(() => this.#tick(), beat).unref();
  }

  readonly check: HealthCheck = { name: 'event-loop', problem: () => this.#problem() };

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const now = this.#clock.monotonic();
    this.#late = now - this.#last - beat;
    this.#last = now;
  }

  /** The last beat counts until the next one; a beat that is due and has not come counts as well. */
  #problem(): string | undefined {
    const late = Math.max(this.#late, this.#clock.monotonic() - this.#last - beat);
    return late <= this.#limit ? undefined : `stalled for ${Math.round(late / 1000)} s`;
  }
}
