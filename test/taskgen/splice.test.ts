// Text edits: what no splice names stays, and the order in which splices are given does not matter.

import { expect } from 'chai';
import { applySplices, splicesWithin } from '../../taskgen/splice.ts';

describe('splices', () => {
  const text = 'one two three';

  it('replace, insert and remove, given in any order', () => {
    const splices = [
      { start: 13, end: 13, text: '!' },
      { start: 0, end: 4, text: '' },
      { start: 4, end: 7, text: 'TWO' },
    ];
    expect(applySplices(text, splices)).to.equal('TWO three!');
    expect(applySplices(text, splices.toReversed())).to.equal('TWO three!');
  });

  it('put the deeper of two insertions at one place first, and else the one given first', () => {
    const at = (label: string, depth?: number) => ({
      start: 3,
      end: 3,
      text: label,
      ...(depth === undefined ? {} : { depth }),
    });
    expect(applySplices('abc', [at('x', 2), at('y', 4), at('z', 2)])).to.equal('abcyxz');
  });

  it('refuse to overlap or to leave the text', () => {
    const overlapping = [
      { start: 0, end: 5, text: '' },
      { start: 4, end: 6, text: '' },
    ];
    expect(() => applySplices(text, overlapping)).to.throw(RangeError, 'offset 4');
    expect(() => applySplices(text, [{ start: 0, end: 99, text: '' }])).to.throw(RangeError);
  });

  it('of a range apply to a copy of it', () => {
    const splices = [
      { start: 0, end: 3, text: 'zero' },
      { start: 5, end: 5, text: '-' },
    ];
    expect(applySplices(text.slice(4, 7), splicesWithin(splices, 4, 7))).to.equal('t-wo');
  });
});
