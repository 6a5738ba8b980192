// Launched hosts nobody knows any more: found by the lists of their provider, and terminated.
import { expect } from 'chai';
import { nothingKnown } from '../../../controller/config/host-config.ts';
import { parseHostConfig } from '../../../controller/config/parse-host-config.ts';
import { signFacts } from '../../../controller/lease/signed-facts.ts';
import { minute, second } from '../../../controller/model/instant.ts';
import { asArray, asObject, asTextMap, type Json } from '../../../controller/model/json.ts';
import { annotations, labels } from '../../../controller/model/labels.ts';
import { InstanceSweep } from '../../../controller/reconcile/instance-sweep.ts';
import { isOwnToken } from '../../../controller/taskruns/launch-token.ts';
import { aTaskRun, endedStatus, operatorNamespace, testKey, type TaskRunBuilder } from '../../support/builders.ts';
import { launching, tokens } from '../../support/launched-builds.ts';
import { MemoryStand } from '../../support/memory-stand.ts';
import { aPool } from '../../support/pool-builders.ts';
import { aProviderTask, launchedConfig, providerTasks, toyTasks } from '../../support/provider-builders.ts';

const tokenOf = (uid: string): string => tokens({ uid, namespace: 'team-a', name: 'gone', attempt: 1 });
const lost = { id: 'i-1', token: tokenOf('lost') };

class Stand extends MemoryStand {
  readonly found: string[] = [];
  config = parseHostConfig(launchedConfig({ colour: 'red' }), nothingKnown, providerTasks(...toyTasks()));
  #sweep = this.#newSweep();

  restart(): void {
    this.#sweep = this.#newSweep();
  }

  /** Once, as every minute. */
  sweep(): Promise<void> {
    return this.#sweep.sweep();
  }

  ofType(type: string): Json[] {
    const own = this.cluster.all('taskruns').filter((raw) => asTextMap(raw.metadata.labels)[labels.taskType] === type);
    return own.filter((raw) => raw.metadata.deletionTimestamp === undefined);
  }

  paramsOf(taskRun: Json | undefined): Record<string, unknown> {
    const params = asArray(asObject(taskRun?.['spec'])['params']).map(asObject);
    return Object.fromEntries(params.map(({ name, value }) => [name, value]));
  }

  /** Has them listed: the TaskRun that runs says so, or fails. */
  async list(instances: unknown): Promise<void> {
    await this.sweep();
    const [running] = this.ofType('list').filter((raw) => asObject(raw['status'])['completionTime'] === undefined);
    const name = String(asObject(running?.['metadata'])['name']);
    await this.clock.advance(5 * second);
    this.cluster.change('taskruns', operatorNamespace, name, (object) => {
      const results = [{ name: 'INSTANCES', value: JSON.stringify(instances) }];
      object['status'] =
        instances === undefined
          ? endedStatus('failed', this.clock.now(), 'no answer')
          : { ...endedStatus('succeeded', this.clock.now()), results };
    });
    await this.clock.advance(minute);
    await this.sweep();
  }

  later(): Promise<void> {
    return this.clock.advance(10 * minute);
  }

  /** A build as the API server has it; returns its host. */
  put(name: string, builder: TaskRunBuilder): string {
    const { facts } = builder.build();
    const { metadata, spec, status } = builder.raw();
    const { uid } = this.cluster.put('taskruns', 'team-a', { metadata: { ...metadata, name }, spec, status }).metadata;
    if (facts?.claim === undefined) throw new Error('it has no host');
    const signed = signFacts(testKey, uid, facts);
    this.cluster.change('taskruns', 'team-a', name, (object) => {
      object['metadata'] = { ...asObject(object['metadata']), annotations: { [annotations.hostLease]: signed } };
    });
    return facts.claim.host;
  }

  #newSweep(): InstanceSweep {
    return new InstanceSweep({
      taskRuns: this.taskRuns,
      config: () => this.config,
      isOwnToken: (token) => isOwnToken(testKey, token),
      perform: this.perform,
      clock: this.clock,
      operatorNamespace,
      onFound: (platform, { id }) => void this.found.push(`${platform} ${id}`),
      onError: (message, error) => void this.errors.push(`${message}: ${String(error)}`),
    });
  }
}

