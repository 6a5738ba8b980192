// Who gets a slot, and when: lines 1 to 4 and 6 of what builds are promised.
import { expect } from 'chai';
import { openLane, type Lane } from '../support/lane.ts';
import { isLive, label } from '../support/observed-task-run.ts';
import { eventually } from '../support/scenario.ts';
import { setStage } from '../support/stage.ts';

describe('scenario: the queue', function () {
  this.timeout(120_000);
  const stage = setStage();
  const { scenario } = stage;

  it('1a: fifty builds at once on three hosts: every slot is used, none twice', async () => {
    const lane = await openLane(scenario, { slots: [3, 2, 1] });
    const names = Array.from({ length: 50 }, (_, index) => `b-${index}`);
    await Promise.all(names.map((name) => lane.build(name)));
    // Whoever holds a slot ends it; the next one follows until nobody is left.
    const ended = new Set<string>();
    while (ended.size < names.length) {
      const holders = await scenario.watched.until(() => {
        const others = lane.holders().filter((name) => !ended.has(name));
        return others.length === Math.min(6, names.length - ended.size) && others;
      });
      for (const name of holders.slice(0, 2)) {
        ended.add(name);
        await lane.finish(name);
      }
    }
    await lane.expectClean();
    expect([0, 1, 2].map((index) => scenario.invariants.peak.get(lane.host(index)))).to.deep.equal([3, 2, 1]);
  });

  it('2a: first come, first served: three waiters get the slot in the order they came', async () => {
    const lane = await openLane(scenario);
    await lane.build('first');
    await lane.assigned('first');
    // Named against the alphabet; one second apart, as finely as Kubernetes tells ages.
    const order = ['z', 'm', 'a'];
    for (const name of order) {
      const { metadata } = await lane.build(name);
      await eventually(async () => Date.now() >= Date.parse(metadata.creationTimestamp) + 1000);
    }
    await lane.waits('a');
    for (const [done, next] of [
      ['first', 'z'],
      ['z', 'm'],
      ['m', 'a'],
    ] as const) {
      await lane.finish(done);
      await lane.assigned(next);
      expect(lane.holders()).to.deep.equal([next]);
    }
    await lane.finish('a');
    await lane.expectClean();
  });

  it('2b: of builds of one second the name decides', async () => {
    const lane = await openLane(scenario);
    await lane.build('holder');
    await lane.assigned('holder');
    await Promise.all(['c', 'b', 'd', 'a'].map((name) => lane.build(name)));
    const waiters = await Promise.all(['a', 'b', 'c', 'd'].map((name) => lane.waits(name)));
    const expected = waiters
      .map(({ metadata }) => `${metadata.creationTimestamp} ${metadata.name}`)
      .sort((one, other) => (one < other ? -1 : 1))
      .map((it) => it.split(' ')[1] ?? '');
    for (const [index, name] of ['holder', ...expected].entries()) {
      await lane.finish(name);
      const next = expected[index];
      if (next !== undefined) await lane.assigned(next);
    }
    const mine = scenario.invariants.claims.filter(({ namespace }) => namespace === lane.tenant);
    expect(mine.map(({ name }) => name)).to.deep.equal(['holder', ...expected]);
    await lane.expectClean();
  });

  it('3a: two builds end at once, both waiters are served', async () => {
    const lane = await openLane(scenario, { slots: [1, 1] });
    await lane.build('one');
    await lane.build('two');
    await Promise.all([lane.assigned('one'), lane.assigned('two')]);
    await lane.build('three');
    await lane.build('four');
    await lane.waits('four');
    await Promise.all([lane.finish('one'), lane.finish('two', 'failed')]);
    await Promise.all([lane.ready('three'), lane.ready('four')]);
    await Promise.all([lane.finish('three'), lane.finish('four')]);
    await lane.expectClean();
  });

  const deadWaiters: readonly [string, (lane: Lane) => Promise<void>][] = [
    ['deleted', (lane) => scenario.remove(lane.tenant, 'oldest')],
    ['cancelled', (lane) => scenario.change(lane.tenant, 'oldest', { spec: { status: 'TaskRunCancelled' } })],
    ['timed out', (lane) => lane.finish('oldest', 'failed')],
  ];
  for (const [how, die] of deadWaiters) {
    it(`3b: the oldest waiter is ${how}: the next one gets the slot, and moves up before that`, async () => {
      const lane = await openLane(scenario);
      await lane.build('holder');
      await lane.assigned('holder');
      await lane.queue('oldest', 'patient');
      await die(lane);
      await scenario.watched.until(() => {
        const oldest = lane.get('oldest');
        return oldest === undefined || !isLive(oldest);
      });
      await lane.finish('holder');
      await lane.ready('patient');
      await lane.finish('patient');
      await lane.expectClean();
      expect(lane.ours('provision', 'oldest')).to.deep.equal([]);
    });
  }

  it('3h: a waiter that is to be cancelled gets nothing any more, also before Tekton has noticed', async () => {
    await stage.playOtherwise({ cancelAfter: 2_000 });
    const lane = await openLane(scenario);
    await lane.hold('holder');
    await lane.queue('oldest', 'patient');
    await scenario.change(lane.tenant, 'oldest', { spec: { status: 'TaskRunCancelled' } });
    await lane.finish('holder');
    await lane.ready('patient');
    expect(lane.everOurs('provision', 'oldest')).to.deep.equal([]);
    await lane.endAll('patient');
  });

  it('3c: a build that is deleted hands its slot on, before its host is even cleaned', async () => {
    const lane = await openLane(scenario);
    await lane.hold('holder');
    await lane.queue('next');
    await scenario.remove(lane.tenant, 'holder');
    await lane.ready('next');
    await lane.endAll('next');
  });

  it('4: most free slots first, then the name', async () => {
    const lane = await openLane(scenario, { slots: [1, 3, 2] });
    const expected = [1, 1, 2, 0, 1, 2].map((index) => lane.host(index));
    const got = [];
    for (const index of expected.keys()) {
      await lane.build(`b${index}`);
      got.push(label(await lane.assigned(`b${index}`), 'assigned-host'));
    }
    expect(got).to.deep.equal(expected);
    await Promise.all(expected.map((_, index) => lane.finish(`b${index}`)));
    await lane.expectClean();
  });

  it('6: a slot is free as soon as its build ended, while the cleanup still runs', async () => {
    await stage.playOtherwise('nobody');
    const lane = await openLane(scenario);
    await lane.build('done');
    await scenario.provision(await lane.running('provision', 'done'));
    await lane.ready('done');
    await lane.build('next');
    await lane.finish('done');
    // Nobody ends it, so it runs from now on; either of the two may be made first.
    const cleanup = await lane.running('clean', 'done');
    const provision = await lane.running('provision', 'next');
    await lane.end(cleanup, 'succeeded');
    await scenario.provision(provision);
    await lane.ready('next');
    await lane.finish('next');
    await lane.end(await lane.running('clean', 'next'), 'succeeded');
    await lane.expectClean();
  });
});
