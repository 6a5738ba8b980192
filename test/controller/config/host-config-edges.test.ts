// What a ConfigMap can hold that nobody meant: it is told with its key, and breaks only what it describes.
import { expect } from 'chai';
import { parseHostConfig } from '../../../controller/config/parse-host-config.ts';
import { nothingKnown, type HostConfig } from '../../../controller/config/host-config.ts';
import { hostConfigData } from '../../support/host-builders.ts';
import { launchedConfig, providerTasks, toyTasks } from '../../support/provider-builders.ts';
import { staticPool, told } from './config-sentences.ts';

const megabyte = 1024 * 1024;
const platformsOf = (config: HostConfig): string[] => [...config.pools.keys()];

describe('host-config: odd keys and values', () => {
  it('values may end in a Windows line end', () => {
    const data = Object.entries(hostConfigData({ a: 1 }, { 'local-platforms': 'linux/x86_64,\r\nlinux/amd64' }));
    const config = parseHostConfig(Object.fromEntries(data.map(([key, value]) => [key, `${value}\r\n`])));
    expect(config.problems).to.deep.equal([]);
    expect(platformsOf(config)).to.have.members(['linux/arm64', 'linux/x86_64', 'linux/amd64']);
  });

  it('two commas at the end are one too many; the entries count', () => {
    const config = parseHostConfig({ 'local-platforms': 'linux/x86_64,,' });
    expect(told(config)).to.deep.equal(['local-platforms has an empty entry in the middle: remove the extra comma']);
    expect(platformsOf(config)).to.deep.equal(['linux/x86_64']);
  });

  it('names of what every object has are hosts and fields like others', () => {
    const data: Record<string, string> = JSON.parse(
      '{"host.__proto__.address":"1.2.3.4","host.constructor.address":"1.2.3.4","host.a.__proto__":"x","host.a.toString":"y","__proto__":"z"}',
    );
    const config = parseHostConfig({ ...hostConfigData({ a: 1 }), ...data });
    expect(staticPool(config).hosts.map(({ name }) => name)).to.deep.equal(['a']);
    expect(told(config)).to.include('host.__proto__ is not a valid name: give at most 63 letters, digits, - _ .');
    expect(told(config)).to.include(
      'host.constructor.secret is missing: give the name of the Secret with the ssh key (id_rsa) of this host',
    );
    expect(told(config, 'warning')).to.include('host.a.toString is not a key of host-config and is ignored');
    expect(Object.prototype).to.not.have.property('address');
  });

  for (const key of ['host.a', 'host.', 'host..address', 'host.a.']) {
    it(`${key} is no key of a host: told`, () => {
      const config = parseHostConfig({ ...hostConfigData({ good: 1 }), [key]: 'x' });
      expect(config.problems).to.have.length.above(0);
      expect(staticPool(config).hosts.map(({ name }) => name)).to.deep.equal(['good']);
    });
  }

  it('a host that has every value empty is told of each', () => {
    const fields = ['address', 'user', 'platform', 'secret', 'concurrency'];
    const config = parseHostConfig(Object.fromEntries(fields.map((field) => [`host.a.${field}`, '  '])));
    expect(told(config).map((it) => it.split(' ')[0])).to.have.members(fields.map((field) => `host.a.${field}`));
  });

  for (const address of [
    '300.1.2.3',
    '1.2.3',
    '10.0.0.1:22',
    '[::1]',
    'fe80::1%eth0',
    ':::',
    'a..b',
    '10.0.0.1,10.0.0.2',
    '$(id)',
  ]) {
    it(`${address} is no address`, () => {
      const config = parseHostConfig({ ...hostConfigData({ a: 1 }), 'host.a.address': address });
      expect(told(config)).to.deep.equal([
        `host.a.address '${address}' is not valid: give an IP address or a DNS name`,
      ]);
    });
  }

  for (const address of ['::1', '::ffff:10.0.0.1', 'host-1', 'HOST.example.com.', '1host.example']) {
    it(`${address} is one`, () => {
      expect(told(parseHostConfig({ ...hostConfigData({ a: 1 }), 'host.a.address': address }))).to.deep.equal([]);
    });
  }

  it('line breaks and other control characters are not repeated', () => {
    const config = parseHostConfig({ ...hostConfigData({ a: 1 }), 'host.a.address': 'a\u001b[31m\nb\u202e' });
    expect(told(config)).to.deep.equal([
      "host.a.address 'a\uFFFD[31m\uFFFDb\uFFFD' is not valid: give an IP address or a DNS name",
    ]);
  });
});

