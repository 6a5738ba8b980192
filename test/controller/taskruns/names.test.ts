import { expect } from 'chai';
import * as fc from 'fast-check';
import { cleanupName, provisionName, type NamedFor } from '../../../controller/taskruns/names.ts';

const lease: NamedFor = { uid: 'u1', namespace: 'team-a', name: 'build', host: 'h', attempt: 1 };
const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

describe('names of TaskRuns we create', () => {
  it('have the shape other tools look for', () => {
    expect(provisionName(lease)).to.match(/^build-prov-[0-9a-f]{10}$/);
    expect(cleanupName(lease, 1)).to.match(/^build-cleanup-[0-9a-f]{10}$/);
  });

  it('are the same for the same lease', () => expect(provisionName({ ...lease })).to.equal(provisionName(lease)));

  const others: readonly (readonly [string, Partial<NamedFor>])[] = [
    ['uid', { uid: 'u2' }],
    ['namespace', { namespace: 'team-b' }],
    ['host', { host: 'i' }],
    ['attempt', { attempt: 2 }],
  ];
  for (const [what, change] of others) {
    it(`differ with the ${what}`, () => {
      expect(provisionName({ ...lease, ...change })).to.not.equal(provisionName(lease));
      expect(cleanupName({ ...lease, ...change }, 1)).to.not.equal(cleanupName(lease, 1));
    });
  }

  it('differ with each try of a cleanup', () => expect(cleanupName(lease, 2)).to.not.equal(cleanupName(lease, 1)));

  it('parts that were glued together would collide; these do not', () => {
    const one = provisionName({ ...lease, namespace: 'ab', name: 'c' });
    const two = provisionName({ ...lease, namespace: 'a', name: 'bc' });
    expect(one.slice(-10)).to.not.equal(two.slice(-10));
  });

  it('fit 63 characters and are valid, whatever valid name the build has', () => {
    const names = fc.stringMatching(/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/).filter((name) => dnsSubdomain.test(name));
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 1000 }), (name, attempt) => {
        for (const child of [provisionName({ ...lease, name, attempt }), cleanupName({ ...lease, name }, attempt)]) {
          expect(child.length).to.be.at.most(63);
          expect(child).to.match(dnsSubdomain);
        }
      }),
    );
  });

  for (const cut of ['-', '.', '.-.']) {
    it(`a name of 63 characters that would be cut behind '${cut}' loses that too`, () => {
      const name = `${'a'.repeat(46)}${cut}`.padEnd(63, 'b');
      expect(provisionName({ ...lease, name })).to.match(/^a{46}(\.?-?\.?b*)-prov-[0-9a-f]{10}$/);
      expect(provisionName({ ...lease, name })).to.match(dnsSubdomain);
    });
  }

  it('of two long names that begin alike stay different', () => {
    const long = 'a'.repeat(62);
    expect(provisionName({ ...lease, name: `${long}x` })).to.not.equal(provisionName({ ...lease, name: `${long}y` }));
  });
});
