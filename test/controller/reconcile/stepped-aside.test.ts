import { expect } from 'chai';
import { SteppedAside } from '../../../controller/reconcile/stepped-aside.ts';
import { start } from '../../support/host-builders.ts';

describe('a build whose claim could not be written', () => {
  it('keeps its place the first time', () => {
    const aside = new SteppedAside();
    expect(aside.note('a', start)).to.equal('keeps its place');
    expect(aside.returnsAt('a', start)).to.equal(undefined);
  });

  it('then steps aside, for longer each time, half a minute at most', () => {
    const aside = new SteppedAside();
    const pauses = Array.from({ length: 12 }, () => {
      aside.note('a', start);
      return (aside.returnsAt('a', start) ?? start) - start;
    });
    expect(pauses).to.deep.equal([0, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 30_000]);
  });

  it('joins the queue again when its time has come', () => {
    const aside = new SteppedAside();
    aside.note('a', start);
    expect(aside.note('a', start)).to.equal('steps aside');
    expect(aside.returnsAt('a', start + 199)).to.equal(start + 200);
    expect(aside.returnsAt('a', start + 200)).to.equal(undefined);
  });

  it('has a clean slate once it was written', () => {
    const aside = new SteppedAside();
    aside.note('a', start);
    aside.forget('a');
    expect(aside.isEmpty).to.equal(true);
    expect(aside.note('a', start)).to.equal('keeps its place');
  });
});
