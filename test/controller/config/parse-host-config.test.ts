import { expect } from 'chai';
import * as fc from 'fast-check';
import { nothingKnown } from '../../../controller/config/host-config.ts';
import { parseHostConfig } from '../../../controller/config/parse-host-config.ts';
import { minute } from '../../../controller/model/instant.ts';
import { hostConfigData } from '../../support/host-builders.ts';
import { providerTasks, toyTasks } from '../../support/provider-builders.ts';
import { staticPool, told } from './config-sentences.ts';

type Data = Readonly<Record<string, string>>;

describe('host-config: lists and limits', () => {
  it('local platforms run in the cluster, whatever static hosts there are', () => {
    const config = parseHostConfig(hostConfigData({ a: 1 }, { 'local-platforms': 'linux/x86_64, linux/arm64,' }));
    expect([...config.pools.values()].map(({ kind, platform: of }) => `${of} ${kind}`)).to.have.members([
      'linux/x86_64 local',
      'linux/arm64 local',
    ]);
    expect(config.problems).to.deep.equal([]);
  });

  it('an empty entry in the middle is told, the others count', () => {
    const config = parseHostConfig({ 'local-platforms': 'linux/x86_64,,linux/amd64' });
    expect(told(config)).to.deep.equal(['local-platforms has an empty entry in the middle: remove the extra comma']);
    expect([...config.pools.keys()]).to.deep.equal(['linux/x86_64', 'linux/amd64']);
  });

  it('a malformed entry is told by name, the others count', () => {
    const config = parseHostConfig({ 'local-platforms': 'linux/AMD64,linux/x86_64' });
    expect(told(config)).to.deep.equal([
      "local-platforms 'linux/AMD64' is not valid: platform must be in format 'label/label' where each label follows " +
        'Kubernetes RFC 1035 label name format',
    ]);
    expect([...config.pools.keys()]).to.deep.equal(['linux/x86_64']);
  });

  it('cordoned hosts stay in their pool', () => {
    const pool = staticPool(parseHostConfig(hostConfigData({ a: 1, b: 1 }, { 'cordoned-hosts': 'b' })));
    expect([...pool.cordoned]).to.deep.equal(['b']);
    expect(pool.hosts).to.have.length(2);
  });

  const durations: readonly (readonly [string, number])[] = [
    ['90', 90_000],
    ['90s', 90_000],
    ['30m', 30 * minute],
    ['2h', 120 * minute],
    [' 5m ', 5 * minute],
  ];
  for (const [text, duration] of durations) {
    it(`max-wait ${text} is ${duration} ms`, () => {
      expect(staticPool(parseHostConfig(hostConfigData({ a: 1 }, { 'max-wait': text }))).limits.maxWait).to.equal(
        duration,
      );
    });
  }

  for (const text of ['0', '-1', 'soon', '1.5h', '5 m', '1d']) {
    it(`max-wait '${text}' is told, and nothing is bounded by it`, () => {
      const config = parseHostConfig(hostConfigData({ a: 1 }, { 'max-wait': text }));
      expect(told(config)).to.deep.equal([
        `max-wait '${text}' is not a duration: give seconds, or a number with s, m or h, as 30m`,
      ]);
      expect(staticPool(config).limits.maxWait).to.equal(undefined);
    });
  }

  it('a mistake in a global key is told once, however many platforms there are', () => {
    const data = { ...hostConfigData({ a: 1 }, { 'max-wait': 'soon', 'allowed-namespaces': '(' }) };
    const more = { ...hostConfigData({ z: 1 }, {}, 'linux/s390x'), 'local-platforms': 'linux/x86_64' };
    const keys = told(parseHostConfig({ ...data, ...more })).map((it) => it.split(' ')[0]);
    expect(keys).to.have.members(['max-wait', 'allowed-namespaces']);
  });

  it("a platform's own max-wait wins over the global one", () => {
    const more = { 'max-wait': '1h', 'linux-arm64.max-wait': '5m' };
    const config = parseHostConfig(hostConfigData({ a: 1 }, more));
    expect(staticPool(config).limits.maxWait).to.equal(5 * minute);
    expect(config.problems).to.deep.equal([]);
  });

  const namespaces: readonly (readonly [string, Data, readonly string[], readonly string[]])[] = [
    ['no list allows every namespace', {}, ['team-a', 'x'], []],
    ['a pattern is not anchored', { 'allowed-namespaces': 'team-' }, ['team-a', 'my-team-b'], ['other']],
    ['an anchored one is', { 'allowed-namespaces': '^team-a$,^b' }, ['team-a', 'bee'], ['team-ab', 'ab']],
    [
      "a platform's own list narrows the global one",
      { 'allowed-namespaces': 'team-', 'linux-arm64.allowed-namespaces': '-a$' },
      ['team-a'],
      ['team-b', 'x-a'],
    ],
    ['a dash may be escaped', { 'allowed-namespaces': '^team\\-a$' }, ['team-a'], ['team']],
    ['an unreadable pattern opens nothing', { 'allowed-namespaces': '(' }, [], ['team-a', '(']],
    ['an empty list is none', { 'allowed-namespaces': ' ' }, ['team-a'], []],
  ];
  for (const [sentence, more, allowed, refused] of namespaces) {
    it(`allowed-namespaces: ${sentence}`, () => {
      const { allowedNamespaces } = staticPool(parseHostConfig(hostConfigData({ a: 1 }, more))).limits;
      const passes = (namespace: string): boolean =>
        allowedNamespaces.every((patterns) => patterns.some((pattern) => pattern.test(namespace)));
      expect([...allowed, ...refused].filter(passes)).to.deep.equal(allowed);
    });
  }

  it('an unreadable pattern is told', () => {
    expect(told(parseHostConfig(hostConfigData({ a: 1 }, { 'allowed-namespaces': 'ok,(' })))).to.deep.equal([
      "allowed-namespaces '(' is not a regular expression as Go knows it (missing closing ))",
    ]);
  });

  it('an unknown key is a warning and nothing else', () => {
    const config = parseHostConfig(hostConfigData({ a: 1 }, { 'local-platform': 'linux/x86_64' }));
    expect(told(config, 'warning')).to.deep.equal(['local-platform is not a key of host-config and is ignored']);
    expect(told(config)).to.deep.equal([]);
  });

  it('a tag of instances without a value is a warning', () => {
    const config = parseHostConfig({ 'additional-instance-tags': 'team=a, cost = b=c ,odd,' });
    expect(told(config, 'warning')).to.deep.equal([
      "additional-instance-tags 'odd' is no tag and is ignored: give name=value",
    ]);
  });

  it('instance-tag goes to provision TaskRuns, trimmed', () => {
    expect(parseHostConfig({ 'instance-tag': ' prod \n' }).instanceTag).to.equal('prod');
  });

  it('an empty config has nothing and is not wrong', () => {
    const { pools, broken, problems } = parseHostConfig({});
    expect([pools.size, broken.size, problems.length]).to.deep.equal([0, 0, 0]);
  });
});

