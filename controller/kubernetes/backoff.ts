// Waiting times that double after each failure in a row, with jitter so that replicas do not come back together.
import type { Duration } from '../model/instant.ts';

export class Backoff {
  readonly #shortest: Duration;
  readonly #longest: Duration;
  readonly #random: () => number;
  #failures = 0;

  constructor(shortest: Duration, longest: Duration, random: () => number) {
    this.#shortest = shortest;
    this.#longest = longest;
    this.#random = random;
  }

  /** Failures since the last reset. */
  get failures(): number {
    return this.#failures;
  }

  next(): Duration {
    const doubled = this.#shortest * 2 ** Math.min(this.#failures, 30);
    this.#failures += 1;
    return Math.min(doubled, this.#longest) * (0.75 + this.#random() / 2);
  }

  reset(): void {
    this.#failures = 0;
  }
}
