import { expect } from 'chai';
import { cleanupBackoff, cleanupPatience, stopWait, triedFor } from '../../../controller/lease/timeouts.ts';
import { hour, minute, second } from '../../../controller/model/instant.ts';

describe('pauses between tries of a cleanup', () => {
  const pauses: readonly (readonly [number, number])[] = [
    [1, 10 * second],
    [2, 30 * second],
    [3, 90 * second],
    [5, 810 * second],
    [6, 30 * minute],
    [1000, 30 * minute],
  ];
  for (const [failed, pause] of pauses)
    it(`${pause / second} s after try ${failed}`, () => expect(cleanupBackoff(failed)).to.equal(pause));
});

describe('how long a cleanup was tried', () => {
  it('not at all when the first try failed', () => expect(triedFor(1)).to.equal(0));
  it('the pauses so far', () => expect(triedFor(4)).to.equal((10 + 30 + 90) * second));
  it('is a day after some fifty tries', () => {
    expect(triedFor(40)).to.be.below(cleanupPatience);
    expect(triedFor(60)).to.be.above(cleanupPatience);
    expect(cleanupPatience).to.equal(24 * hour);
  });
});

describe('a cancelled provision TaskRun', () => {
  it('is awaited 30 s', () => expect(stopWait).to.equal(30 * second));
});
