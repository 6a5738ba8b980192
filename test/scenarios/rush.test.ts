// Many builds at once, a watch that is behind, a controller that starts again in the middle: lines 1, 2 and 26 of what
// builds are promised. Tekton plays by itself; invariants are watched all the time.
import { expect } from 'chai';
import { startChaosProxy, type ChaosProxy } from '../support/chaos-proxy.ts';
import { openLane, type Lane } from '../support/lane.ts';
import { isDone, label } from '../support/observed-task-run.ts';
import { eventually, type Raw } from '../support/scenario.ts';
import { setStage } from '../support/stage.ts';

describe('scenario: rush', function () {
  this.timeout(240_000);
  // A build that is told to stay runs until the test ends it.
  const { scenario } = setStage({
    controller: 'each test',
    tekton: { build: (build) => (label(build, 'stays') === undefined ? 20 : 600_000) },
  });
  let proxy: ChaosProxy;
  let kubeconfig: string;

  before(async () => {
    proxy = await startChaosProxy(scenario.api);
    kubeconfig = await scenario.api.writeKubeconfig({ url: proxy.url });
  });
  after(() => proxy.stop());

  const allEnd = async (lane: Lane, count: number): Promise<void> => {
    const mine = (it: Raw): boolean => it.metadata.namespace === lane.tenant;
    await scenario.watched.until((all) => all.filter(mine).length === count && all.filter(mine).every(isDone));
    await lane.expectClean();
  };

  it('1b: two hundred builds at once, and a watch that is behind: no slot is given away twice', async () => {
    const lane = await openLane(scenario, { slots: [20, 20, 20, 10] });
    const lag = proxy.add({ verb: 'watch', resource: 'taskruns', mischief: { type: 'lag', ms: 500 } });
    // The machine may be too busy with two hundred builds for a Lease to be renewed through the proxy.
    await scenario.startController({ kubeconfig, args: ['--leader-elect=false'] });
    const names = Array.from({ length: 200 }, (_, index) => `b-${index}`);
    await Promise.all(names.map((name) => lane.build(name)));
    await allEnd(lane, names.length);
    lag();
    for (const index of [0, 1, 2, 3]) {
      const slots = index === 3 ? 10 : 20;
      expect(scenario.invariants.peak.get(lane.host(index)), lane.host(index)).to.be.within(1, slots);
    }
    for (const name of names) expect(lane.everOurs('provision', name), name).to.have.length(1);
  });

  it('26c: a build costs at most twelve requests, and none of them reads', async () => {
    // Nobody waits: how often waiting builds are told their place depends on how long that takes.
    const lane = await openLane(scenario, { slots: [10] });
    await scenario.startController({ kubeconfig });
    await lane.build('warm-up', { pod: true });
    await allEnd(lane, 1);
    const before = proxy.requests.length;
    const names = Array.from({ length: 10 }, (_, index) => `b-${index}`);
    await Promise.all(names.map((name) => lane.build(name, { pod: true })));
    await allEnd(lane, 1 + names.length);
    // Events are told behind everything else, the Lease is renewed by the clock, watches end and begin as they like.
    const counted = proxy.requests
      .slice(before)
      .filter(({ verb, resource }) => verb !== 'watch' && resource !== 'events' && resource !== 'leases');
    const ways = counted.map(({ verb, path }) => `${verb} ${path}`);
    expect(ways.length / names.length, ways.sort().join('\n')).to.be.at.most(12);
    expect(ways.filter((way) => /^(get|list) /.test(way))).to.deep.equal([]);
  });

  it('2f: the queue keeps its order when the controller is started again', async () => {
    const lane = await openLane(scenario);
    await scenario.startController();
    await lane.build('stays', { labels: stays });
    await lane.ready('stays');
    const order = ['z', 'y', 'x'];
    for (const name of order) {
      const { metadata } = await lane.build(name);
      await eventually(async () => Date.now() >= Date.parse(metadata.creationTimestamp) + 1000);
    }
    await lane.waits('x');
    await scenario.stopControllers();
    // Comes and goes while nobody looks: the slot is free, and a newcomer is there first.
    await lane.finish('stays');
    await lane.build('a-newcomer');
    await scenario.startController();
    await allEnd(lane, 5);
    const claims = scenario.invariants.claims.filter(({ namespace }) => namespace === lane.tenant);
    expect(claims.map(({ name }) => name)).to.deep.equal(['stays', ...order, 'a-newcomer']);
  });

  it('2g: a newcomer does not overtake, however often the queue moves', async () => {
    const lane = await openLane(scenario, { slots: [2] });
    await scenario.startController();
    await Promise.all(['s1', 's2'].map((name) => lane.build(name, { labels: stays })));
    await Promise.all(['s1', 's2'].map((name) => lane.ready(name)));
    const names = Array.from({ length: 12 }, (_, index) => `b-${String(index).padStart(2, '0')}`);
    // One after the other, so that their order is known also within a second: by name.
    for (const name of names) await lane.build(name);
    await lane.waits(names.at(-1) ?? '');
    await Promise.all(['s1', 's2'].map((name) => lane.finish(name)));
    for (let late = 0; late < 6; late += 1) {
      await lane.until(names[2 * late] ?? '', isDone);
      await lane.build(`late-${late}`);
    }
    await allEnd(lane, 2 + names.length + 6);
    const claims = scenario.invariants.claims.filter(({ namespace }) => namespace === lane.tenant);
    const served = claims.map(({ name }) => name).slice(2);
    const order = [...names, ...Array.from({ length: 6 }, (_, late) => `late-${late}`)];
    expect(served).to.have.members(order);
    // Two slots are claimed side by side, so neighbours may be seen the other way round.
    for (const [index, name] of served.entries()) expect(Math.abs(order.indexOf(name) - index), name).to.be.at.most(1);
  });
});

const stays = { 'build.appstudio.redhat.com/stays': 'true' };
