// A start that cannot succeed: one sentence on stderr, and the end. For what trying again does not put right.

export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export class StartFailure {
  readonly #program: string;

  constructor(program: string) {
    this.#program = program;
  }

  fail(message: string): never {
    console.error(`${this.#program}: ${message}`);
    process.exit(1);
  }

  /** For what a start cannot do without. */
  async orFail<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      return this.fail(sentenceOf(error));
    }
  }
}