describe('host-config: anything a ConfigMap may hold', () => {
  const tasks = providerTasks(...toyTasks());
  const fields = fc.constantFrom(
    'address',
    'user',
    'platform',
    'secret',
    'concurrency',
    '__proto__',
    'constructor',
    'x',
  );
  const launchedFields = fc.constantFrom(
    'type',
    'max-instances',
    'ssh-secret',
    'max-age',
    'concurrency',
    'colour',
    'x',
  );
  const key = fc.oneof(
    fc.tuple(fc.constantFrom('a', 'b', '__proto__', 'x.y'), fields).map(([name, field]) => `host.${name}.${field}`),
    launchedFields.map((field) => `dynamic.linux-arm64.${field}`),
    fc.constantFrom(
      'local-platforms',
      'dynamic-platforms',
      'dynamic-pool-platforms',
      'cordoned-hosts',
      'max-wait',
      'allowed-namespaces',
      'priority',
    ),
    fc.stringMatching(/^[-._a-zA-Z0-9]{1,20}$/),
  );
  const value = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom('linux/arm64', '10.0.0.1', 'builder', 'ssh-key', '4', 'toy', 'linux/arm64,local,', '(', ',,'),
  );

  it('never throws, and what it accepts can be used', () => {
    fc.assert(
      fc.property(fc.dictionary(key, value, { maxKeys: 12 }), (data) => {
        const config = parseHostConfig(data, nothingKnown, tasks);
        for (const [name, pool] of config.pools) {
          expect(pool.platform).to.equal(name);
          if (pool.kind === 'static') {
            expect(pool.hosts).to.not.be.empty;
            for (const host of pool.hosts) expect(host.concurrency).to.be.at.least(1);
          }
          if (pool.kind === 'dynamic' || pool.kind === 'dynamic-pool') {
            expect([pool.provider.type, pool.maxInstances > 0, pool.sshSecret !== '']).to.deep.equal([
              'toy',
              true,
              true,
            ]);
          }
          expect(config.broken.has(name)).to.equal(false);
        }
        for (const { message } of config.problems) expect(message).to.not.be.empty;
      }),
      { numRuns: 500 },
    );
  });
});
