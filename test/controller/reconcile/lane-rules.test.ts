// Rules of host-config for a platform, as the controller keeps them: whatever lags, and through failures.
import { expect } from 'chai';
import { minute, second } from '../../../controller/model/instant.ts';
import { asTextMap } from '../../../controller/model/json.ts';
import { annotations } from '../../../controller/model/labels.ts';
import type { OwnTaskRun } from '../../../controller/model/task-run.ts';
import { endedStatus, operatorNamespace, readOwn } from '../../support/builders.ts';
import { hostConfigData } from '../../support/host-builders.ts';
import { apiError } from '../../support/memory-cluster.ts';
import { ControllerStand } from './controller-stand.ts';

const config = (hosts: Readonly<Record<string, number>>, more: Readonly<Record<string, string>> = {}) =>
  hostConfigData(hosts, { 'update-interval': 'never', ...more });

function started(data: Readonly<Record<string, string>>): ControllerStand {
  const stand = new ControllerStand(data);
  stand.controller.start();
  return stand;
}

function own(stand: ControllerStand, type: OwnTaskRun['type']): OwnTaskRun[] {
  const all = stand.cluster.all('taskruns').flatMap((raw) => readOwn(raw) ?? []);
  return all.filter((it) => it.type === type && it.outcome === 'running');
}

/** Ends every running TaskRun of ours of that type; how many there were. */
async function endOwn(
  stand: ControllerStand,
  type: OwnTaskRun['type'],
  ending: 'succeeded' | 'failed',
): Promise<number> {
  const running = own(stand, type);
  for (const { name } of running) {
    stand.cluster.change('taskruns', operatorNamespace, name, (object) => {
      object['status'] = endedStatus(ending, stand.clock.now());
    });
  }
  await stand.clock.advance(100);
  return running.length;
}

function prioritized(stand: ControllerStand, name: string, priority: string): void {
  stand.create(name);
  stand.cluster.change('taskruns', 'team-a', name, (object) => {
    object.metadata.annotations = { ...asTextMap(object.metadata['annotations']), [annotations.priority]: priority };
  });
}

const warnings = (stand: ControllerStand): string[] =>
  stand.cluster.all('events').flatMap((it) => (it['type'] === 'Warning' ? [String(it['message'])] : []));

describe('rules of a platform: priority', () => {
  it('a higher one comes first', async () => {
    const stand = started(config({ only: 1 }, { priority: 'true' }));
    for (const [name, priority] of [
      ['a', '0'],
      ['b', '0'],
      ['c', '5'],
    ] as const) {
      prioritized(stand, name, priority);
      await stand.clock.advance(10);
    }
    stand.end('a');
    await stand.clock.advance(second);
    expect(stand.build('c').facts?.claim?.host).to.equal('only');
    expect(await stand.stop()).to.equal(0);
  });

  it('one that is no integer counts as 0, and is told once', async () => {
    const stand = started(config({ only: 1 }, { priority: 'true' }));
    prioritized(stand, 'a', 'high');
    for (const name of ['b', 'c', 'd']) {
      stand.create(name);
      await stand.clock.advance(second);
    }
    expect(stand.placed()).to.deep.equal({ a: 'only' });
    expect(warnings(stand)).to.deep.equal([
      "annotation build.appstudio.redhat.com/priority is 'high', which counts as 0: give an integer, as 10 or -5",
    ]);
    await stand.stop();
  });

  it('nobody is told of one where it does not count', async () => {
    const stand = started(config({ only: 1 }));
    prioritized(stand, 'a', 'high');
    await stand.clock.advance(second);
    expect(warnings(stand)).to.deep.equal([]);
    await stand.stop();
  });
});

describe('rules of a platform: namespaces', () => {
  for (const lag of [0, 5 * second]) {
    it(`none holds more than it may, with a watch that lags ${lag / second} s`, async () => {
      const stand = started(config({ a: 8, b: 8 }, { 'max-per-namespace': '3' }));
      stand.watch.lag = lag;
      for (let nth = 0; nth < 20; nth += 1) stand.create(`b${nth}`, 'linux/arm64', `team-${nth % 2}`);
      for (let round = 0; round < 4; round += 1) {
        await stand.clock.advance(lag + second);
        expect(Object.keys(stand.placed())).to.have.length(6);
      }
      expect(stand.build('b19', 'team-1').waitReason).to.include('holds all 3 slots');
      await stand.stop();
    });
  }

  it('take turns, claims that nobody has seen yet included', async () => {
    const stand = started(config({ a: 4 }, { 'fair-share': 'true' }));
    stand.watch.lag = second;
    for (let nth = 0; nth < 6; nth += 1) stand.create(`x${nth}`, 'linux/arm64', 'team-x');
    stand.create('y', 'linux/arm64', 'team-y');
    stand.create('z', 'linux/arm64', 'team-z');
    await stand.clock.advance(10 * second);
    expect(Object.keys(stand.placed())).to.have.members(['x0', 'x1', 'y', 'z']);
    await stand.stop();
  });
});

