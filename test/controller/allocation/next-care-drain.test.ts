// For how long care keeps a host from its builds.
import { expect } from 'chai';
import { minute, second } from '../../../controller/model/instant.ts';
import { start } from '../../support/host-builders.ts';
import { anUpdate, CareWorld } from './care-world.ts';

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

  it('ends when nobody starts the update within 10 s, and comes back when somebody does', () => {
    const world = new CareWorld('a');
    world.look();
    world.lookAt(minute);
    world.begin('a', '');
    expect(world.look()).to.deep.equal(['a drained']);
    expect(world.lookAgainIn).to.equal(10 * second);
    expect(world.lookAt(minute + 10 * second)).to.deep.equal([]);
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
