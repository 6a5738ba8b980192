// The order of resource versions, and where there is none.
import { expect } from 'chai';
import { isNotNewer } from '../../../controller/kubernetes/is-not-newer.ts';

describe('isNotNewer', () => {
  const rows: readonly [string, string | undefined, boolean, string][] = [
    ['7', '7', true, 'the same was told before'],
    ['7', '10', true, 'numbers, not text, are compared'],
    ['10', '9', false, 'a greater number is news'],
    ['9007199254740994', '9007199254740993', false, 'also beyond what a double can tell apart'],
    ['7', undefined, false, 'nothing was told before'],
    ['abc', '10', false, 'what is no number has no order'],
    ['10', 'abc', false, 'nor does it have one beside a number'],
    ['', '10', false, 'nothing is no number'],
  ];
  for (const [version, seen, expected, why] of rows)
    it(`${why}: '${version}' after '${seen ?? ''}'`, () => expect(isNotNewer(version, seen)).to.equal(expected));
});
