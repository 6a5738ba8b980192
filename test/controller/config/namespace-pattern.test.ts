import { expect } from 'chai';
import { compilePattern } from '../../../controller/config/namespace-pattern.ts';

function matches(pattern: string, texts: readonly string[]): string[] {
  const compiled = compilePattern(pattern);
  if (typeof compiled === 'string') throw new Error(`${pattern} ${compiled}`);
  // Twice: what is remembered is the same.
  return texts.filter((text) => compiled.test(text) && compiled.test(text));
}

describe('patterns of namespaces', () => {
  const found: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['team', ['team', 'my-team-a'], ['tea']],
    ['^team-a$', ['team-a'], ['team-ab', 'my-team-a']],
    ['\\Ateam\\z', ['team'], ['a-team']],
    ['(?i)^TEAM$', ['team'], ['tea']],
    ['^(?i:TEAM)-a$', ['team-a'], ['team-b']],
    ['^(?P<kind>team)-(?P<nth>[a-z])$', ['team-a'], ['team-1']],
    ['^[[:alpha:]]+$', ['abc'], ['ab1']],
    ['^\\pL+-\\d{2,3}$', ['ci-42'], ['ci-4', 'ci-x']],
    ['^team\\-(a|b)$', ['team-a', 'team-b'], ['team-c']],
    ['(^|-)prod($|-)', ['prod', 'a-prod-b'], ['products']],
  ];
  for (const [pattern, matching, others] of found) {
    it(pattern, () => expect(matches(pattern, [...matching, ...others])).to.deep.equal(matching));
  }

  const refused: readonly (readonly [string, string])[] = [
    ['(', 'missing closing )'],
    ['[z-a]', 'invalid character class range'],
    ['a**', 'invalid nested repetition operator'],
    ['(?=a)', 'invalid or unsupported Perl syntax'],
    ['(a)\\1', 'invalid escape sequence'],
    ['a{1001}', 'invalid repeat count'],
  ];
  for (const [pattern, why] of refused) {
    it(`${pattern} is refused: ${why}`, () => {
      expect(compilePattern(pattern)).to.equal(`is not a regular expression as Go knows it (${why})`);
    });
  }

  it('a very long one is refused', () => {
    expect(compilePattern('('.repeat(1001))).to.equal('is longer than 1000 characters');
  });

  // Each of these takes a backtracking matcher longer than a day.
  for (const pattern of ['(a*)*b', '(a|a)*b', '(a+)+$b', '((a?){60}a{60}){3}b', '(.*)*(.*)*(.*)*x']) {
    it(`${pattern} comes to an end`, () => expect(matches(pattern, ['a'.repeat(63)])).to.deep.equal([]));
  }
});
