// Care of hosts with all the rest of the controller around it: what builds notice.
import { expect } from 'chai';
import { minute, second } from '../../../controller/model/instant.ts';
import type { OwnTaskRun } from '../../../controller/model/task-run.ts';
import { endedStatus, operatorNamespace, readOwn } from '../../support/builders.ts';
import { hostConfigData } from '../../support/host-builders.ts';
import { ControllerStand } from './controller-stand.ts';

function ours(stand: ControllerStand): OwnTaskRun[] {
  return stand.cluster.all('taskruns').flatMap((raw) => readOwn(raw) ?? []);
}

function updates(stand: ControllerStand): OwnTaskRun[] {
  return ours(stand).filter(({ type }) => type === 'update');
}

function changeUpdate(stand: ControllerStand, host: string, status: object): void {
  const running = updates(stand).find((it) => it.host === host && it.outcome === 'running');
  if (running === undefined) throw new Error(`no update of ${host} runs`);
  stand.cluster.change('taskruns', operatorNamespace, running.name, (object) => (object['status'] = status));
}

const ended = (stand: ControllerStand): object => ({ podName: 'pod', ...endedStatus('succeeded', stand.clock.now()) });

describe('controller: care of hosts', () => {
  let stand: ControllerStand;
  afterEach(async () => expect(await stand.stop(), 'timers left').to.equal(0));

  it('a build that comes during an update waits for its end, and gets the host at once then', async () => {
    stand = new ControllerStand(hostConfigData({ only: 1 }));
    stand.controller.start();
    await stand.clock.advance(minute);
    changeUpdate(stand, 'only', { podName: 'pod' });
    stand.create('build');
    await stand.clock.advance(30 * second);
    expect(stand.placed()).to.deep.equal({});
    expect(stand.build('build').waitReason).to.contain('updated');
    changeUpdate(stand, 'only', ended(stand));
    await stand.clock.advance(0);
    expect(stand.placed()).to.deep.equal({ build: 'only' });
  });

  it('goes to another host of the platform, if there is one', async () => {
    stand = new ControllerStand(hostConfigData({ a: 1, b: 1 }));
    stand.controller.start();
    await stand.clock.advance(minute);
    stand.create('build');
    await stand.clock.advance(0);
    expect(stand.placed()).to.deep.equal({ build: 'b' });
  });

  it('waits for drain-timeout at most when builds keep the only host busy', async () => {
    stand = new ControllerStand(hostConfigData({ only: 2 }, { 'drain-timeout': '10m' }));
    stand.controller.start();
    stand.create('long');
    await stand.clock.advance(minute);
    expect(updates(stand)).to.deep.equal([]);
    stand.create('next');
    await stand.clock.advance(10 * minute - second);
    expect(stand.placed()).to.deep.equal({ long: 'only' });
    await stand.clock.advance(second);
    expect(stand.placed()).to.deep.equal({ long: 'only', next: 'only' });
    // Events go out a second late.
    await stand.clock.advance(second);
    const told = stand.cluster.all('events').filter((it) => it['reason'] === 'HostUpdateSkipped');
    expect(told.map((it) => [it['type'], Object(it['involvedObject']).kind])).to.deep.equal([['Warning', 'ConfigMap']]);
  });

  it('waits for drain-timeout at most when an update does not end', async () => {
    stand = new ControllerStand(hostConfigData({ only: 1 }));
    stand.controller.start();
    await stand.clock.advance(minute);
    changeUpdate(stand, 'only', { podName: 'pod' });
    stand.create('build');
    await stand.clock.advance(15 * minute - second);
    expect(stand.placed()).to.deep.equal({});
    await stand.clock.advance(second);
    expect(stand.placed()).to.deep.equal({ build: 'only' });
  });

  it('no build is ever on a host when its update is made, however they arrive', async () => {
    stand = new ControllerStand(hostConfigData({ a: 2, b: 2, c: 2 }));
    stand.watch.lag = 2 * second;
    const found: string[] = [];
    stand.cluster.watch('taskruns', ({ type, object }) => {
      const update = type === 'ADDED' ? readOwn(object) : undefined;
      if (update?.type !== 'update') return;
      for (const [build, host] of Object.entries(stand.placed())) {
        const live = stand.build(build).outcome === 'running';
        if (live && host === update.host) found.push(`${build} on ${host}`);
      }
    });
    stand.controller.start();
    for (let round = 0; round < 150; round += 1) {
      stand.create(`build-${round}`);
      if (round >= 3) stand.end(`build-${round - 3}`);
      await stand.clock.advance(second);
      for (const { type, host, name, outcome, cancelled } of ours(stand)) {
        if (outcome !== 'running') continue;
        if (type === 'update' && round % 5 === 0) changeUpdate(stand, host, ended(stand));
        const ending = type === 'clean' ? 'succeeded' : 'failed';
        if (type === 'clean' || cancelled)
          stand.cluster.change('taskruns', operatorNamespace, name, (object) => {
            object['status'] = endedStatus(ending, stand.clock.now());
          });
      }
    }
    expect(found).to.deep.equal([]);
    expect(updates(stand).map(({ host }) => host)).to.have.members(['a', 'b', 'c']);
  });
});
