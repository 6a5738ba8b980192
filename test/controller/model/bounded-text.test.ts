import { expect } from 'chai';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { boundedTail, boundedText } from '../../../controller/model/bounded-text.ts';

const quarter = 250_000;

/** Heap in use once everything is collected that nobody refers to. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
  return process.memoryUsage().heapUsed;
}

describe('bounded text', () => {
  it('that is short enough stays as it is', () => {
    expect(boundedText('héllo', 5)).to.equal('héllo');
    expect(boundedTail('héllo', 5)).to.equal('héllo');
    expect(boundedText('', 0)).to.equal('');
  });

  it('is cut at its end, or at its beginning', () => {
    expect(boundedText('abcdef', 3)).to.equal('abc');
    expect(boundedTail('abcdef', 3)).to.equal('def');
  });

  it('has no more characters than asked for, also when a character is cut in two', () => {
    expect(boundedText('a😀', 2)).to.have.length(2);
    expect(boundedTail('😀a', 2)).to.have.length(2);
  });

  for (const [name, bounded] of Object.entries({ boundedText, boundedTail }))
    it(`${name} keeps nothing else in memory`, () => {
      const before = heapUsed();
      const texts = Array.from({ length: 100 }, (_, index) =>
        bounded(JSON.parse(`"${String.fromCharCode(97 + (index % 26)).repeat(quarter)}"`), 1000),
      );
      // Of 25 MB that were read.
      expect(heapUsed() - before).to.be.below(5_000_000);
      expect(texts).to.have.length(100);
    });
});
