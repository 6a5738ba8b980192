// Platforms whose hosts are launched: the controller's own keys.
import { expect } from 'chai';
import { nothingKnown, type HostConfig } from '../../../controller/config/host-config.ts';
import { parseHostConfig } from '../../../controller/config/parse-host-config.ts';
import { minute } from '../../../controller/model/instant.ts';
import { hostConfigData } from '../../support/host-builders.ts';
import { aProviderTask, launchedConfig, providerTasks, toyTasks } from '../../support/provider-builders.ts';
import { launchedPool, told } from './config-sentences.ts';

type Data = Readonly<Record<string, string>>;

const tasks = providerTasks(...toyTasks());
const parse = (data: Data): HostConfig => parseHostConfig(data, nothingKnown, tasks);
const inPool = 'dynamic-pool-platforms';
const key = (field: string): string => `dynamic.linux-arm64.${field}`;

describe('host-config: launched platforms', () => {
  it('a platform of dynamic-platforms has a host for each build', () => {
    const config = parse(launchedConfig({ colour: ' blue ', 'sudo-commands': '/bin/a, /bin/b' }));
    expect(config.problems).to.deep.equal([]);
    const { provider, limits: _, ...pool } = launchedPool(config);
    expect(pool).to.deep.equal({
      kind: 'dynamic',
      platform: 'linux/arm64',
      maxInstances: 3,
      concurrency: 1,
      maxAge: undefined,
      allocationTimeout: 10 * minute,
      sshSecret: 'ssh-key',
      credentials: '',
      sudoCommands: '/bin/a, /bin/b',
      instanceTag: '',
      additionalTags: '',
      settings: { colour: 'blue' },
    });
    const { type, launch, terminate, list } = provider;
    expect([type, launch.name, terminate.name, list?.name]).to.deep.equal([
      'toy',
      'launch-toy',
      'terminate-toy',
      'list-toy',
    ]);
  });

  it('a platform of dynamic-pool-platforms has hosts for several builds', () => {
    const pool = launchedPool(parse(launchedConfig({ concurrency: '8', 'max-age': '1440' }, 'linux/arm64', inPool)));
    expect(pool).to.include({ kind: 'dynamic-pool', concurrency: 8, maxAge: 1440 * minute, maxInstances: 3 });
  });

  it('local comes before dynamic, dynamic before dynamic-pool, that before static hosts', () => {
    const lists = ['local-platforms', 'dynamic-platforms', inPool];
    const pool = { concurrency: '1', 'max-age': '5' };
    const all = { ...hostConfigData({ a: 1 }), ...launchedConfig(pool) };
    const kinds = lists.map((_, nth) => {
      const named = Object.fromEntries(lists.slice(nth).map((list) => [list, 'linux/arm64']));
      return [...parse({ ...all, 'dynamic-platforms': '', ...named }).pools.values()].map(({ kind }) => kind);
    });
    expect(kinds).to.deep.equal([['local'], ['dynamic'], ['dynamic-pool']]);
  });

  it('a platform in two lists is told', () => {
    const config = parse({ ...launchedConfig(), [inPool]: 'linux/arm64', 'local-platforms': 'linux/arm64' });
    expect(told(config, 'warning')).to.have.members([
      "dynamic-platforms 'linux/arm64' is in local-platforms too, which comes first",
      "dynamic-pool-platforms 'linux/arm64' is in local-platforms too, which comes first",
    ]);
  });

  it('tags of all platforms reach each, its own instance-tag wins', () => {
    const tags = { 'instance-tag': 'prod', 'additional-instance-tags': 'Project=x, Owner = y=z ,odd,' };
    expect(launchedPool(parse({ ...launchedConfig(), ...tags }))).to.include({
      instanceTag: 'prod',
      additionalTags: 'Project=x,Owner=y',
    });
    const own = { ...launchedConfig({ 'instance-tag': 'prod-arm64' }), ...tags };
    expect(launchedPool(parse(own)).instanceTag).to.equal('prod-arm64');
  });

  const durations: readonly (readonly [string, number])[] = [
    ['600', 10],
    ['20m', 20],
    ['1h', 60],
  ];
  for (const [text, minutes] of durations) {
    it(`allocation-timeout ${text} is ${minutes} minutes`, () => {
      expect(launchedPool(parse(launchedConfig({ 'allocation-timeout': text }))).allocationTimeout).to.equal(
        minutes * minute,
      );
    });
  }

  it('check-interval goes to Tasks that want it, in seconds', () => {
    const config = parse(launchedConfig({ 'check-interval': '1m' }));
    expect(launchedPool(config).settings).to.deep.equal({ 'check-interval': '60' });
    expect(config.problems).to.deep.equal([]);
  });

  const durationRemedy = 'give seconds, or a number with s, m or h, as 10m';
  const refused: readonly (readonly [string, Data, string])[] = [
    ['dynamic-platforms', { type: '' }, `${key('type')} is missing: give a type of provider; types there: toy`],
    [
      'dynamic-platforms',
      { type: 'aws' },
      `${key('type')} 'aws': there is no Task launch-aws in the controller's namespace; types there: toy`,
    ],
    [
      'dynamic-platforms',
      { 'max-instances': '' },
      `${key('max-instances')} is missing: give a number of hosts, 1 or more`,
    ],
    [
      'dynamic-platforms',
      { 'max-instances': '0' },
      `${key('max-instances')} '0' is not valid: give a number of hosts, 1 or more`,
    ],
    [
      'dynamic-platforms',
      { 'max-instances': '2.5' },
      `${key('max-instances')} '2.5' is not valid: give a number of hosts, 1 or more`,
    ],
    [
      'dynamic-platforms',
      { 'ssh-secret': ' ' },
      `${key('ssh-secret')} is missing: give the name of the Secret with the ssh key (id_rsa) of these hosts`,
    ],
    [
      'dynamic-platforms',
      { 'ssh-secret': 'My Key' },
      `${key('ssh-secret')} 'My Key' is not valid: give the name of the Secret with the ssh key (id_rsa) of these hosts`,
    ],
    [
      'dynamic-platforms',
      { 'allocation-timeout': '0' },
      `${key('allocation-timeout')} '0' is not valid: ${durationRemedy}`,
    ],
    [
      'dynamic-platforms',
      { 'check-interval': 'often' },
      `${key('check-interval')} 'often' is not valid: ${durationRemedy}`,
    ],
    [inPool, { concurrency: '' }, `${key('concurrency')} is missing: give a number of builds at once, 1 to 8`],
    [inPool, { concurrency: '9' }, `${key('concurrency')} '9' is not valid: give a number of builds at once, 1 to 8`],
    [inPool, { concurrency: '0' }, `${key('concurrency')} '0' is not valid: give a number of builds at once, 1 to 8`],
    [inPool, { 'max-age': '' }, `${key('max-age')} is missing: give a number of minutes, 1 to 1440`],
    [inPool, { 'max-age': '1441' }, `${key('max-age')} '1441' is not valid: give a number of minutes, 1 to 1440`],
    [inPool, { 'max-age': '0' }, `${key('max-age')} '0' is not valid: give a number of minutes, 1 to 1440`],
  ];
  for (const [list, more, sentence] of refused) {
    it(`in ${list}: ${sentence}`, () => {
      const config = parse({ ...launchedConfig(more, 'linux/arm64', list), ...hostConfigData({ a: 1 }) });
      expect(told(config)).to.deep.equal([sentence]);
      expect(config.pools.size, 'static hosts of a platform that is to be launched').to.equal(0);
      expect([...config.broken.keys()]).to.deep.equal(['linux/arm64']);
    });
  }

  it('a platform with mistakes is told of all of them, and breaks no other', () => {
    const good = launchedConfig({}, 'linux/s390x');
    const bad = launchedConfig({ 'max-instances': 'x', 'ssh-secret': '', type: 'aws' });
    const config = parse({ ...bad, ...good, 'dynamic-platforms': 'linux/arm64,linux/s390x,linux/ARM' });
    expect(told(config).map((it) => it.split(' ')[0])).to.have.members([
      'dynamic-platforms',
      key('max-instances'),
      key('type'),
    ]);
    expect([...config.pools.keys()]).to.deep.equal(['linux/s390x']);
  });

  it('one comma too many breaks nothing', () => {
    const config = parse({ ...launchedConfig(), 'dynamic-platforms': 'linux/arm64,,' });
    expect(told(config)).to.deep.equal(['dynamic-platforms has an empty entry in the middle: remove the extra comma']);
    expect([...config.pools.keys()]).to.deep.equal(['linux/arm64']);
  });

  it('a list with a mistake keeps the platforms it had', () => {
    const before = parse({ ...launchedConfig(), ...launchedConfig({}, 'linux/s390x', inPool) });
    const data = { ...launchedConfig(), ...launchedConfig({}, 'linux/s390x', inPool) };
    const wrong = { 'dynamic-platforms': 'linux_arm64', [inPool]: 's390x' };
    const config = parseHostConfig({ ...data, ...wrong }, before.known, tasks);
    expect([...config.pools.keys()]).to.have.members(['linux/arm64', 'linux/s390x']);
  });

  const ignored: readonly (readonly [string, Data, string])[] = [
    [inPool, { 'sudo-commands': 'ALL' }, `${key('sudo-commands')} is a key of dynamic-platforms only and is ignored`],
    [
      'dynamic-platforms',
      { concurrency: '4' },
      `${key('concurrency')} is a key of dynamic-pool-platforms only and is ignored`,
    ],
    ['dynamic-platforms', { flavour: 'x' }, `${key('flavour')} is no key of type 'toy' and is ignored`],
    ['dynamic-platforms', { 'launch-token': 'x' }, `${key('launch-token')} is set by the controller and is ignored`],
  ];
  for (const [list, more, sentence] of ignored) {
    it(`only told, in ${list}: ${sentence}`, () => {
      const config = parse(launchedConfig(more, 'linux/arm64', list));
      expect(told(config)).to.deep.equal([]);
      expect(told(config, 'warning')).to.deep.equal([sentence]);
      expect(launchedPool(config)).to.include({ sudoCommands: '' }).and.to.have.property('settings').that.is.empty;
    });
  }

  it('keys of a platform that is in no list are told once', () => {
    const data = { 'dynamic.linux-arm64.type': 'toy', 'dynamic.linux-arm64.ami': 'x', dynamic: 'y', 'dynamic.a': 'z' };
    expect(told(parse(data), 'warning')).to.have.members([
      'dynamic.linux-arm64 is in neither dynamic-platforms nor dynamic-pool-platforms, and its keys are ignored',
      'dynamic is not a key of host-config and is ignored',
      "dynamic.a is no key of a platform: give dynamic.<platform with dashes>.<key>, not 'dynamic.a'",
    ]);
  });

  it('limits of a launched platform are known, also while it is broken', () => {
    const limits = { 'linux-arm64.max-wait': '5m' };
    expect(launchedPool(parse({ ...launchedConfig(), ...limits })).limits.maxWait).to.equal(5 * minute);
    expect(told(parse({ ...launchedConfig({ type: '' }), ...limits }), 'warning')).to.deep.equal([]);
  });

  it('before the Tasks were read each launched platform waits for them', () => {
    const config = parseHostConfig({ ...launchedConfig(), ...hostConfigData({ a: 1 }, {}, 'linux/s390x') });
    expect(told(config)).to.deep.equal([
      `${key('type')} 'toy': the Tasks beside the controller are not read yet: if this stays, apply its RBAC`,
    ]);
    expect([...config.pools.keys()]).to.deep.equal(['linux/s390x']);
  });

  it('a launch Task without its terminate Task launches nothing', () => {
    const alone = providerTasks(aProviderTask('launch-toy'));
    expect(told(parseHostConfig(launchedConfig(), nothingKnown, alone))).to.deep.equal([
      `${key('type')} 'toy': there is no Task terminate-toy beside launch-toy: apply both`,
    ]);
  });

  it('a list Task need not be', () => {
    const [launch, terminate] = toyTasks();
    if (launch === undefined || terminate === undefined) throw new Error('no toy');
    const { provider } = launchedPool(
      parseHostConfig(launchedConfig(), nothingKnown, providerTasks(launch, terminate)),
    );
    expect(provider.list).to.equal(undefined);
  });
});
