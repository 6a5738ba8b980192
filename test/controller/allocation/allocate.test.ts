import { expect } from 'chai';
import type { HostUse } from '../../../controller/allocation/pool-snapshot.ts';
import type { HostRequest } from '../../../controller/model/host-request.ts';
import { minute } from '../../../controller/model/instant.ts';
import { aRequest, start } from '../../support/host-builders.ts';
import { failures, messageOf, only, outcomes, pool, sentence, use } from './allocation-sentences.ts';

const a = aRequest({ name: 'a' });
const b = aRequest({ name: 'b' });
const c = aRequest({ name: 'c' });

describe('allocate: who comes first', () => {
  const queues: readonly (readonly [string, readonly HostRequest[], readonly string[]])[] = [
    [
      'the older TaskRun',
      [aRequest({ name: 'young', since: start + 1 }), aRequest({ name: 'old' })],
      ['old → h', 'young waits 1'],
    ],
    [
      'of equally old ones, by namespace',
      [aRequest({ namespace: 'team-b', name: 'a' }), aRequest({ namespace: 'team-a', name: 'b' })],
      ['b → h', 'a waits 1'],
    ],
    ['then by name', [b, c, a], ['a → h', 'b waits 1', 'c waits 2']],
    [
      'by code unit, whatever the locale',
      [aRequest({ name: 'a' }), aRequest({ name: 'Z' }), aRequest({ name: 'a-b' }), aRequest({ name: 'a.b' })],
      ['Z → h', 'a waits 1', 'a-b waits 2', 'a.b waits 3'],
    ],
  ];
  for (const [who, requests, expected] of queues) {
    it(who, () => expect(outcomes(pool([use('h', 1)]), requests)).to.deep.equal(expected));
  }

  it('N free slots serve N waiters at once', () => {
    expect(outcomes(pool([use('h', 1), use('i', 2, { taken: 1 })]), [a, b, c])).to.deep.equal([
      'a → h',
      'b → i',
      'c waits 1',
    ]);
  });

  it('one who can use none of the free hosts lets the next one pass', () => {
    const picky = aRequest({ name: 'a', failedHosts: ['free'] });
    expect(outcomes(pool([use('free', 1), use('busy', 1, { taken: 1 })]), [picky, b])).to.deep.equal([
      'a waits 1',
      'b → free',
    ]);
  });

  it('positions count the waiting ones only', () => {
    const hopeless = aRequest({ name: 'a', failedHosts: ['h'] });
    expect(outcomes(pool([use('h', 1, { taken: 1 })]), [hopeless, b, c])).to.deep.equal([
      'a rejected: AllHostsFailed',
      'b waits 1',
      'c waits 2',
    ]);
  });
});

describe('allocate: which host', () => {
  const choices: readonly (readonly [string, readonly HostUse[], string])[] = [
    ['the one with most free slots', [use('a', 2, { taken: 1 }), use('b', 4, { taken: 2 })], 'a → b'],
    ['free slots, not slots', [use('a', 8, { taken: 7 }), use('b', 2)], 'a → b'],
    [
      'of equals, the one that failed least of late',
      [use('a', 2, { failures: failures(['x/1']) }), use('b', 2)],
      'a → b',
    ],
    [
      'free slots count more than failures',
      [use('a', 3, { failures: failures(['x/1', 'y/1', 'z/1']) }), use('b', 2)],
      'a → a',
    ],
    ['then by name', [use('b', 2), use('a', 2)], 'a → a'],
    ['never a cordoned one', [use('a', 9, { cordoned: true }), use('b', 1)], 'a → b'],
    ['never one without a usable ssh Secret', [use('a', 9, { hasSshSecret: false }), use('b', 1)], 'a → b'],
    ['never one that is over its capacity', [use('a', 1, { taken: 3 }), use('b', 2, { taken: 1 })], 'a → b'],
  ];
  for (const [which, hosts, expected] of choices) {
    it(which, () => expect(outcomes(pool(hosts), [a])).to.deep.equal([expected]));
  }

  it('hosts on which this build failed are not chosen again', () => {
    const request = aRequest({ name: 'a', failedHosts: ['x', 'y'] });
    expect(outcomes(pool([use('x', 9), use('y', 9), use('z', 1)]), [request])).to.deep.equal(['a → z']);
  });

  it('what is given away in this call is taken for those that follow', () => {
    const requests = ['a', 'b', 'c', 'd', 'e'].map((name) => aRequest({ name }));
    expect(outcomes(pool([use('h', 2), use('i', 2)]), requests)).to.deep.equal([
      'a → h',
      'b → i',
      'c → h',
      'd → i',
      'e waits 1',
    ]);
  });
});

describe('allocate: not now', () => {
  it('waits while every slot is taken, and says how many there are', () => {
    const allocation = only(pool([use('h', 2, { taken: 2 }), use('i', 1, { taken: 1 })]), a);
    expect(allocation).to.deep.include({ outcome: 'wait', position: 1, until: undefined });
    expect(messageOf(allocation)).to.equal('all 3 slots of the platform are taken');
  });

  it('waits for a cordoned host to come back', () => {
    expect(outcomes(pool([use('h', 2, { cordoned: true })]), [a])).to.deep.equal(['a waits 1']);
  });

  it('waits for the one host that is left, though all others failed', () => {
    const request = aRequest({ name: 'a', failedHosts: ['h'] });
    expect(outcomes(pool([use('h', 2), use('i', 1, { taken: 1 })]), [request])).to.deep.equal(['a waits 1']);
  });

  const maxWait = 10 * minute;
  const busy = pool([use('h', 1, { taken: 1 })], { maxWait });
  it('no longer than max-wait, and says when that ends', () => {
    expect(only(busy, a, start + maxWait - 1)).to.deep.include({ outcome: 'wait', until: start + maxWait });
  });

  it('then it is rejected, with the time and the remedy', () => {
    const allocation = only(busy, a, start + maxWait);
    expect(sentence(allocation)).to.equal('a rejected: WaitedTooLong');
    expect(messageOf(allocation)).to.equal(
      'Error allocating host: no host for platform linux/arm64 became free in 10 min: run the build again later, or ask an ' +
        'administrator for more hosts or a longer max-wait',
    );
  });

  it('a slot that is free then is given all the same', () => {
    expect(outcomes(pool([use('h', 1)], { maxWait }), [a], start + 2 * maxWait)).to.deep.equal(['a → h']);
  });
});
