import { expect } from 'chai';
import { hour, minute } from '../../../controller/model/instant.ts';
import { start } from '../../support/host-builders.ts';
import { anUpdate, CareWorld, day } from './care-world.ts';

describe('care of hosts: when', () => {
  it('a minute after the start, if no care of the last interval is known', () => {
    const world = new CareWorld('a');
    expect(world.look()).to.deep.equal([]);
    expect(world.lookAgainIn).to.equal(minute);
    expect(world.lookAt(minute)).to.deep.equal(['update a', 'a drained']);
  });

  it('once per interval, counted from the end of the last care', () => {
    const world = new CareWorld('a');
    world.runs.push(anUpdate({ of: 'a', created: start - 3 * hour, ended: start - 2 * hour }));
    expect(world.look()).to.deep.equal([]);
    expect(world.lookAgainIn).to.equal(22 * hour);
    expect(world.lookAt(22 * hour - 1)).to.deep.equal([]);
    expect(world.lookAt(22 * hour)).to.deep.equal(['update a', 'a drained']);
  });

  it('care that failed counts as well: a host that is down is not asked again all day', () => {
    const world = new CareWorld('a');
    world.runs.push(anUpdate({ of: 'a', created: start, ended: start, reason: 'HostUnreachable' }));
    world.look();
    expect(world.lookAt(day - 1)).to.deep.equal([]);
    expect(world.lookAt(day)).to.include('update a');
  });

  it('an hour later, if there were builds on the host after all', () => {
    const world = new CareWorld('a');
    world.runs.push(anUpdate({ of: 'a', created: start - minute, ended: start, reason: 'HostBusy' }));
    world.look();
    expect(world.lookAt(hour - 1)).to.deep.equal([]);
    expect(world.lookAt(hour)).to.deep.equal(['update a', 'a drained']);
  });

  it('a minute after a host was added, and after it was uncordoned', () => {
    const world = new CareWorld('a').set('a', { cordoned: true });
    world.look();
    expect(world.lookAt(day)).to.deep.equal([]);
    expect(world.lookAgainIn).to.equal(undefined);
    world.set('a', { cordoned: false });
    expect(world.lookAt(day)).to.deep.equal([]);
    expect(world.lookAt(day + minute)).to.include('update a');
  });

  it('never, if it is configured so; what was planned is dropped', () => {
    const world = new CareWorld('a').set('a', { users: 1 });
    world.look();
    expect(world.lookAt(minute)).to.deep.equal(['a drained']);
    world.settings = { ...world.settings, updateInterval: undefined };
    expect(world.look()).to.deep.equal([]);
    expect(world.lookAgainIn).to.equal(undefined);
  });

  it('the update before names it: the same until the update is known', () => {
    const world = new CareWorld('a');
    world.look();
    world.lookAt(minute);
    const first = world.plan.steps[0];
    world.lookAt(2 * minute);
    expect(world.plan.steps[0]).to.deep.equal(first).and.to.include({ after: 0 });
    world.begin('a');
    world.lookAt(5 * minute);
    world.end('a');
    world.lookAt(5 * minute + day);
    expect(world.plan.steps[0]).to.include({ after: start + 5 * minute });
  });
});

describe('care of hosts: one at a time', () => {
  it('the next begins when the one before has ended', () => {
    const world = new CareWorld('b', 'a', 'c');
    world.look();
    const order: string[][] = [world.lookAt(minute)];
    for (const name of ['a', 'b']) {
      world.begin(name);
      expect(world.look()).to.deep.equal([`${name} drained`]);
      world.end(name);
      order.push(world.look());
    }
    expect(order).to.deep.equal([
      ['update a', 'a drained'],
      ['update b', 'b drained'],
      ['update c', 'c drained'],
    ]);
  });

  it('idle hosts come first: nobody waits for them', () => {
    const world = new CareWorld('a', 'b').set('a', { users: 1 });
    world.look();
    expect(world.lookAt(minute)).to.deep.equal(['update b', 'b drained']);
  });

  for (const [why, update] of [
    ['that is being deleted', { deleting: true }],
    ['that nobody ran for two hours', { podName: '' }],
  ] as const) {
    it(`an update ${why} stops no other`, () => {
      const world = new CareWorld('a', 'b');
      world.runs.push(anUpdate({ of: 'a', created: start - 3 * hour, ...update }));
      world.look();
      expect(world.lookAt(minute)).to.include('update b');
    });
  }

  it('an update that nobody ran for two hours is cancelled, once', () => {
    const world = new CareWorld('a');
    world.runs.push(anUpdate({ of: 'a', created: start, podName: '' }));
    world.look();
    expect(world.lookAt(2 * hour - 1)).to.deep.equal([]);
    expect(world.lookAgainIn).to.equal(1);
    expect(world.lookAt(2 * hour)).to.deep.equal(['cancel a']);
    world.runs = [anUpdate({ of: 'a', created: start, podName: '', cancelled: true })];
    expect(world.look()).to.deep.equal([]);
  });
});

describe('care of hosts: what is kept', () => {
  const retired = (world: CareWorld): string[] => world.look().filter((step) => step.startsWith('retire'));

  it('an update is kept a day, then deleted, also of a host that is no longer configured', () => {
    const world = new CareWorld();
    world.runs.push(anUpdate({ of: 'gone', created: start, ended: start, reason: 'HostUnreachable' }));
    world.look();
    expect(world.lookAgainIn).to.equal(day);
    expect(world.lookAt(day - 1)).to.deep.equal([]);
    expect(world.lookAt(day)).to.deep.equal(['retire gone']);
  });

  it('the last one of a host is kept until there is another: it is the record', () => {
    const world = new CareWorld('a');
    world.runs.push(anUpdate({ of: 'a', created: start, ended: start }));
    world.set('a', { users: 1 }).now = start + 2 * day;
    expect(retired(world)).to.deep.equal([]);
    world.runs.push(anUpdate({ of: 'a', created: world.now }));
    expect(retired(world)).to.deep.equal(['retire a']);
  });

  it('and only a day when there is to be no other', () => {
    const world = new CareWorld('a');
    world.settings = { ...world.settings, updateInterval: undefined };
    world.runs.push(anUpdate({ of: 'a', created: start, ended: start }));
    expect(world.lookAt(day)).to.deep.equal(['retire a']);
  });

  it('one that never ended goes too, and one that goes already is left alone', () => {
    const world = new CareWorld();
    world.runs.push(
      anUpdate({ of: 'stuck', created: start - day, cancelled: true }),
      anUpdate({ of: 'going', created: start - day, deleting: true }),
    );
    expect(retired(world)).to.deep.equal(['retire stuck']);
  });
});
