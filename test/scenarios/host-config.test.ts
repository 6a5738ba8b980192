// What host-config decides about hosts, slots and turns: lines 2, 3, 6, 8 and 12 of what builds are promised. Every change
// here is one PUT, as a GitOps sync makes it.
import { expect } from 'chai';
import { openLane } from '../support/lane.ts';
import { annotation, label, prefix } from '../support/observed-task-run.ts';
import { eventually } from '../support/scenario.ts';
import { setStage } from '../support/stage.ts';

describe('scenario: host-config', function () {
  this.timeout(120_000);
  const stage = setStage();
  const { scenario } = stage;

  it('3d: a host that is added serves those who wait, without anything else happening', async () => {
    const lane = await openLane(scenario);
    await lane.hold('holder');
    await lane.queue('w1', 'w2');
    lane.setHost(1, 2);
    await lane.configure();
    const ready = await Promise.all([lane.ready('w1'), lane.ready('w2')]);
    expect(ready.map((it) => label(it, 'assigned-host'))).to.deep.equal([lane.host(1), lane.host(1)]);
    await lane.endAll('holder', 'w1', 'w2');
  });

  it('3e: slots that are added serve as many waiters', async () => {
    const lane = await openLane(scenario);
    await lane.hold('holder');
    await lane.queue('w1', 'w2');
    lane.setHost(0, 3);
    await lane.configure();
    await Promise.all([lane.ready('w1'), lane.ready('w2')]);
    await lane.endAll('holder', 'w1', 'w2');
  });

  it('3f: slots that are taken away end no build, and are not given out until they are free', async () => {
    const lane = await openLane(scenario, { slots: [2] });
    await lane.hold('one', 'two');
    lane.setHost(0, 1);
    await lane.configure();
    await lane.queue('waits');
    await lane.finish('one');
    await lane.released('one');
    lane.setHost(1, 1);
    await lane.configure();
    expect(label(await lane.ready('waits'), 'assigned-host')).to.equal(lane.host(1));
    await lane.endAll('two', 'waits');
  });

  it('8: a cordoned host takes no new build and ends none; un-cordoned, it serves those who wait at once', async () => {
    const lane = await openLane(scenario, { slots: [2] });
    await lane.hold('running');
    await lane.configure({ 'cordoned-hosts': lane.host() });
    await lane.queue('waits');
    expect(lane.holders()).to.deep.equal(['running']);
    await lane.configure({ 'cordoned-hosts': null });
    await lane.ready('waits');
    await lane.endAll('running', 'waits');
  });

  it('8b: with one host cordoned, all go to the other', async () => {
    const lane = await openLane(scenario, { slots: [5, 1] });
    await lane.configure({ 'cordoned-hosts': `${lane.host(0)},` });
    await lane.hold('b');
    expect(label(lane.get('b'), 'assigned-host')).to.equal(lane.host(1));
    await lane.endAll('b');
  });

  it('12: a host that left host-config is released completely, from the facts on the TaskRun', async () => {
    const lane = await openLane(scenario, { slots: [1, 1] });
    await lane.hold('b');
    lane.removeHost(0);
    await lane.configure();
    await lane.finish('b');
    await lane.expectClean();
    const [cleanup] = lane.everOurs('clean', 'b');
    expect(cleanup.spec.params).to.deep.include({ name: 'HOST', value: lane.address(0) });
    expect(cleanup.spec.workspaces[0].secret.secretName).to.equal(lane.sshSecret);
  });

  it('12b: without any host-config running builds end and are released; new ones wait, and are served when it is back', async () => {
    const lane = await openLane(scenario);
    await lane.hold('b');
    await scenario.removeHostConfig();
    await lane.finish('b');
    await lane.expectClean();
    await lane.build('next');
    expect(annotation(await lane.waits('next'), 'wait-reason')).to.contain('failed to read host config');
    await lane.configure();
    await lane.ready('next');
    await lane.endAll('next');
  });

  it('2c: priority counts where host-config allows it, and only there', async () => {
    const lane = await openLane(scenario, { config: { '{platform}.priority': 'true' } });
    await lane.hold('holder');
    await lane.queue('old');
    const urgent = { [`${prefix}/priority`]: '10' };
    await lane.build('urgent', { annotations: urgent });
    await lane.waits('urgent');
    await lane.finish('holder');
    await lane.ready('urgent');
    expect(lane.holders()).to.deep.equal(['urgent']);
    await lane.configure({ '{platform}.priority': null });
    await eventually(async () => Date.now() >= Date.parse(lane.get('old').metadata.creationTimestamp) + 1000);
    await lane.build('too-urgent', { annotations: urgent });
    await lane.waits('too-urgent');
    await lane.finish('urgent');
    await lane.ready('old');
    expect(lane.holders()).to.deep.equal(['old']);
    await lane.finish('old');
    await lane.ready('too-urgent');
    await lane.endAll('too-urgent');
  });

  it('2d: fair share: a namespace with many builds does not keep another one waiting behind them all', async () => {
    const lane = await openLane(scenario, { slots: [2], config: { '{platform}.fair-share': 'true' } });
    const small = `${lane.tenant}-z`;
    await scenario.api.createNamespace(small);
    await lane.hold('big-0', 'big-1');
    await lane.queue('big-2', 'big-3');
    await scenario.build(small, 'small', lane.platform);
    await eventually(async () => label(await scenario.taskRun(small, 'small'), 'waiting-for-platform') === lane.dashed);
    await lane.finish('big-0');
    await eventually(async () => label(await scenario.taskRun(small, 'small'), 'assigned-host') === lane.host());
    expect(lane.holders()).to.deep.equal(['big-1']);
    await scenario.finish(small, 'small', 'succeeded');
    for (const name of ['big-1', 'big-2', 'big-3']) {
      await lane.ready(name);
      await lane.finish(name);
    }
    await lane.expectClean();
  });

  it('2e: fair share: namespaces take turns also where there is one slot', async () => {
    const lane = await openLane(scenario, { config: { '{platform}.fair-share': 'true' } });
    const small = `${lane.tenant}-z`;
    await scenario.api.createNamespace(small);
    await lane.hold('big-0');
    await lane.queue('big-1', 'big-2', 'big-3');
    await scenario.build(small, 'small', lane.platform);
    await eventually(async () => label(await scenario.taskRun(small, 'small'), 'waiting-for-platform') === lane.dashed);
    await lane.finish('big-0');
    await eventually(async () => label(await scenario.taskRun(small, 'small'), 'assigned-host') === lane.host());
    expect(lane.holders()).to.deep.equal([]);
    await scenario.finish(small, 'small', 'succeeded');
    for (const name of ['big-1', 'big-2', 'big-3']) {
      await lane.ready(name);
      await lane.finish(name);
    }
    await lane.expectClean();
  });

  it('2h: max-per-namespace: a namespace that has its share waits beside a free slot, and others pass', async () => {
    const lane = await openLane(scenario, { slots: [2], config: { '{platform}.max-per-namespace': '1' } });
    const other = `${lane.tenant}-z`;
    await scenario.api.createNamespace(other);
    await lane.hold('one');
    await lane.queue('two');
    await scenario.build(other, 'passes', lane.platform);
    await eventually(async () => label(await scenario.taskRun(other, 'passes'), 'assigned-host') === lane.host());
    expect(lane.holders()).to.deep.equal(['one']);
    await lane.finish('one');
    await lane.ready('two');
    await scenario.finish(other, 'passes', 'succeeded');
    await lane.endAll('two');
  });

  it('6b: release-slot-after: cleanup holds the slot until the host is clean', async () => {
    const lane = await openLane(scenario, { config: { '{platform}.release-slot-after': 'cleanup' } });
    await lane.hold('holder');
    await lane.queue('next');
    await stage.playOtherwise('nobody');
    await lane.finish('holder');
    const cleanup = await lane.running('clean', 'holder');
    await lane.released('holder');
    expect(lane.holders()).to.deep.equal([]);
    await lane.end(cleanup, 'succeeded');
    const { metadata } = await lane.assigned('next');
    expect(Number(metadata.resourceVersion)).to.be.greaterThan(Number(cleanup.metadata.resourceVersion));
    await stage.playOtherwise({});
    await lane.ready('next');
    await lane.endAll('next');
  });
});
