// A controller that starts where a Go controller was: its builds keep their hosts, within the slots there are, and before
// anybody else gets one.
import { expect } from 'chai';
import { second } from '../../../controller/model/instant.ts';
import { labels } from '../../../controller/model/labels.ts';
import { endedStatus, operatorNamespace, readOwn } from '../../support/builders.ts';
import { aHost, hostConfigData } from '../../support/host-builders.ts';
import { olderTaskRun, putOlderBuild, putOlderSecret, putOlderTaskRun } from '../lease/older-builds.ts';
import { ControllerStand, keyMade } from './controller-stand.ts';

function stand(): ControllerStand {
  return new ControllerStand(hostConfigData({ one: 1, two: 1 }));
}

function cleanups(at: ControllerStand): Record<string, string | undefined>[] {
  const own = at.cluster.all('taskruns').filter((raw) => readOwn(raw)?.type === 'clean');
  return own.map((raw) => {
    const params: { name: string; value: string }[] = Object(raw['spec']).params;
    return Object.fromEntries(params.map(({ name, value }) => [name, value]));
  });
}

describe('a start after a Go controller', () => {
  it('its ready builds keep their hosts; who waits gets what is free, and the rest later', async () => {
    const at = stand();
    putOlderBuild(at.cluster, 'old', 'one');
    putOlderSecret(at.cluster, 'old');
    at.create('new');
    at.create('newer');
    at.controller.start();
    await at.clock.advance(second);
    expect(at.placed()).to.deep.include({ old: 'one', new: 'two' }).and.not.to.have.property('newer');
    at.end('old');
    await at.clock.advance(second);
    expect(at.placed()).to.have.property('newer', 'one');
    expect(cleanups(at)).to.have.length(1);
    expect(cleanups(at)[0]).to.include({ TASKRUN_NAME: 'old', TASKRUN_UID: '', ATTEMPT: '0' });
    expect(at.worst.get('one')).to.equal(1);
    await at.stop();
  });

  it('a host that it was preparing is not prepared twice', async () => {
    const at = stand();
    putOlderBuild(at.cluster, 'old', 'one');
    putOlderTaskRun(at.cluster, 'provision', 'old', aHost('one').build());
    at.controller.start();
    await at.clock.advance(second);
    expect(at.provisions()).to.deep.equal(['old']);
    putOlderSecret(at.cluster, 'old');
    const { name = '' } = Object(olderTaskRun('provision', 'old', aHost('one').build())['metadata']);
    at.cluster.change('taskruns', operatorNamespace, name, (it) =>
      Object.assign(it, { status: endedStatus('succeeded', at.clock.now()) }),
    );
    await at.clock.advance(2 * second);
    expect(at.build('old').facts).to.deep.include({ attempt: 0, ready: true });
    expect(at.provisions()).to.deep.equal([]);
    await at.stop();
  });

  it('more labels than slots: the host takes what it has slots for, the others are left alone', async () => {
    const at = stand();
    for (const name of ['a', 'b', 'c']) {
      putOlderBuild(at.cluster, name, 'one');
      putOlderSecret(at.cluster, name);
    }
    at.controller.start();
    await at.clock.advance(5 * second);
    expect(Object.values(at.placed())).to.deep.equal(['one']);
    expect(at.worst.get('one')).to.equal(1);
    await at.stop();
  });

  it('a build that is younger than the key is none of a Go controller: it takes its turn, and is prepared', async () => {
    const at = stand();
    await at.clock.advance(keyMade - at.clock.now());
    putOlderBuild(at.cluster, 'forged', 'one');
    putOlderSecret(at.cluster, 'forged');
    at.create('younger');
    at.controller.start();
    await at.clock.advance(second);
    expect(at.build('forged').facts).to.deep.include({ attempt: 1 }).and.not.to.have.property('ready');
    expect(at.provisions()).to.have.members(['forged', 'younger']);
    await at.stop();
  });

  it('a namespace that is not allowed is given nothing for its label', async () => {
    const at = new ControllerStand({ ...hostConfigData({ one: 1 }), 'allowed-namespaces': 'team-b' });
    putOlderBuild(at.cluster, 'old', 'one');
    putOlderSecret(at.cluster, 'old');
    at.create('allowed', 'linux/arm64', 'team-b');
    at.controller.start();
    await at.clock.advance(5 * second);
    expect(at.placed()).to.deep.equal({ allowed: 'one' });
    await at.stop();
  });

  it("a label that names another platform's host gives nothing", async () => {
    const at = stand();
    putOlderBuild(at.cluster, 'forged', 'one');
    at.cluster.change('taskruns', 'team-a', 'forged', ({ spec }) =>
      Object.assign(Object(spec), { params: [{ name: 'PLATFORM', value: 'linux/s390x' }] }),
    );
    at.controller.start();
    await at.clock.advance(20 * second);
    expect(at.placed()).to.deep.equal({});
    expect(at.errorOf('forged')).to.contain('linux/s390x');
    expect(at.cluster.find('taskruns', 'team-a', 'forged')?.metadata.labels).not.to.have.property(labels.assignedHost);
    await at.stop();
  });
});
