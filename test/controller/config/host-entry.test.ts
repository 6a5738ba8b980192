import { expect } from 'chai';
import { parseHostConfig } from '../../../controller/config/parse-host-config.ts';
import { hostConfigData } from '../../support/host-builders.ts';
import { staticPool, told } from './config-sentences.ts';

function withHost(changes: Record<string, string | undefined>): Record<string, string> {
  const data: Record<string, string> = hostConfigData({ a: 2 });
  for (const [field, value] of Object.entries(changes)) {
    if (value === undefined) delete data[`host.a.${field}`];
    else data[`host.a.${field}`] = value;
  }
  return data;
}

describe('host-config: static hosts', () => {
  it('a host with all its keys', () => {
    const { hosts } = staticPool(parseHostConfig(hostConfigData({ a: 4 })));
    expect(hosts).to.deep.equal([
      { name: 'a', address: '10.0.0.1', user: 'builder', secret: 'ssh-key', concurrency: 4, platform: 'linux/arm64' },
    ]);
  });

  it('values may have spaces around them', () => {
    const { hosts } = staticPool(parseHostConfig(withHost({ address: ' 10.0.0.9\n', concurrency: ' 3 ' })));
    expect(hosts[0]).to.include({ address: '10.0.0.9', concurrency: 3 });
  });

  it('a host name may have dots: the field follows the last one', () => {
    const { hosts } = staticPool(parseHostConfig(hostConfigData({ 'arm.one.example': 1 })));
    expect(hosts.map(({ name }) => name)).to.deep.equal(['arm.one.example']);
  });

  it('hosts of one platform make one pool, in the order of the config', () => {
    const { hosts } = staticPool(parseHostConfig(hostConfigData({ b: 1, a: 2 })));
    expect(hosts.map(({ name, concurrency }) => `${name} ${concurrency}`)).to.deep.equal(['b 1', 'a 2']);
  });

  const accepted: readonly (readonly [string, string])[] = [
    ['address', '192.168.1.20'],
    ['address', '2001:db8::1'],
    ['address', 'arm.example.com'],
    ['address', 'ip-10-0-0-1.eu-west-1.compute.internal'],
    ['user', 'ec2-user'],
    ['user', 'root'],
    ['user', 'Administrator'],
    ['secret', 'ibm-s390x-ssh-key'],
    ['concurrency', '1'],
    ['concurrency', '250'],
    ['platform', 'linux-large/s390x'],
  ];
  for (const [field, value] of accepted) {
    it(`${field} may be ${value}`, () => {
      const config = parseHostConfig(withHost({ [field]: value }));
      expect(told(config)).to.deep.equal([]);
      expect([...config.pools.values()].length).to.equal(1);
    });
  }

  const refused: readonly (readonly [string, string | undefined, string])[] = [
    ['address', undefined, 'host.a.address is missing: give an IP address or a DNS name'],
    ['address', '', "host.a.address '' is not valid: give an IP address or a DNS name"],
    ['address', 'arm host', "host.a.address 'arm host' is not valid: give an IP address or a DNS name"],
    ['address', '-oProxyCommand=x', "host.a.address '-oProxyCommand=x' is not valid: give an IP address or a DNS name"],
    ['user', '-root', "host.a.user '-root' is not valid: give the account to log in with"],
    ['user', 'a b', "host.a.user 'a b' is not valid: give the account to log in with"],
    [
      'secret',
      'Key',
      "host.a.secret 'Key' is not valid: give the name of the Secret with the ssh key (id_rsa) of this host",
    ],
    ['concurrency', undefined, 'host.a.concurrency is missing: give a number of builds, 1 or more'],
    ['concurrency', '0', "host.a.concurrency '0' is not valid: give a number of builds, 1 or more"],
    ['concurrency', '-1', "host.a.concurrency '-1' is not valid: give a number of builds, 1 or more"],
    ['concurrency', '2.5', "host.a.concurrency '2.5' is not valid: give a number of builds, 1 or more"],
    ['concurrency', 'four', "host.a.concurrency 'four' is not valid: give a number of builds, 1 or more"],
  ];
  for (const [field, value, message] of refused) {
    it(`a host whose ${field} is ${value === undefined ? 'missing' : `'${value}'`} is told and left out`, () => {
      const config = parseHostConfig(withHost({ [field]: value }));
      expect(told(config)).to.deep.equal([message]);
      expect(config.pools.size).to.equal(0);
      expect(config.broken.get('linux/arm64')?.map(({ key }) => key)).to.deep.equal([`host.a.${field}`]);
    });
  }

  it('all errors of a host are told together', () => {
    const config = parseHostConfig(withHost({ address: 'a b', user: undefined, concurrency: 'many', colour: 'red' }));
    expect(told(config).map((it) => it.split(' ')[0])).to.have.members(['host.a.address', 'host.a.concurrency']);
    expect(told(config, 'warning')).to.deep.equal([
      'host.a.colour is not a key of host-config and is ignored',
      'host.a.user is missing: give the account to log in with',
    ]);
  });

  for (const value of ['linux', 'linux/AMD64', '', `linux/${'a'.repeat(58)}`]) {
    it(`a host of platform '${value}' is told and left out`, () => {
      const config = parseHostConfig(withHost({ platform: value }));
      expect(told(config)).to.deep.equal([
        `host.a.platform '${value}' is not valid: platform must be in format 'label/label' where each label follows ` +
          'Kubernetes RFC 1035 label name format',
      ]);
      expect(config.pools.size).to.equal(0);
    });
  }

  for (const name of ['h'.repeat(64), '-a', 'a-', 'ä']) {
    it(`a host cannot be named ${name}`, () => {
      const config = parseHostConfig(hostConfigData({ [name]: 1 }));
      expect(told(config)).to.deep.equal([`host.${name} is not a valid name: give at most 63 letters, digits, - _ .`]);
      expect(config.pools.size).to.equal(0);
    });
  }

  it('a bad host takes nothing but itself out of use', () => {
    const config = parseHostConfig({ ...hostConfigData({ good: 1, bad: 1 }), 'host.bad.concurrency': '0' });
    expect(staticPool(config).hosts.map(({ name }) => name)).to.deep.equal(['good']);
    expect([...config.broken.keys()]).to.deep.equal([]);
    expect(told(config)).to.have.length(1);
  });

  it('another platform keeps working', () => {
    const data = { ...hostConfigData({ a: 1 }), ...hostConfigData({ z: 1 }, { 'host.z.secret': '' }, 'linux/s390x') };
    const config = parseHostConfig(data);
    expect([...config.pools.keys()]).to.deep.equal(['linux/arm64']);
    expect([...config.broken.keys()]).to.deep.equal(['linux/s390x']);
  });
});
