import { expect } from 'chai';
import { isOwnToken, launchTokens } from '../../../controller/taskruns/launch-token.ts';

const key = Buffer.alloc(32, 1);
const build = { uid: 'uid-1', namespace: 'team-a', name: 'build', attempt: 1 };
const token = launchTokens(key)(build);

describe('launch token', () => {
  it('is a DNS label, the same for the same claim', () => {
    expect(token).to.match(/^mp-[0-9a-f]{20}$/);
    expect(launchTokens(key)({ ...build })).to.equal(token);
  });

  const others = { uid: 'uid-2', namespace: 'team-b', name: 'other', attempt: 2 };
  for (const [field, value] of Object.entries(others))
    it(`another ${field}: another token`, () =>
      expect(launchTokens(key)({ ...build, [field]: value })).to.not.equal(token));

  it('is known as our own, and nothing else is', () => {
    expect(isOwnToken(key, token)).to.equal(true);
    expect(isOwnToken(Buffer.alloc(32, 2), token)).to.equal(false);
    for (const other of ['', 'mp-', `${token}0`, token.slice(0, -1), `x${token}`, token.replace(/.$/, 'x')])
      expect(isOwnToken(key, other), other).to.equal(false);
    const [first = ''] = token.slice(3);
    expect(isOwnToken(key, token.replace(`mp-${first}`, `mp-${first === '0' ? '1' : '0'}`))).to.equal(false);
  });
});
