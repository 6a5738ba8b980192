// Periodic care of hosts, as TaskRuns of Task update-host: line 31 of what builds are promised. One test, for the first
// care begins a minute after the start.
import { expect } from 'chai';
import { openLane } from '../support/lane.ts';
import { annotation, isLive, label, prefix } from '../support/observed-task-run.ts';
import { eventually, operatorNamespace, type Raw } from '../support/scenario.ts';
import { setStage } from '../support/stage.ts';

describe('scenario: care of hosts', function () {
  this.timeout(240_000);
  const { scenario } = setStage();

  const updates = (all: readonly Raw[]): Raw[] => all.filter((it) => label(it, 'task-type') === 'update');
  const updateOf = (host: string): Promise<Raw> =>
    scenario.watched.until((all) => updates(all).find((it) => label(it, 'assigned-host') === host));

  it('31: one host at a time, the idle one first, none with a build on it; each is told', async () => {
    const lane = await openLane(scenario, { slots: [2, 2] });
    // The idle host is the second one by name.
    await lane.build('b');
    expect(label(await lane.ready('b'), 'assigned-host')).to.equal(lane.host(0));
    const idle = await updateOf(lane.host(1));
    expect(idle.metadata.namespace).to.equal(operatorNamespace);
    expect(idle.spec.taskRef).to.include({ name: 'update-host' });
    expect(idle.spec.params).to.have.deep.members([
      { name: 'HOST', value: lane.address(1) },
      { name: 'USER', value: 'builder' },
      { name: 'PLATFORM', value: lane.platform },
      { name: 'CONCURRENCY', value: '2' },
    ]);
    const resources = { cpu: '100m', memory: '256Mi' };
    expect(idle.spec.computeResources).to.deep.equal({ requests: resources, limits: resources });
    expect(idle.spec.workspaces).to.deep.equal([{ name: 'ssh', secret: { secretName: lane.sshSecret } }]);

    // Nobody is sent to a host that is being cared for.
    await lane.build('meanwhile');
    expect(label(await lane.assigned('meanwhile'), 'assigned-host')).to.equal(lane.host(0));
    await lane.build('waits');
    expect(annotation(await lane.waits('waits'), 'wait-reason')).to.contain('updated');
    expect(updates(scenario.watched.all)).to.have.length(1);
    await lane.end(idle, 'succeeded', { MESSAGE: 'all is well' });
    expect(label(await lane.ready('waits'), 'assigned-host')).to.equal(lane.host(1));

    // The other one is drained: new builds go elsewhere, and its update follows its last build.
    await lane.finish('meanwhile');
    await lane.finish('b');
    const busy = await updateOf(lane.host(0));
    expect(lane.holders()).to.deep.equal(['waits']);
    await lane.end(busy, 'failed', { MESSAGE: 'no space left' });
    await lane.finish('waits');
    const told = await eventually(async () => {
      const events: Raw[] = await scenario.events(operatorNamespace);
      const ours = events.filter((it) => it.involvedObject.kind === 'ConfigMap' && it.reason.startsWith('HostUpdate'));
      return ours.length === 2 && ours;
    });
    const texts = Object.fromEntries(told.map((it) => [it.reason, `${it.type} ${it.message}`]));
    expect(texts['HostUpdated'])
      .to.match(/^Normal /)
      .and.to.contain(lane.host(1));
    expect(texts['HostUpdateFailed'])
      .to.match(/^Warning /)
      .and.to.contain('no space left');
    await lane.expectClean();
    // Kept for a day, for their logs.
    expect(updates(scenario.watched.all).filter(isLive)).to.deep.equal([]);
    expect(updates(scenario.watched.all).map((it) => it.metadata.labels)).to.have.deep.members(
      [0, 1].map((index) => ({
        [`${prefix}/task-type`]: 'update',
        [`${prefix}/assigned-host`]: lane.host(index),
      })),
    );
  });
});
