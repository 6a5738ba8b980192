import { expect } from 'chai';
import * as fc from 'fast-check';
import { parseFacts, signFacts, verifyFacts } from '../../../controller/lease/signed-facts.ts';
import type { LeaseFacts } from '../../../controller/model/host-lease.ts';
import { anotherKey, testKey } from '../../support/builders.ts';

const text = fc.string({ maxLength: 12 });
const texts = fc.dictionary(fc.stringMatching(/^[A-Z_]{1,9}$/), text);
const anyLaunchedHost = fc.record({
  provider: fc.constant('dynamic' as const),
  host: text,
  address: text,
  user: text,
  sshSecret: text,
  since: fc.nat(),
  launch: fc.record(
    {
      type: text,
      timeout: fc.nat(),
      preparesItself: fc.constant(true as const),
      instanceId: text,
      instanceTag: text,
      sudoCommands: text,
      params: texts,
      secrets: texts,
    },
    { requiredKeys: ['type', 'timeout', 'instanceTag', 'sudoCommands', 'params', 'secrets'] },
  ),
});
const anyFacts: fc.Arbitrary<LeaseFacts> = fc.record(
  {
    attempt: fc.nat(),
    platform: text,
    claim: fc.oneof(
      fc.record({
        provider: fc.constantFrom('static', 'local'),
        host: text,
        address: text,
        user: text,
        sshSecret: text,
        since: fc.nat(),
      }),
      anyLaunchedHost,
    ),
    failedLaunches: fc.nat(),
    lost: fc.constant(true),
    ready: fc.constant(true),
    rejected: text,
  },
  { requiredKeys: ['attempt', 'platform'] },
);

const facts: LeaseFacts = {
  attempt: 1,
  platform: 'linux/arm64',
  claim: { provider: 'static', host: 'h', address: '10.0.0.1', user: 'builder', sshSecret: 'ssh-key', since: 0 },
};
const signed = signFacts(testKey, 'uid-1', facts);
const mac = signed.slice(0, signed.indexOf('.'));
const json = signed.slice(signed.indexOf('.') + 1);
const forge = (changes: object): string => `${mac}.${JSON.stringify({ ...facts, ...changes })}`;

describe('signed facts', () => {
  it('come back as they were written', () => {
    fc.assert(
      fc.property(anyFacts, text, (written, uid) => {
        expect(verifyFacts(testKey, uid, signFacts(testKey, uid, written))).to.deep.equal(written);
      }),
    );
  });

  it('are the same text for the same facts, so that a repeated write changes nothing', () => {
    expect(signFacts(testKey, 'uid-1', { ...facts })).to.equal(signed);
  });

  const forgeries: readonly (readonly [string, string])[] = [
    ['another host', forge({ claim: { ...facts.claim, host: 'other' } })],
    ['another attempt', forge({ attempt: 2 })],
    ['ready, added', forge({ ready: true })],
    ['no signature', json],
    ['an empty signature', `.${json}`],
    ['half a signature', `${mac.slice(0, 20)}.${json}`],
    ['the signature of other facts', `${signFacts(testKey, 'uid-1', { ...facts, attempt: 9 }).split('.')[0]}.${json}`],
    ['cut short', signed.slice(0, -5)],
    ['one character more', `${signed} `],
    ['the signature alone', mac],
    ['nothing', ''],
    ['a dot', '.'],
    ['something else', 'waiting'],
  ];
  for (const [what, value] of forgeries) {
    it(`name nothing: ${what}`, () => expect(verifyFacts(testKey, 'uid-1', value)).to.equal(undefined));
  }

  it('name nothing on another TaskRun', () => expect(verifyFacts(testKey, 'uid-2', signed)).to.equal(undefined));

  it('name nothing under another key', () => {
    expect(verifyFacts(anotherKey, 'uid-1', signed)).to.equal(undefined);
  });

  it('the uid cannot be shifted into the text', () => {
    expect(verifyFacts(testKey, 'uid', signFacts(testKey, 'uid\n{}', facts))).to.equal(undefined);
  });

  it('name nothing after any edit of the text', () => {
    fc.assert(
      fc.property(fc.nat({ max: json.length - 1 }), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
        const edited = json.slice(0, at) + character + json.slice(at + 1);
        if (edited !== json) expect(verifyFacts(testKey, 'uid-1', `${mac}.${edited}`)).to.equal(undefined);
      }),
    );
  });
});

describe('facts of a TaskRun of ours', () => {
  const readings: readonly (readonly [string, string, unknown])[] = [
    ['no JSON', 'x', undefined],
    ['null', 'null', undefined],
    ['a list', '[]', undefined],
    ['no platform', '{"attempt":1}', undefined],
    ['an attempt that is no number', '{"attempt":"1","platform":"p"}', undefined],
    ['an attempt that is no whole number', '{"attempt":1.5,"platform":"p"}', undefined],
    ['no claim', '{"attempt":1,"platform":"p"}', { attempt: 1, platform: 'p' }],
    [
      'a claim with a field missing holds nothing',
      '{"attempt":1,"platform":"p","claim":{"provider":"static","host":"h","since":1}}',
      { attempt: 1, platform: 'p' },
    ],
    [
      'a claim of an unknown provider holds nothing',
      JSON.stringify({ ...facts, claim: { ...facts.claim, provider: 'moon' } }),
      { attempt: 1, platform: 'linux/arm64' },
    ],
    [
      'a launched host that nothing could terminate holds nothing',
      JSON.stringify({ ...facts, claim: { ...facts.claim, provider: 'dynamic', launch: { type: 'toy' } } }),
      { attempt: 1, platform: 'linux/arm64' },
    ],
    ['ready only when true', '{"attempt":1,"platform":"p","ready":1}', { attempt: 1, platform: 'p' }],
    ['other fields are dropped', '{"attempt":1,"platform":"p","x":1}', { attempt: 1, platform: 'p' }],
  ];
  for (const [what, value, expected] of readings) it(what, () => expect(parseFacts(value)).to.deep.equal(expected));

  it('never throws', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (value) => void parseFacts(value)));
  });
});
