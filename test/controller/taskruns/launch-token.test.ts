import { expect } from 'chai';
import { isOwnToken, launchTokens } from '../../../controller/taskruns/launch-token.ts';
import { anotherKey, testKey } from '../../support/builders.ts';

const build = { uid: 'uid-1', namespace: 'team-a', name: 'build', attempt: 1 };
const token = launchTokens(testKey)(build);

describe('launch token', () => {
  it('is a DNS label, the same for the same claim', () => {
    expect(token).to.match(/^mp-[0-9a-f]{20}$/);
    expect(launchTokens(testKey)({ ...build })).to.equal(token);
  });

  const others = { uid: 'uid-2', namespace: 'team-b', name: 'other', attempt: 2 };
  for (const [field, value] of Object.entries(others))
    it(`another ${field}: another token`, () =>
      expect(launchTokens(testKey)({ ...build, [field]: value })).to.not.equal(token));

  it('is known as our own, and nothing else is', () => {
    expect(isOwnToken(testKey, token)).to.equal(true);
    expect(isOwnToken(anotherKey, token)).to.equal(false);
    for (const other of ['', 'mp-', `${token}0`, token.slice(0, -1), `x${token}`, token.replace(/.$/, 'x')])
      expect(isOwnToken(testKey, other), other).to.equal(false);
    const [first = ''] = token.slice(3);
    expect(isOwnToken(testKey, token.replace(`mp-${first}`, `mp-${first === '0' ? '1' : '0'}`))).to.equal(false);
  });
});