describe('host-config: a megabyte', () => {
  const values = [
    ':'.repeat(megabyte),
    'a.'.repeat(megabyte / 2),
    'a'.repeat(megabyte),
    ','.repeat(megabyte),
    '('.repeat(megabyte),
    '1'.repeat(megabyte),
    'x/y,'.repeat(megabyte / 4),
  ];
  const keys = [
    'host.a.address',
    'host.a.user',
    'host.a.platform',
    'host.a.secret',
    'host.a.concurrency',
    'local-platforms',
    'dynamic-platforms',
    'dynamic-pool-platforms',
    'dynamic.linux-arm64.type',
    'dynamic.linux-arm64.colour',
    'cordoned-hosts',
    'allowed-namespaces',
    'max-wait',
    'additional-instance-tags',
    'instance-tag',
    'priority',
  ];
  for (const key of keys) {
    it(`as ${key} is read, and told in short sentences`, () => {
      for (const value of values) {
        const data = { ...hostConfigData({ a: 1, b: 1 }), ...launchedConfig(), [key]: value };
        const { problems } = parseHostConfig(data, nothingKnown, providerTasks(...toyTasks()));
        expect(problems.length).to.be.at.most(501);
        for (const { message } of problems) expect(message.length).to.be.below(300);
      }
    });
  }

  it('of hosts: those that are right work, and the list of problems ends', () => {
    const hosts = Array.from({ length: 20_000 }, (_, nth) => [`host.h${nth}.address`, 'a b'] as const);
    const config = parseHostConfig({ ...Object.fromEntries(hosts), ...hostConfigData({ good: 1 }) });
    expect(staticPool(config).hosts.map(({ name }) => name)).to.deep.equal(['good']);
    expect(config.problems.at(-1)?.message).to.match(/^has [0-9]+ more problems, which are not listed$/);
  });
});

describe('host-config: what was meant before', () => {
  const before = parseHostConfig(
    hostConfigData({ a: 1 }, { 'local-platforms': 'linux/x86_64,linux/amd64', 'cordoned-hosts': 'a' }),
  );

  it('a list with a mistake keeps the entries it had', () => {
    const config = parseHostConfig({ 'local-platforms': 'linux/x86_64,linux/AMD64,linux/riscv' }, before.known);
    expect(platformsOf(config)).to.have.members(['linux/x86_64', 'linux/amd64', 'linux/riscv']);
    const again = parseHostConfig({ 'local-platforms': 'linux/x86_64,linux/AMD64' }, config.known);
    expect(platformsOf(again)).to.include('linux/amd64');
  });

  it('a list without one is what it says', () => {
    expect(platformsOf(parseHostConfig({ 'local-platforms': 'linux/x86_64' }, before.known))).to.deep.equal([
      'linux/x86_64',
    ]);
    expect(platformsOf(parseHostConfig({}, before.known))).to.deep.equal([]);
  });

  it('hosts that were out of choice stay so while their list has a mistake', () => {
    const config = parseHostConfig(hostConfigData({ a: 1, b: 1 }, { 'cordoned-hosts': ',b' }), before.known);
    expect([...staticPool(config).cordoned]).to.have.members(['a', 'b']);
  });

  it('a host whose platform cannot be read any more is missed by the builds it served', () => {
    for (const platform of ['linux/ARM64', '', undefined]) {
      const data: Record<string, string> = hostConfigData({ a: 1 });
      if (platform === undefined) delete data['host.a.platform'];
      else data['host.a.platform'] = platform;
      const config = parseHostConfig(data, before.known);
      expect(config.broken.get('linux/arm64')?.map(({ key }) => key)).to.deep.equal(['host.a.platform']);
      const again = parseHostConfig(data, config.known);
      expect([...again.broken.keys()]).to.deep.equal(['linux/arm64']);
    }
  });
});
