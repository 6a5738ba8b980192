// Writes of ours and of others that cross, on the whole controller in memory: each case was a real failure once.
import { expect } from 'chai';
import { signFacts } from '../../../controller/lease/signed-facts.ts';
import { second } from '../../../controller/model/instant.ts';
import { storedKeyName } from '../../../controller/model/one-time-key.ts';
import { operatorNamespace, testKey } from '../../support/builders.ts';
import { hostConfigData } from '../../support/host-builders.ts';
import { apiError, type ClusterRequest } from '../../support/memory-cluster.ts';
import { ControllerStand } from './controller-stand.ts';

const leaseAnnotation = 'build.appstudio.redhat.com/host-lease';

const isPatchOf = (request: ClusterRequest, name: string, word: string): boolean =>
  request.verb === 'patch' && request.name === name && JSON.stringify(request.body).includes(word);

/** Holds one answer back until it is let go. */
class Held {
  count = 0;
  letGo: () => void = () => undefined;
  readonly wait = (): Promise<void> => {
    this.count += 1;
    return new Promise((resolve) => (this.letGo = resolve));
  };
}

describe('controller: writes that cross', () => {
  let stand: ControllerStand;
  afterEach(() => stand.stop());

  const startWith = async (config: Record<string, string>, ...names: string[]): Promise<void> => {
    stand = new ControllerStand(config);
    stand.controller.start();
    for (const name of names) {
      stand.create(name);
      await stand.clock.advance(100);
    }
  };

  it('a build whose claim is refused for ever does not block its platform', async () => {
    await startWith(hostConfigData({ only: 1 }));
    stand.cluster.fault = (request) =>
      isPatchOf(request, 'a', 'claim') ? { before: apiError('refused', 'a policy of this namespace') } : undefined;
    for (const name of ['a', 'b']) {
      stand.create(name);
      await stand.clock.advance(100);
    }
    await stand.clock.advance(60 * second);
    expect(stand.placed()).to.deep.equal({ b: 'only' });
  });

  it('the late answer to an announcement does not hide a claim', async () => {
    await startWith(hostConfigData({ only: 1 }), 'a', 'b', 'c');
    await stand.clock.advance(5 * second);
    stand.configure(hostConfigData({ only: 1, two: 1 }, { 'cordoned-hosts': 'two' }));
    stand.watch.lag = 60 * second;
    const held = new Held();
    stand.cluster.fault = (request) =>
      held.count === 0 && isPatchOf(request, 'b', 'wait-reason') ? { after: held.wait() } : undefined;
    while (held.count === 0) await stand.clock.advance(100);
    stand.configure(hostConfigData({ only: 1, two: 1 }));
    await stand.clock.advance(100);
    expect(stand.placed()).to.deep.equal({ a: 'only', b: 'two' });
    held.letGo();
    stand.configure(hostConfigData({ only: 1, two: 1, three: 1 }));
    await stand.clock.advance(3 * second);
    expect(Math.max(...stand.worst.values())).to.equal(1);
  });

  it('an announcement that comes after the claim leaves no trace', async () => {
    await startWith(hostConfigData({ only: 1 }), 'a', 'b');
    const held = new Held();
    stand.cluster.fault = (request) =>
      held.count < 1 && isPatchOf(request, 'b', 'wait-reason') ? { before: held.wait() } : undefined;
    while (held.count === 0) await stand.clock.advance(100);
    stand.configure(hostConfigData({ only: 1, two: 1 }));
    await stand.clock.advance(100);
    held.letGo();
    await stand.clock.advance(60 * second);
    const { waitingFor, waitReason, queuePosition } = stand.build('b');
    expect([waitingFor, waitReason, queuePosition]).to.deep.equal([undefined, undefined, undefined]);
  });

  it('facts that Tekton sets back to what they were make no second provision TaskRun', async () => {
    await startWith(hostConfigData({ one: 1, two: 1 }), 'a');
    await stand.clock.advance(second);
    const provision = (): string[] =>
      stand.cluster
        .all('taskruns')
        .flatMap(({ metadata }) => (metadata.name.includes('-prov-') ? [metadata.name] : []));
    const [first = ''] = provision();
    const older = stand.cluster.find('taskruns', 'team-a', 'a')?.metadata.annotations?.[leaseAnnotation];
    stand.cluster.put('secrets', 'team-a', { metadata: { name: 'multi-platform-ssh-a' } });
    stand.cluster.change('taskruns', 'multi-platform-controller', first, (taskRun) => {
      Object.assign(taskRun, { status: { conditions: [{ type: 'Succeeded', status: 'True' }] } });
    });
    await stand.clock.advance(second);
    expect(stand.build('a').facts?.ready).to.equal(true);
    stand.cluster.change('taskruns', 'team-a', 'a', ({ metadata }) => {
      Object.assign(metadata, { annotations: { [leaseAnnotation]: older } });
    });
    await stand.clock.advance(second);
    expect(stand.build('a').facts?.ready).to.equal(true);
    expect(provision()).to.deep.equal([]);
  });

  it('an annotation from before its key was noted, which Tekton writes back, does not keep the key for ever', async () => {
    await startWith(hostConfigData({ only: 1 }), 'a');
    const [first = ''] = stand.cluster
      .all('taskruns')
      .flatMap(({ metadata: { name } }) => (/-prov-/.test(name) ? [name] : []));
    stand.cluster.put('secrets', 'team-a', { metadata: { name: 'multi-platform-ssh-a' } });
    const key = storedKeyName(stand.build('a').uid);
    stand.cluster.put('secrets', operatorNamespace, { metadata: { name: key } });
    stand.cluster.change('taskruns', operatorNamespace, first, (taskRun) => {
      const results = [{ name: 'ONE_TIME_KEY', value: 'true' }];
      Object.assign(taskRun, { status: { conditions: [{ type: 'Succeeded', status: 'True' }], results } });
    });
    await stand.clock.advance(second);
    const { facts, uid } = stand.build('a');
    if (facts?.oneTimeKey === undefined) throw new Error('no key noted');
    const { oneTimeKey: _, ...older } = facts;
    stand.cluster.change('taskruns', 'team-a', 'a', ({ metadata }) => {
      Object.assign(metadata, { annotations: { [leaseAnnotation]: signFacts(testKey, uid, older) } });
    });
    await stand.clock.advance(second);
    expect(stand.build('a').facts?.oneTimeKey).to.equal(true);
    stand.end('a');
    await stand.clock.advance(second);
    expect(stand.cluster.find('secrets', operatorNamespace, key)).to.equal(undefined);
  });

  it('facts a tenant takes away are put back, and the host is cleaned in the end', async () => {
    await startWith(hostConfigData({ one: 1, two: 1 }), 'a');
    await stand.clock.advance(second);
    const host = stand.build('a').facts?.claim?.host;
    stand.cluster.change('taskruns', 'team-a', 'a', (taskRun) => {
      Object.assign(taskRun.metadata, { annotations: {} });
    });
    await stand.clock.advance(second);
    expect(stand.build('a').facts?.claim?.host).to.equal(host);
    stand.end('a');
    await stand.clock.advance(60 * second);
    const names = stand.cluster.all('taskruns').map(({ metadata }) => metadata.name);
    expect(names.filter((name) => name.includes('-cleanup-'))).to.have.length(1);
  });
});
