// What holds for a work queue whatever is added, whenever looks end or fail.
import { expect } from 'chai';
import * as fc from 'fast-check';
import { assertNever } from '../../../controller/model/assert-never.ts';
import type { Instant } from '../../../controller/model/instant.ts';
import { WorkQueue } from '../../../controller/reconcile/work-queue.ts';
import { start } from '../../support/host-builders.ts';
import { ManualClock, settled } from '../../support/manual-clock.ts';

type Step =
  | { readonly step: 'add'; readonly key: string }
  | { readonly step: 'add at'; readonly key: string; readonly after: number }
  | { readonly step: 'end'; readonly nth: number; readonly again: number | undefined }
  | { readonly step: 'fail'; readonly nth: number }
  | { readonly step: 'pass'; readonly time: number };

const key = fc.constantFrom('a', 'b', 'c', 'd');
const nth = fc.nat({ max: 3 });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  key.map((it) => ({ step: 'add', key: it }) as const),
  fc.record({ step: fc.constant('add at'), key, after: fc.nat({ max: 20 }) }),
  fc.record({ step: fc.constant('end'), nth, again: fc.option(fc.nat({ max: 20 }), { nil: undefined }) }),
  fc.record({ step: fc.constant('fail'), nth }),
  fc.record({ step: fc.constant('pass'), time: fc.nat({ max: 15 }) }),
);

const pause = 10;
const workers = 2;

interface Look {
  readonly key: string;
  readonly end: (again: Instant | undefined) => void;
  readonly fail: () => void;
}

/** Looks as they run, and what is still owed to each key: the model. */
class Model {
  readonly clock = new ManualClock(start);
  readonly wrong: string[] = [];
  readonly #paused = new Map<string, Instant>();
  readonly #running: Look[] = [];
  /** Keys that were added after their last look began. */
  readonly #owed = new Set<string>();
  /** When a look is owed at the latest, were there a free worker. */
  readonly #due = new Map<string, Instant>();
  readonly #queue = new WorkQueue<string>({
    look: (it) => this.#look(it),
    workers,
    clock: this.clock,
    pauseAfter: () => pause,
    onError: (it) => {
      // News during a look that failed are part of the one after the pause.
      this.#owed.delete(it);
      this.#due.set(it, this.clock.now() + pause);
      this.#paused.set(it, this.clock.now() + pause);
    },
  });

  async live(next: Step): Promise<void> {
    const now = this.clock.now();
    switch (next.step) {
      case 'add':
        // So are news during that pause.
        if (!this.#isPaused(next.key)) this.#owed.add(next.key);
        this.#queue.add(next.key);
        break;
      case 'add at':
        this.#dueAt(next.key, now + next.after);
        this.#queue.addAt(next.key, now + next.after);
        break;
      case 'end': {
        const look = this.#taken(next.nth);
        const again = next.again === undefined ? undefined : now + next.again;
        if (look !== undefined && again !== undefined) this.#dueAt(look.key, again);
        look?.end(again);
        break;
      }
      case 'fail':
        this.#taken(next.nth)?.fail();
        break;
      case 'pass':
        await this.clock.advance(next.time);
        break;
      default:
        return assertNever(next);
    }
    await this.clock.advance(0);
    await settled();
    this.#check();
  }

  /** Every look ends well, until nobody is owed one. */
  async finish(): Promise<void> {
    for (let round = 0; round < 100; round += 1) await this.live({ step: 'end', nth: 0, again: undefined });
    await this.clock.advance(1000);
    for (let round = 0; round < 100; round += 1) await this.live({ step: 'end', nth: 0, again: undefined });
    if (this.#owed.size + this.#due.size > 0) this.wrong.push('a key was forgotten');
    await this.#queue.stop();
    if (this.clock.sleeping > 0) this.wrong.push('a timer is left');
  }

  #dueAt(it: string, at: Instant): void {
    const earliest = this.#isPaused(it) ? (this.#paused.get(it) ?? 0) : 0;
    this.#due.set(it, Math.max(earliest, Math.min(at, this.#due.get(it) ?? at)));
  }

  #isPaused(it: string): boolean {
    return (this.#paused.get(it) ?? 0) > this.clock.now();
  }

  /** What is due now is covered by this look, or by the one after the pause. */
  #settle(it: string): void {
    if ((this.#due.get(it) ?? Infinity) <= this.clock.now()) this.#due.delete(it);
  }

  #taken(index: number): Look | undefined {
    const [look] = this.#running.splice(index % Math.max(1, this.#running.length), 1);
    return look;
  }

  #look(it: string): Promise<Instant | undefined> {
    if (this.#running.some((look) => look.key === it)) this.wrong.push(`two looks at ${it} at once`);
    if (this.#isPaused(it)) this.wrong.push(`${it} was looked at during its pause`);
    this.#owed.delete(it);
    this.#settle(it);
    return new Promise((resolve, reject) => {
      this.#running.push({ key: it, end: resolve, fail: () => reject(new Error('no')) });
      if (this.#running.length > workers) this.wrong.push('more looks than workers');
    });
  }

  /** While a worker is free, every key that is owed a look now is being looked at. */
  #check(): void {
    for (const [it, at] of this.#due) {
      if (at > this.clock.now()) continue;
      this.#due.delete(it);
      this.#owed.add(it);
    }
    if (this.#running.length === workers) return;
    for (const it of this.#owed)
      if (!this.#running.some((look) => look.key === it)) this.wrong.push(`nobody looks at ${it}`);
  }
}

describe('WorkQueue, always', () => {
  it('one look per key at a time, none lost, none late while a worker is free, no timer left', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 40, size: 'max' }), async (steps) => {
        const model = new Model();
        for (const next of steps) await model.live(next);
        await model.finish();
        expect(model.wrong).to.deep.equal([]);
      }),
      { numRuns: 100 },
    );
  }).timeout(60_000);
});