describe('sweep of launched hosts', () => {
  let stand: Stand;
  beforeEach(() => (stand = new Stand()));

  it('lists them as soon as it begins, once', async () => {
    await stand.sweep();
    await stand.sweep();
    const [list, ...others] = stand.ofType('list');
    expect(others).to.deep.equal([]);
    expect(asObject(list?.['spec'])['taskRef']).to.deep.equal({ name: 'list-toy' });
    expect(stand.paramsOf(list)).to.deep.equal({ INSTANCE_TAG: '' });
  });

  it('terminates what two lists in a row name and nobody knows', async () => {
    await stand.list([lost]);
    expect(stand.ofType('terminate')).to.deep.equal([]);
    await stand.later();
    await stand.list([lost]);
    const [terminate, ...others] = stand.ofType('terminate');
    expect(others).to.deep.equal([]);
    expect(stand.paramsOf(terminate)).to.include({ LAUNCH_TOKEN: lost.token, INSTANCE_ID: 'i-1' });
    expect(asObject(terminate?.['spec'])['taskRef']).to.deep.equal({ name: 'terminate-toy' });
    expect(stand.found).to.deep.equal(['linux/arm64 i-1']);
  });

  it('once: while it is being terminated it is known', async () => {
    for (let nth = 0; nth < 4; nth += 1) {
      await stand.list([lost]);
      await stand.later();
    }
    expect(stand.ofType('terminate')).to.have.length(1);
  });

  it('what only one list named was about to go', async () => {
    await stand.list([lost]);
    await stand.later();
    await stand.list([]);
    expect(stand.ofType('terminate')).to.deep.equal([]);
  });

  it('leaves alone what another installation launched, and what has no token', async () => {
    const others = [{ id: 'i-2', token: 'mp-00000000000000000000' }, { id: 'i-3', token: '' }, { id: 'i-4' }, 'i-5'];
    for (let nth = 0; nth < 3; nth += 1) {
      await stand.list(others);
      stand.restart();
      await stand.later();
    }
    expect(stand.ofType('terminate')).to.deep.equal([]);
  });

  it('leaves alone hosts of builds, also of those that ended', async () => {
    const aBuild = (name: string): TaskRunBuilder =>
      launching(aTaskRun().named(name).forPlatform('linux/arm64'), aPool());
    const hosts = [stand.put('live', aBuild('live')), stand.put('ended', aBuild('ended').ended())];
    for (let nth = 0; nth < 2; nth += 1) {
      await stand.list(hosts.map((token, index) => ({ id: `i-${index}`, token })));
      await stand.later();
    }
    expect(stand.ofType('terminate')).to.deep.equal([]);
  });

  it('lists again while there may be any, and not where there is none', async () => {
    await stand.list([]);
    await stand.later();
    await stand.sweep();
    const [before] = stand.ofType('list');
    stand.put('live', launching(aTaskRun().forPlatform('linux/arm64'), aPool()));
    await stand.sweep();
    const after = stand.ofType('list');
    expect(after).to.have.length(2);
    expect(after.map(({ metadata }) => asObject(metadata)['uid'])).to.include(asObject(before?.['metadata'])['uid']);
  });

  it('keeps one list of a platform', async () => {
    for (let nth = 0; nth < 3; nth += 1) {
      await stand.list([lost]);
      await stand.later();
    }
    expect(stand.ofType('list')).to.have.length(1);
  });

  it('keeps none of a platform that is not configured any more', async () => {
    await stand.list([lost]);
    stand.config = parseHostConfig({});
    await stand.sweep();
    expect(stand.ofType('list')).to.deep.equal([]);
  });

  it('a list that fails is told, and tried again; it clears nobody', async () => {
    await stand.list([lost]);
    await stand.later();
    await stand.list(undefined);
    expect(stand.errors).to.have.length(1);
    expect(stand.errors[0]).to.match(/^instances could not be listed: Error: TaskRun list-linux-arm64-\S+: no answer$/);
    await stand.later();
    await stand.list([lost]);
    expect(stand.ofType('terminate')).to.have.length(1);
  });

  for (const odd of [{ instances: [] }, 'none', 3]) {
    it(`${JSON.stringify(odd)} is no list`, async () => {
      await stand.list(odd);
      expect(stand.errors).to.have.length(1);
    });
  }

  it('a provider without a list is not asked', async () => {
    const tasks = providerTasks(aProviderTask('launch-toy').withDefault('COLOUR'), aProviderTask('terminate-toy'));
    stand.config = parseHostConfig(launchedConfig(), nothingKnown, tasks);
    await stand.sweep();
    expect(stand.cluster.all('taskruns')).to.deep.equal([]);
  });
});
