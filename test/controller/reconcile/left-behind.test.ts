// What a slot, a host or a build is left with when something comes in between: a failover, a crash, a build that vanishes, a
// cleanup that somebody cancels. Each case was a real failure once.
import { expect } from 'chai';
import { minute, second } from '../../../controller/model/instant.ts';
import { endedStatus, operatorNamespace, readOwn } from '../../support/builders.ts';
import { hostConfigData } from '../../support/host-builders.ts';
import { apiError, type ClusterRequest } from '../../support/memory-cluster.ts';
import { ControllerStand } from './controller-stand.ts';

const prefix = 'build.appstudio.redhat.com';
const fullQuota = 'secrets "multi-platform-ssh-a" is forbidden: exceeded quota: all, requested: count/secrets=1';

/** Tekton, and Tasks that do what they are for; `cancels` says which TaskRuns of ours somebody cancels. */
async function play(
  stand: ControllerStand,
  seconds: number,
  cancels = (_name: string): boolean => false,
): Promise<void> {
  for (let passed = 0; passed < seconds; passed += 1) {
    for (const raw of stand.cluster.all('taskruns')) {
      const own = readOwn(raw);
      if (own?.outcome !== 'running') continue;
      const cancelled = own.cancelled || cancels(own.name);
      if (own.type === 'provision' && !cancelled)
        stand.cluster.put('secrets', own.userNamespace, { metadata: { name: `multi-platform-ssh-${own.userName}` } });
      endOwn(stand, own.name, cancelled ? 'failed' : 'succeeded', cancelled);
    }
    await stand.clock.advance(second);
  }
}

function endOwn(stand: ControllerStand, name: string, outcome: 'failed' | 'succeeded', cancelled = false): void {
  stand.cluster.change('taskruns', operatorNamespace, name, (taskRun) => {
    if (cancelled) taskRun['spec'] = { ...Object(taskRun['spec']), status: 'TaskRunCancelled' };
    taskRun['status'] = { ...Object(taskRun['status']), ...endedStatus(outcome, stand.clock.now()) };
  });
}

function provisionName(stand: ControllerStand): string {
  const own = stand.cluster.all('taskruns').flatMap((raw) => readOwn(raw) ?? []);
  return own.find(({ type, outcome }) => type === 'provision' && outcome === 'running')?.name ?? '';
}

describe('controller: nothing is left behind', () => {
  let stand: ControllerStand;
  afterEach(() => stand.stop());

  const startWith = async (hosts: Record<string, number>, ...names: string[]): Promise<void> => {
    stand = new ControllerStand(hostConfigData(hosts));
    stand.controller.start();
    for (const name of names) stand.create(name);
    await stand.clock.advance(second);
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

  it('a build that was being refused at a crash is refused, and does not take its error Secret for its key', async () => {
    await startWith({ only: 1 }, 'a');
    let dead = false;
    stand.cluster.fault = ({ verb, name, body }) => {
      dead ||= verb === 'patch' && name === 'a' && JSON.stringify(body).includes('rejected');
      return dead ? { before: new Promise(() => undefined) } : undefined;
    };
    endOwn(stand, provisionName(stand), 'succeeded');
    await stand.clock.advance(second);
    expect([dead, stand.errorOf('a')?.includes('failed to create a secret')]).to.deep.equal([true, true]);
    stand.cluster.fault = () => undefined;
    stand.renew();
    stand.controller.start();
    // A Secret of a young build may be that of an older one of its name.
    await play(stand, 20);
    expect(stand.build('a').facts).to.include({ rejected: 'SecretNotCreated' }).and.not.to.have.property('claim');
  });

  const cuts: readonly (readonly [string, (request: ClusterRequest) => boolean])[] = [
    ['the decision is written', ({ verb, body }) => verb === 'patch' && JSON.stringify(body).includes('untold')],
    ['its error Secret is made', ({ verb, resource }) => verb === 'create' && resource === 'secrets'],
    ['that is noted', ({ verb, body }) => verb === 'patch' && /rejected(?!.*untold)/.test(JSON.stringify(body))],
  ];
  for (const [what, isCut] of cuts) {
    const refuseAndCrash = async (): Promise<void> => {
      await startWith({ only: 1 });
      let dead = false;
      stand.cluster.fault = (request) => {
        dead ||= isCut(request);
        return dead ? { before: new Promise(() => undefined) } : undefined;
      };
      stand.create('a', 'linux/nobody-has-it');
      await stand.clock.advance(5 * second);
      expect(dead).to.equal(true);
      stand.cluster.fault = () => undefined;
      stand.renew();
    };

    it(`a build refused while it waits, and a crash before ${what}: it is told why`, async () => {
      await refuseAndCrash();
      stand.controller.start();
      // A Secret of a young build may be that of an older one of its name.
      await play(stand, 20);
      const platform = 'linux/nobody-has-it';
      expect(stand.build('a').facts).to.deep.equal({ attempt: 0, platform, rejected: 'PlatformUnknown' });
      expect(stand.errorOf('a')).to.contain(platform);
    });

    it(`a build refused while it waits, a crash before ${what}, and its end meanwhile: nothing is left`, async () => {
      await refuseAndCrash();
      stand.end('a');
      stand.controller.start();
      await play(stand, 20);
      expect(stand.cluster.find('secrets', 'team-a', 'multi-platform-ssh-a')).to.equal(undefined);
      expect(stand.build('a').finalizers).to.deep.equal([]);
    });
  }

  it('a build that ends in the moment in which it is refused: its error Secret goes', async () => {
    await startWith({ only: 1 });
    stand.cluster.fault = ({ verb, resource }) => {
      if (verb === 'create' && resource === 'secrets') stand.end('a');
      return undefined;
    };
    stand.create('a', 'linux/nobody-has-it');
    await play(stand, 20);
    expect([stand.build('a').facts?.rejected, stand.build('a').finalizers]).to.deep.equal(['PlatformUnknown', []]);
    expect(stand.cluster.find('secrets', 'team-a', 'multi-platform-ssh-a')).to.equal(undefined);
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
