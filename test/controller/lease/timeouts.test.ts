import { expect } from 'chai';
import { cleanupBackoff, stopWait } from '../../../controller/lease/timeouts.ts';
import { minute, second } from '../../../controller/model/instant.ts';

describe('pauses between tries of a cleanup', () => {
  const pauses: readonly (readonly [number, number])[] = [
    [1, 10 * second],
    [2, 20 * second],
    [3, 40 * second],
    [6, 320 * second],
    [7, 10 * minute],
    [1000, 10 * minute],
  ];
  for (const [failed, pause] of pauses)
    it(`${pause / second} s after try ${failed}`, () => expect(cleanupBackoff(failed)).to.equal(pause));
});

describe('a cancelled provision TaskRun', () => {
  it('is awaited 30 s', () => expect(stopWait).to.equal(30 * second));
});
