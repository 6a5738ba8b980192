// What tasks/README.md promises of a provider, on the example it shows.
import { expect } from 'chai';
import { parse } from 'yaml';
import { nothingKnown } from '../../controller/config/host-config.ts';
import { parseHostConfig } from '../../controller/config/parse-host-config.ts';
import type { ProviderTasks } from '../../controller/model/provider.ts';
import { readProviderTask } from '../../controller/taskruns/read-provider-task.ts';
import { ExampleProvider, exampleConfig } from './example-provider.ts';

const token = (nth: number): string => `mp-${String(nth).padStart(20, '0')}`;

describe('the provider of tasks/README.md', function () {
  this.timeout(60_000);
  let provider: ExampleProvider;
  let tasks: ProviderTasks;

  before(async () => {
    provider = await ExampleProvider.start();
    const read = (await provider.tasks()).map((task) => readProviderTask(task));
    tasks = new Map(read.flatMap((task) => (task === undefined ? [] : [[task.name, task]])));
  });
  beforeEach(() => provider.lend({ '192.0.2.10': '', '192.0.2.11': '' }));
  after(() => provider.stop());

  it('is what its host-config needs', () => {
    expect([...tasks.keys()]).to.have.members(['launch-spare', 'terminate-spare', 'list-spare']);
    const { pools, problems } = parseHostConfig(parse(exampleConfig), nothingKnown, tasks);
    expect(problems).to.deep.equal([]);
    expect([...pools.values()].map(({ kind, platform }) => `${kind} ${platform}`)).to.deep.equal([
      'dynamic-pool linux/arm64',
    ]);
  });

  it('says what is wrong with a key of its own', () => {
    const config = { ...parse(exampleConfig), 'dynamic.linux-arm64.account': 'a b' };
    expect(
      parseHostConfig(config, nothingKnown, tasks).problems.map(({ key, message }) => `${key} ${message}`),
    ).to.deep.equal(["dynamic.linux-arm64.account 'a b' is not valid: give the account to log in with"]);
  });

  it('launches a host for a token, and the same one again', async () => {
    const first = await provider.run('launch-spare', { LAUNCH_TOKEN: token(1), ACCOUNT: 'builder' });
    expect(first.code, first.log).to.equal(0);
    expect(first.results).to.deep.equal({ INSTANCE_ID: '192.0.2.10', ADDRESS: '192.0.2.10', USER: 'builder' });
    const again = await provider.run('launch-spare', { LAUNCH_TOKEN: token(1), ACCOUNT: 'builder' });
    expect(again.results).to.deep.equal(first.results);
    expect(await provider.lent()).to.deep.equal({ '192.0.2.10': token(1), '192.0.2.11': '' });
  });

  it('gives no host twice, and says when there is none', async () => {
    const outcomes = await Promise.all(
      [1, 2, 3].map((nth) => provider.run('launch-spare', { LAUNCH_TOKEN: token(nth) })),
    );
    const addresses = outcomes.flatMap(({ results }) => results['ADDRESS'] ?? []);
    expect(addresses).to.have.members(['192.0.2.10', '192.0.2.11']);
    const refused = outcomes.filter(({ code }) => code !== 0);
    expect(refused.map(({ results }) => results)).to.deep.equal([
      { REASON: 'InsufficientCapacity', MESSAGE: 'every spare host is lent' },
    ]);
  });

  it('takes a host back, as often as it is asked to', async () => {
    await provider.run('launch-spare', { LAUNCH_TOKEN: token(1) });
    for (const time of ['first', 'second']) {
      const { code, log } = await provider.run('terminate-spare', { LAUNCH_TOKEN: token(1) });
      expect(code, `${time}: ${log}`).to.equal(0);
    }
    expect(await provider.lent()).to.deep.equal({ '192.0.2.10': '', '192.0.2.11': '' });
  });

  it('lists what is lent', async () => {
    await provider.lend({ '192.0.2.10': '', '192.0.2.11': token(7) });
    const { results } = await provider.run('list-spare');
    expect(JSON.parse(results['INSTANCES'] ?? '')).to.deep.equal([{ id: '192.0.2.11', token: token(7) }]);
  });

  it('fails where it cannot know', async () => {
    const rights = '/apis/rbac.authorization.k8s.io/v1/namespaces/multi-platform-controller/rolebindings/spare-hosts';
    const binding = await provider.api.ask('GET', rights);
    await provider.api.ask('DELETE', rights);
    try {
      for (const name of ['launch-spare', 'terminate-spare', 'list-spare']) {
        const { code } = await provider.run(name, { LAUNCH_TOKEN: token(1) });
        expect(code, name).not.to.equal(0);
      }
    } finally {
      const { metadata, roleRef, subjects } = binding;
      const restored = { metadata: { name: metadata.name }, roleRef, subjects };
      await provider.api.ask('POST', rights.slice(0, rights.lastIndexOf('/')), restored);
    }
  });
});