describe('rules of a platform: slots that are kept until a host is clean', () => {
  for (const [what, ending] of [
    ['succeeded', 'succeeded'],
    ['failed for the first time', 'failed'],
  ] as const) {
    it(`the next build comes when the cleanup ${what}`, async () => {
      const stand = started(config({ only: 1 }, { 'release-slot-after': 'cleanup' }));
      stand.create('a');
      await stand.clock.advance(second);
      stand.create('b');
      await endOwn(stand, 'provision', 'succeeded');
      stand.end('a');
      await stand.clock.advance(20 * second);
      expect([own(stand, 'clean').length, stand.placed()['b']]).to.deep.equal([1, undefined]);
      await endOwn(stand, 'clean', ending);
      expect(stand.build('b').facts?.claim?.host).to.equal('only');
      await stand.stop();
    });
  }

  it('elsewhere it comes when the build has ended', async () => {
    const stand = started(config({ only: 1 }));
    stand.create('a');
    await stand.clock.advance(second);
    stand.create('b');
    stand.end('a');
    await stand.clock.advance(100);
    expect(stand.build('b').facts?.claim?.host).to.equal('only');
    await stand.stop();
  });
});

describe('rules of a platform: quarantine', () => {
  /** Three builds of three namespaces fail on `bad`, which has most slots. */
  async function withBadHost(): Promise<ControllerStand> {
    const stand = started(config({ bad: 9, x: 1, y: 1 }));
    for (const name of ['a', 'b', 'c']) stand.create(name, 'linux/arm64', `team-${name}`);
    await stand.clock.advance(10);
    expect(new Set(Object.values(stand.placed()))).to.deep.equal(new Set(['bad']));
    expect(await endOwn(stand, 'provision', 'failed')).to.equal(3);
    return stand;
  }

  it('a host on which three provisions failed gets no builds for a minute', async () => {
    const stand = await withBadHost();
    expect(Object.values(stand.placed())).to.have.members(['x', 'y']);
    stand.create('d', 'linux/arm64', 'team-d');
    await stand.clock.advance(59 * second);
    expect(stand.placed()).to.not.have.property('d');
    await stand.clock.advance(2 * second);
    expect(stand.build('d', 'team-d').facts?.claim?.host).to.equal('bad');
    await stand.stop();
  });

  it('those that wait are told', async () => {
    const stand = await withBadHost();
    await stand.clock.advance(5 * second);
    const [waiting] = stand.builds().filter(({ facts }) => facts?.claim === undefined);
    expect(waiting?.waitReason).to.equal('all 11 slots of the platform are taken or on quarantined hosts');
    await stand.stop();
  });

  it('one namespace alone closes no host for others', async () => {
    const stand = started(config({ bad: 9, x: 1, y: 1 }));
    for (const name of ['a', 'b', 'c', 'd']) stand.create(name, 'linux/arm64', 'team-evil');
    await stand.clock.advance(10);
    await endOwn(stand, 'provision', 'failed');
    stand.create('other', 'linux/arm64', 'team-good');
    stand.create('again', 'linux/arm64', 'team-evil');
    await stand.clock.advance(minute / 2);
    expect(stand.build('other', 'team-good').facts?.claim?.host).to.equal('bad');
    expect(stand.build('again', 'team-evil').facts?.claim).to.equal(undefined);
    await stand.stop();
  });
});

describe('rules of a platform: the end', () => {
  it('a stop ends the question what became of a claim', async () => {
    const stand = started(config({ only: 1 }));
    stand.cluster.fault = ({ verb, resource }) => {
      if (verb === 'patch' && resource === 'taskruns') return { before: apiError('timeout', 'no answer', true) };
      return verb === 'read' ? { before: apiError('unavailable', 'away') } : undefined;
    };
    stand.create('a');
    await stand.clock.advance(5 * second);
    const stopped = stand.controller.stop();
    await stand.clock.advance(0);
    await stopped;
    expect(stand.clock.sleeping).to.equal(0);
  });
});

describe('rules of a platform: a long queue', () => {
  /** How many decisions fifty arrivals lead to, 2 ms apart, where so many builds wait and each decision takes 20 ms. */
  async function decisionsWith(waiting: number): Promise<number> {
    const stand = started(config({ only: 1 }));
    for (let nth = 0; nth < waiting; nth += 1) stand.create(`w${nth}`);
    await stand.clock.advance(10 * second);
    const { sshSecrets } = stand.controller.state;
    const lookUp = sshSecrets.get.bind(sshSecrets);
    let decisions = 0;
    // Looking its Secret up is a part of every decision.
    sshSecrets.get = (namespace, name) => {
      decisions += 1;
      stand.clock.jump(20);
      return lookUp(namespace, name);
    };
    for (let nth = 0; nth < 50; nth += 1) {
      stand.create(`b${nth}`);
      await stand.clock.advance(2);
    }
    sshSecrets.get = lookUp;
    stand.end('w0');
    await stand.clock.advance(second);
    expect(stand.build(waiting > 1 ? 'w1' : 'b0').facts?.claim?.host).to.equal('only');
    await stand.stop();
    return decisions;
  }

  it('its lane rests after each decision, and loses nothing', async () => {
    // Twenty and fifty milliseconds for each decision, two for an arrival in between.
    expect(await decisionsWith(600)).to.be.below(45);
  });

  it('a short one is decided on at once, however long that takes', async () => {
    expect(await decisionsWith(1)).to.be.at.least(50);
  });
});
