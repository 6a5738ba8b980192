import { expect } from 'chai';
import { readProviderTask } from '../../../controller/taskruns/read-provider-task.ts';
import { aProviderTask } from '../../support/provider-builders.ts';

describe('read a Task of a provider', () => {
  for (const name of ['launch-pod', 'terminate-pod', 'list-pod', 'launch-my-cloud']) {
    it(`${name} is one`, () => {
      expect(aProviderTask(name).build()).to.deep.equal({
        name,
        params: [],
        workspaces: [],
        configSchema: undefined,
        credentialsKey: undefined,
        preparesItself: false,
      });
    });
  }

  for (const name of ['provision-shared-host', 'launch-', 'launcher', 'relaunch-pod', 'list']) {
    it(`${name} is none`, () => {
      expect(readProviderTask({ metadata: { name } })).to.equal(undefined);
    });
  }

  it('params have a default, or not; only text can be given', () => {
    const params = [
      { name: 'A' },
      { name: 'B', default: '' },
      { name: 'C', type: 'string', default: 'x' },
      { name: 'D', type: 'array' },
      { name: 'E', default: ['x'] },
    ];
    const task = readProviderTask({ metadata: { name: 'launch-x' }, spec: { params } });
    expect(task?.params).to.deep.equal([
      { name: 'A', hasDefault: false, isText: true },
      { name: 'B', hasDefault: true, isText: true },
      { name: 'C', hasDefault: true, isText: true },
      { name: 'D', hasDefault: false, isText: false },
      { name: 'E', hasDefault: true, isText: false },
    ]);
  });

  it('workspaces may be optional; annotations say the rest', () => {
    const task = aProviderTask('launch-x')
      .withWorkspace('ssh')
      .withWorkspace('credentials', true)
      .withCredentials(' cloud-secret ')
      .withSchema({ type: 'object' })
      .preparingItself()
      .build();
    expect(task).to.deep.include({
      workspaces: [
        { name: 'ssh', optional: false },
        { name: 'credentials', optional: true },
      ],
      credentialsKey: 'cloud-secret',
      configSchema: '{"type":"object"}',
      preparesItself: true,
    });
  });

  for (const odd of [
    {},
    { metadata: 3 },
    { metadata: { name: 'launch-x' }, spec: { params: 'x', workspaces: [null] } },
  ]) {
    it(`${JSON.stringify(odd)} does no harm`, () => {
      expect(() => readProviderTask(odd)).not.to.throw();
    });
  }
});
