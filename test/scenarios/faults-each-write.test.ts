// Every single write of the controller goes wrong once, in every way a write can go wrong. The controller lives on; the
// build must not notice.
import { broken, conflict, overloaded, throttled } from '../support/api-refusals.ts';
import { buildLives } from '../support/build-life.ts';
import type { Fault } from '../support/build-writes.ts';
import type { Mischief } from '../support/chaos-rules.ts';
import { LifeRounds } from '../support/life-rounds.ts';

interface Trouble {
  readonly title: string;
  readonly mischief: Mischief;
  /** So many writes in a row. */
  readonly times: number;
}

const troubles: readonly Trouble[] = [
  { title: 'is answered 409', mischief: conflict, times: 1 },
  { title: 'is answered 429 with Retry-After', mischief: throttled, times: 1 },
  { title: 'is answered 500', mischief: broken, times: 1 },
  { title: 'is answered 503 with Retry-After', mischief: overloaded, times: 1 },
  { title: 'breaks before it takes effect', mischief: { type: 'cut' }, times: 1 },
  { title: 'breaks after it took effect', mischief: { type: 'lose-answer' }, times: 1 },
  { title: 'is never answered', mischief: { type: 'silence' }, times: 1 },
  { title: 'fails eight times in a row', mischief: throttled, times: 8 },
];

describe('scenario: every write goes wrong', function () {
  this.timeout(90_000);
  this.bail(true);
  let rounds: LifeRounds;

  before(async () => {
    rounds = await LifeRounds.open();
  });
  after(() => rounds.close());

  for (const life of buildLives.slice(0, 1)) {
    let writes: readonly string[] = [];
    before(async () => {
      writes = await rounds.writesOf(life);
    });

    for (const { title, mischief, times } of troubles) {
      it(`9: ${life.title}: one write ${title}, whichever`, async () => {
        const faults = writes.map((_write, index): Fault => (nth, { verb }) => {
          const hit = nth > index && nth <= index + times;
          // To a delete that names a uid, 409 says that the name is another object's by now: no trouble, an answer.
          return hit && !(mischief === conflict && verb === 'delete') ? mischief : undefined;
        });
        await rounds.disturb(life, faults);
      });
    }
  }
});
