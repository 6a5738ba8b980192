// Lets only so many pieces of work go on at once; the others wait in the order in which they came.

export class Turns {
  readonly #atOnce: number;
  #free: number;
  readonly #waiting: (() => void)[] = [];
  readonly #onIdle: (() => void)[] = [];

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
    this.#free = atOnce;
  }

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
      if (this.#free === this.#atOnce) for (const resolve of this.#onIdle.splice(0)) resolve();
    }
  }

  /** Resolves when nothing goes on, and nothing waits. */
  async untilIdle(): Promise<void> {
    if (this.#free < this.#atOnce) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }
}
