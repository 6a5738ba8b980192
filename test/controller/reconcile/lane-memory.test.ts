import { expect } from 'chai';
import { LaneMemory } from '../../../controller/reconcile/lane-memory.ts';
import { start } from '../../support/host-builders.ts';

describe('what a lane remembers', () => {
  it('when each namespace had its last turn, by platform', () => {
    const memory = new LaneMemory();
    memory.noteServed('linux/arm64', 'a', start);
    memory.noteServed('linux/arm64', 'b', start + 1);
    memory.noteServed('linux/arm64', 'a', start + 2);
    memory.noteServed('linux/s390x', 'c', start + 3);
    expect(Object.fromEntries(memory.lastServed('linux/arm64'))).to.deep.equal({ a: start + 2, b: start + 1 });
    expect(memory.lastServed('x/y').size).to.equal(0);
  });

  it('of very many namespaces, those that had a turn last', () => {
    const memory = new LaneMemory();
    for (let nth = 0; nth <= 10_000; nth += 1) memory.noteServed('linux/arm64', `n${nth}`, start + nth);
    const served = memory.lastServed('linux/arm64');
    expect([served.size, served.has('n0'), served.has('n1'), served.has('n10000')]).to.deep.equal([
      10_000,
      false,
      true,
      true,
    ]);
  });

  it('since when a Secret is missing, anew each time it goes', () => {
    const memory = new LaneMemory();
    const asked = [false, false, true, false].map((isThere, nth) => memory.missingSince('key', isThere, start + nth));
    expect(asked).to.deep.equal([start, start, undefined, start + 3]);
  });
});
