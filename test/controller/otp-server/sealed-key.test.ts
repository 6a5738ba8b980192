import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { digestOf, makeToken, parseToken } from '../../../controller/otp-server/one-time-token.ts';
import { openKey, sealKey } from '../../../controller/otp-server/sealed-key.ts';

const uid = '00000000-0000-4000-8000-000000000001';

describe('a token', () => {
  it('is made of the characters tokens have always had, and is 154 bits that nobody can foresee', () => {
    const tokens = Array.from({ length: 2_000 }, () => makeToken(uid).text);
    for (const token of tokens) expect(token).to.match(/^[0-9A-Za-z-]{22,128}$/);
    expect(new Set(tokens).size).to.equal(tokens.length);
    const secrets = tokens.map((token) => token.slice(-26)).join('');
    const counts = [...new Set(secrets)].map((character) => secrets.split(character).length - 1);
    // 52,000 characters of 62: about 839 of each.
    expect(counts).to.have.length(62);
    expect(Math.min(...counts)).to.be.greaterThan(650);
    expect(Math.max(...counts)).to.be.lessThan(1_050);
  });

  it('is read back with the id it was made for', () => {
    for (const id of [uid, 'a', 'a-b-c', 'f'.repeat(63)]) {
      const token = makeToken(id);
      expect(parseToken(Buffer.from(token.text))).to.deep.equal(token);
    }
  });

  const none: readonly (readonly [string, string])[] = [
    ['nothing', ''],
    ['an id alone', uid],
    ['a secret alone', 'A'.repeat(26)],
    ['an id that is no name of an object', `../x-${'A'.repeat(26)}`],
    ['an id of capitals', `ABC-${'A'.repeat(26)}`],
    ['an id that is too long', `${'a'.repeat(64)}-${'A'.repeat(26)}`],
    ['two lines', `${uid}-${'A'.repeat(26)}\nx`],
    ['a byte of another alphabet', `${uid}-${'A'.repeat(25)}\u00e9`],
  ];
  for (const [title, text] of none)
    it(`is not ${title}`, () => expect(parseToken(Buffer.from(text))).to.equal(undefined));

  it('is stored as a digest of all of it', () => {
    const [one, other] = [makeToken(uid), makeToken(uid)];
    expect(digestOf(one)).to.have.length(32);
    expect(digestOf(one).equals(digestOf(other))).to.be.false;
  });
});

describe('a sealed key', () => {
  const token = makeToken(uid);
  const encryptionKey = { id: 'key-1', secret: randomBytes(32) };
  const key = Buffer.from('a private key');
  const sealed = sealKey(key, token, 'place', encryptionKey);

  it('opens with the same token, place and encryption key', () => {
    expect(openKey(sealed, token, 'place', encryptionKey)).to.deep.equal(key);
  });

  it('looks different each time, and holds nothing of the key', () => {
    expect(sealKey(key, token, 'place', encryptionKey).equals(sealed)).to.be.false;
    expect(sealed.includes(key)).to.be.false;
  });

  const wrong: readonly (readonly [string, () => Buffer])[] = [
    ['another token', () => openKey(sealed, makeToken(uid), 'place', encryptionKey)],
    ['another place', () => openKey(sealed, token, 'elsewhere', encryptionKey)],
    ['another encryption key', () => openKey(sealed, token, 'place', { id: 'key-1', secret: randomBytes(32) })],
    ['an encryption key under another name', () => openKey(sealed, token, 'place', { ...encryptionKey, id: 'key-2' })],
    ['a part cut off', () => openKey(sealed.subarray(0, -1), token, 'place', encryptionKey)],
    ['nothing left', () => openKey(Buffer.alloc(0), token, 'place', encryptionKey)],
  ];
  for (const [title, open] of wrong) it(`does not open with ${title}`, () => expect(open).to.throw());

  it('does not open when any one of its bytes was changed', () => {
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Buffer.from(sealed);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(() => openKey(changed, token, 'place', encryptionKey), `byte ${index}`).to.throw();
    }
  });
});
