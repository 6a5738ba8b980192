// The cache against an oracle: a server that keeps a full history, a watch that lags behind it, lists that overlap writes,
// answers that come late. Versions are numbers here only for the oracle; the cache sees opaque strings.
import { expect } from 'chai';
import { array, assert, constantFrom, property, record } from 'fast-check';
import { operations, perform } from './cache-operations.ts';
import { CacheWorld } from './cache-world.ts';

const operation = record({ name: constantFrom(...operations), key: constantFrom('a', 'b') });

const trace = array(operation, { maxLength: 60, size: 'max' });

describe('cache model: whatever the order of writes, answers, events, lists and deletions', () => {
  it('a reader never sees less than an acknowledged write of ours, and nothing goes back in time', () => {
    assert(
      property(trace, (steps) => {
        const world = new CacheWorld();
        for (const { name, key } of steps) {
          perform(name, world, key);
          world.checkReader();
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('once the watch has caught up the cache is the server, without a single read if no list overlapped a write', () => {
    assert(
      property(trace, (steps) => {
        const world = new CacheWorld();
        for (const { name, key } of steps) perform(name, world, key);
        world.catchUp();
        if (world.listOverlappedWrite) {
          world.settle();
        }
        world.checkReader();
        expect(world.visible()).to.deep.equal(world.kept());
        expect(world.cache.unsettled()).to.deep.equal([]);
      }),
      { numRuns: 3000 },
    );
  });

  it('listeners and indexes tell the same story as the cache itself', () => {
    assert(
      property(trace, (steps) => {
        const world = new CacheWorld();
        for (const { name, key } of steps) {
          perform(name, world, key);
          expect(world.heard()).to.deep.equal(world.visible());
          for (const object of world.cache.values()) {
            expect(world.cache.byUid(object.uid)).to.equal(object);
            expect([...world.cache.by('content', object.content)]).to.include(object);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});
