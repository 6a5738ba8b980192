// What a slot, a host or a build is left with when something comes in between: a failover, a crash, a build that vanishes, a
// cleanup that somebody cancels. Each case was a real failure once.
import { expect } from 'chai';
import { minute, second } from '../../../controller/model/instant.ts';
import { operatorNamespace, readOwn } from '../../support/builders.ts';
import { hostConfigData } from '../../support/host-builders.ts';
import { apiError } from '../../support/memory-cluster.ts';
import type { ControllerStand } from './controller-stand.ts';
import { endOwn, play, provisionName, standWith } from './played-stand.ts';

const prefix = 'build.appstudio.redhat.com';
const fullQuota = 'secrets "multi-platform-ssh-a" is forbidden: exceeded quota: all, requested: count/secrets=1';

describe('controller: nothing is left behind', () => {
  let stand: ControllerStand;
  afterEach(() => stand.stop());

  const startWith = async (...hosts: Parameters<typeof standWith>): Promise<void> => {
    stand = await standWith(...hosts);
  };

  it('a build that is deleted while another replica acts holds no slot for the one that takes over', async () => {
    await startWith({ only: 1 }, 'a');
    const standby = stand.addStandby();
    await play(stand, 5);
    expect(stand.placed()).to.deep.equal({ a: 'only' });
    stand.cluster.remove('taskruns', 'team-a', 'a');
    await play(stand, 10);
    const stopped = stand.controller.stop();
    await stand.clock.advance(minute);
    await stopped;
    stand.controller = standby;
    standby.start();
    stand.create('b');
    await play(stand, 5);
    expect(stand.placed()).to.deep.equal({ b: 'only' });
  });

  it('a cleanup that somebody cancels has one successor', async () => {
    await startWith({ only: 1 }, 'a');
    let made = 0;
    stand.cluster.watch('taskruns', ({ type, object }) => {
      if (type === 'ADDED' && readOwn(object)?.type === 'clean') made += 1;
    });
    await play(stand, 5);
    stand.end('a');
    await play(stand, 300, () => made === 1);
    expect(made).to.equal(2);
  });

  it('a provision that is lost in a namespace that is full of Secrets is made again', async () => {
    await startWith({ only: 1 });
    stand.cluster.fault = ({ verb, resource, namespace }) =>
      verb === 'create' && resource === 'secrets' && namespace === 'team-a'
        ? { before: apiError('refused', fullQuota) }
        : undefined;
    stand.create('a');
    await stand.clock.advance(second);
    stand.cluster.remove('taskruns', operatorNamespace, provisionName(stand));
    await stand.clock.advance(minute);
    expect(stand.build('a').facts?.attempt).to.equal(2);
    expect(stand.provisions()).to.deep.equal(['a']);
  });

  it('a build in its own pod, in a namespace that is full of Secrets, is told so once, and goes on when there is room', async () => {
    await startWith({ only: 1 });
    stand.cluster.fault = ({ verb, resource }) =>
      verb === 'create' && resource === 'secrets' ? { before: apiError('refused', fullQuota) } : undefined;
    stand.configure({ ...hostConfigData({ only: 1 }), 'local-platforms': 'localhost' });
    stand.create('a', 'localhost');
    await stand.clock.advance(minute);
    const told = stand.cluster.all('events').map((event) => `${String(event['reason'])}: ${String(event['message'])}`);
    expect(told.filter((it) => it.startsWith('ProvisionFailed'))).to.have.length(1);
    expect(told.join()).to.contain(`its Secret cannot be made, trying again: ${fullQuota}`);
    stand.cluster.fault = () => undefined;
    await stand.clock.advance(minute);
    expect(stand.build('a').facts?.ready).to.equal(true);
  });

  it('a slot that was just given to a build that vanishes goes to the next one at once', async () => {
    await startWith({ only: 1 });
    let answer: () => void = () => undefined;
    stand.cluster.fault = ({ verb, name, body }) =>
      verb === 'patch' && name === 'a' && JSON.stringify(body).includes('claim')
        ? { before: new Promise<void>((resolve) => (answer = resolve)) }
        : undefined;
    for (const name of ['a', 'b']) {
      stand.create(name);
      await stand.clock.advance(second);
    }
    stand.cluster.remove('taskruns', 'team-a', 'a');
    await stand.clock.advance(second);
    answer();
    await stand.clock.advance(second);
    expect(stand.placed()).to.deep.equal({ b: 'only' });
  });

  it('a claim under way is answered before this process says that it has stopped, and another acts', async () => {
    await startWith({ only: 1 });
    let answer: () => void = () => undefined;
    stand.cluster.fault = ({ verb, name }) =>
      verb === 'patch' && name === 'a' ? { before: new Promise<void>((resolve) => (answer = resolve)) } : undefined;
    stand.create('a');
    await stand.clock.advance(second);
    let stopped = false;
    const stopping = stand.controller.stop().then(() => (stopped = true));
    await stand.clock.advance(minute);
    expect(stopped).to.equal(false);
    answer();
    await stopping;
    expect(stand.placed()).to.deep.equal({ a: 'only' });
  });

  it('labels and failed hosts of an earlier attempt, which Tekton writes back with its facts, are put right', async () => {
    await startWith({ one: 1, two: 1 }, 'a');
    const before = structuredClone(stand.cluster.find('taskruns', 'team-a', 'a')?.metadata);
    const first = stand.build('a').facts?.claim?.host;
    endOwn(stand, provisionName(stand), 'failed');
    await stand.clock.advance(2 * second);
    const { facts, failedHosts } = stand.build('a');
    expect([facts?.attempt, failedHosts]).to.deep.equal([2, [first]]);
    stand.cluster.change('taskruns', 'team-a', 'a', ({ metadata }) => {
      Object.assign(metadata, {
        labels: { ...Object(metadata.labels), ...before?.labels },
        annotations: before?.annotations,
      });
    });
    await stand.clock.advance(second);
    const now = stand.cluster.find('taskruns', 'team-a', 'a')?.metadata.labels ?? {};
    expect(now).to.include({ [`${prefix}/assigned-host`]: facts?.claim?.host, [`${prefix}/attempt`]: '2' });
    expect([stand.build('a').facts, stand.build('a').failedHosts]).to.deep.equal([facts, failedHosts]);
  });
});
