import { expect } from 'chai';
import { defaultPause } from '../../../controller/reconcile/work-queue.ts';

describe('the pause after a look that failed', () => {
  const pauses: readonly (readonly [number, number])[] = [
    [1, 200],
    [2, 400],
    [3, 800],
    [6, 6400],
    [7, 10_000],
    [10_000, 10_000],
  ];
  for (const [nth, pause] of pauses) {
    it(`the pause after failure ${nth} is ${pause} ms`, () => expect(defaultPause(new Error(), nth)).to.equal(pause));
  }
});
