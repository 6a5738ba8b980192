// What is counted while builds come and go: only what a second connection sees.
import { factsOf, hostOf, isBuild, isDone, isLive, taskType, userFinalizer } from '../support/observed-task-run.ts';
import type { Raw, Scenario } from '../support/scenario.ts';

export class Figures {
  readonly #scenario: Scenario;
  #builds = 0;
  #claims = 0;
  #ready = 0;
  #rejected = 0;
  #released = 0;
  #lastProgress = Date.now();
  #longestPause = 0;
  #windingDown = false;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    scenario.watched.onChange((before, after) => this.#look(before, after));
  }

  /** From now on there may be nothing to do: no progress is to be expected. */
  windDown(): void {
    this.#windingDown = true;
  }

  line(): string {
    const live = this.#scenario.watched.all.filter((it) => isBuild(it) && isLive(it)).length;
    return [
      `${this.#builds} builds`,
      `${this.#claims} claims`,
      `${this.#ready} ready`,
      `${this.#rejected} refused`,
      `${this.#released} released`,
      `${live} live`,
      `${this.#scenario.invariants.violations.length} violations`,
      `longest time without progress ${(this.#longestPause / 1000).toFixed(1)} s`,
    ].join(', ');
  }

  #look(before: Raw, after: Raw): void {
    if (after === undefined) return this.#progress();
    if (taskType(after) !== undefined) return before === undefined ? this.#progress() : undefined;
    if (!isBuild(after)) return;
    const was = before !== undefined && isBuild(before) ? before : undefined;
    if (was === undefined) this.#builds += 1;
    this.#claims += this.#step(was, after, (it) => hostOf(it) !== undefined);
    this.#ready += this.#step(was, after, (it) => factsOf(it)?.ready === true);
    this.#rejected += this.#step(was, after, (it) => factsOf(it)?.rejected !== undefined);
    this.#released += this.#step(was, after, (it) => isDone(it) && !it.metadata.finalizers?.includes(userFinalizer));
  }

  #step(before: Raw, after: Raw, is: (build: Raw) => boolean): number {
    if (!is(after) || (before !== undefined && is(before))) return 0;
    this.#progress();
    return 1;
  }

  #progress(): void {
    const now = Date.now();
    if (!this.#windingDown) this.#longestPause = Math.max(this.#longestPause, now - this.#lastProgress);
    this.#lastProgress = now;
  }
}
