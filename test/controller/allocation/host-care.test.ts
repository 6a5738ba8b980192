import { expect } from 'chai';
import { hour, minute, second } from '../../../controller/model/instant.ts';
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

describe('care of hosts: draining', () => {
  it('takes a host out of use until its builds have ended, then it is updated', () => {
    const world = new CareWorld('a').set('a', { users: 2 });
    world.look();
    expect(world.lookAt(minute)).to.deep.equal(['a drained']);
    expect(world.lookAgainIn).to.equal(15 * minute);
    expect(world.set('a', { users: 1 }).lookAt(9 * minute)).to.deep.equal(['a drained']);
    expect(world.set('a', { users: 0 }).lookAt(10 * minute)).to.deep.equal(['update a', 'a drained']);
  });

  it('that takes too long ends: builds come first, and it comes again an hour later', () => {
    const world = new CareWorld('a').set('a', { users: 1 });
    world.look();
    world.lookAt(minute);
    expect(world.lookAt(16 * minute)).to.deep.equal(['skip a: its builds did not end in 15 min']);
    expect(world.look()).to.deep.equal([]);
    expect(world.lookAt(76 * minute - 1)).to.deep.equal([]);
    expect(world.lookAt(76 * minute)).to.deep.equal(['a drained']);
  });

  it('says how long, in seconds if it has to', () => {
    const world = new CareWorld('a').set('a', { users: 1 });
    world.settings = { ...world.settings, drainTimeout: 90 * second };
    world.look();
    world.lookAt(minute);
    expect(world.lookAt(3 * minute)).to.deep.equal(['skip a: its builds did not end in 90 s']);
  });

  it('goes on with the same host while others fall idle', () => {
    const world = new CareWorld('a', 'b').set('a', { users: 1 }).set('b', { users: 1 });
    world.look();
    expect(world.lookAt(minute)).to.deep.equal(['a drained']);
    expect(world.set('b', { users: 0 }).lookAt(2 * minute)).to.deep.equal(['a drained']);
    expect(world.lookAt(16 * minute)[0]).to.match(/^skip a/);
    expect(world.look()).to.deep.equal(['update b', 'b drained']);
  });

  it('of a host that was cordoned, or taken out of the config, ends', () => {
    const world = new CareWorld('a').set('a', { users: 1 });
    world.look();
    world.lookAt(minute);
    expect(world.set('a', { cordoned: true }).look()).to.deep.equal([]);
    world.set('a', { cordoned: false });
    world.hosts = [];
    expect(world.look()).to.deep.equal([]);
  });

  it('lasts through the update, but both together not longer than drain-timeout', () => {
    const world = new CareWorld('a').set('a', { users: 1 });
    world.look();
    world.lookAt(minute);
    world.set('a', { users: 0 }).lookAt(10 * minute);
    world.begin('a');
    expect(world.look()).to.deep.equal(['a drained']);
    expect(world.lookAgainIn).to.equal(6 * minute);
    expect(world.lookAt(16 * minute)).to.deep.equal([]);
    world.end('a');
    expect(world.look()).to.deep.equal([]);
  });

  it('goes on after a restart in the middle of an update', () => {
    const world = new CareWorld('a');
    world.runs.push(anUpdate({ of: 'a', created: start - 5 * minute }));
    expect(world.look()).to.deep.equal(['a drained']);
    expect(world.lookAgainIn).to.equal(10 * minute);
  });

  it('ends when nobody starts the update within 5 s, and comes back when somebody does', () => {
    const world = new CareWorld('a');
    world.look();
    world.lookAt(minute);
    world.begin('a', '');
    expect(world.look()).to.deep.equal(['a drained']);
    expect(world.lookAgainIn).to.equal(5 * second);
    expect(world.lookAt(minute + 5 * second)).to.deep.equal([]);
    world.runs = [anUpdate({ of: 'a', created: start + minute })];
    expect(world.look()).to.deep.equal(['a drained']);
  });

  it('ends when the update cannot be created in time', () => {
    const world = new CareWorld('a');
    world.look();
    world.lookAt(minute);
    expect(world.lookAt(5 * minute)).to.deep.equal(['update a', 'a drained']);
    expect(world.lookAt(16 * minute)).to.deep.equal(['skip a: its TaskRun could not be created']);
  });

  it('is not tried for a host that nobody can log in to: said once an hour', () => {
    const world = new CareWorld('a', 'b').set('a', { hasSshSecret: false });
    world.look();
    expect(world.lookAt(minute)).to.deep.equal(['skip a: its Secret ssh-key is missing', 'update b', 'b drained']);
    world.begin('b');
    world.end('b');
    expect(world.look()).to.deep.equal([]);
    expect(world.lookAt(61 * minute)).to.deep.equal(['skip a: its Secret ssh-key is missing']);
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

  it('one that never ended goes too, and one that goes already is let alone', () => {
    const world = new CareWorld();
    world.runs.push(
      anUpdate({ of: 'stuck', created: start - day, cancelled: true }),
      anUpdate({ of: 'going', created: start - day, deleting: true }),
    );
    expect(retired(world)).to.deep.equal(['retire stuck']);
  });
});
