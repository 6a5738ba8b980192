// How a host is called in the label that other programs read.
import { expect } from 'chai';
import type { HostFacts } from '../../../controller/model/host-lease.ts';
import { hostLabel } from '../../../controller/model/host-label.ts';

const host: HostFacts = { provider: 'dynamic', host: 'mp-1', address: '', user: '', sshSecret: 's' };
const details = { type: 'toy', timeout: 1, instanceTag: '', sudoCommands: '', params: {}, secrets: {} };

describe('the label of a host', () => {
  it('is its name in host-config', () =>
    expect(hostLabel({ ...host, provider: 'static', host: 'one' })).to.equal('one'));

  it('is the token while the provider has not said what it calls it', () =>
    expect(hostLabel({ ...host, launch: details })).to.equal('mp-1'));

  const ids: readonly [string, string][] = [
    ['i-0abc123', 'i-0abc123'],
    ['a', 'a'],
    ['x'.repeat(63), 'x'.repeat(63)],
    ['x'.repeat(64), 'mp-1'],
    ['', 'mp-1'],
    ['projects/p/zones/z/instances/i', 'mp-1'],
    ['-i', 'mp-1'],
    ['i\n', 'mp-1'],
  ];
  for (const [instanceId, label] of ids)
    it(`of instance ${JSON.stringify(instanceId)} is ${label}`, () =>
      expect(hostLabel({ ...host, launch: { ...details, instanceId } })).to.equal(label));
});
