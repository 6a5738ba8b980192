import { expect } from 'chai';
import { hasOurMark, leaseMark } from '../../../controller/lease/lease-mark.ts';
import { anotherKey, testKey } from '../../support/builders.ts';

const mark = leaseMark(testKey, 'uid-1', 2, 'one');
const marked = { uid: 'uid-1', attemptLabel: '2', assignedHost: 'one', markLabel: mark };

describe('the mark of a lease', () => {
  it('is a value a label can have', () => expect(mark).to.match(/^[0-9a-f]{48}$/));

  it('fits the claim it was made for', () => expect(hasOurMark(testKey, marked)).to.equal(true));

  it('fits a claim of an older controller that was taken over, which has no attempt', () => {
    const taken = { ...marked, attemptLabel: undefined, markLabel: leaseMark(testKey, 'uid-1', 0, 'one') };
    expect(hasOurMark(testKey, taken)).to.equal(true);
  });

  const forgeries: readonly (readonly [string, Partial<Parameters<typeof hasOurMark>[1]>])[] = [
    ['another build', { uid: 'uid-2' }],
    ['another attempt', { attemptLabel: '1' }],
    ['an attempt that is no number', { attemptLabel: '2 ' }],
    ['no attempt', { attemptLabel: undefined }],
    ['another host', { assignedHost: 'two' }],
    ['a host with the attempt glued to it', { assignedHost: '2\none', attemptLabel: undefined }],
    ['no host', { assignedHost: undefined }],
    ['no mark', { markLabel: undefined }],
    ['an empty mark', { markLabel: '' }],
    ['half a mark', { markLabel: mark.slice(0, 24) }],
    ['a longer mark', { markLabel: `${mark}0` }],
    ['a mark in capitals', { markLabel: mark.toUpperCase() }],
    ['a mark of characters that take two bytes', { markLabel: 'é'.repeat(48) }],
    ['the mark of another key', { markLabel: leaseMark(anotherKey, 'uid-1', 2, 'one') }],
  ];
  for (const [what, change] of forgeries)
    it(`does not fit ${what}`, () => expect(hasOurMark(testKey, { ...marked, ...change })).to.equal(false));
});
