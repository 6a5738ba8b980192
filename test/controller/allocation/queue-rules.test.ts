// Who comes first where host-config says something else than first come, first served.
import { expect } from 'chai';
import type { HostRequest } from '../../../controller/model/host-request.ts';
import { second } from '../../../controller/model/instant.ts';
import { aRequest, start } from '../../support/host-builders.ts';
import { messageOf, only, outcomes, pool, use } from './allocation-sentences.ts';

/** `a1` … of namespace `a`, in the order given, a second apart. */
function queue(...names: readonly string[]): HostRequest[] {
  return names.map((name, nth) => aRequest({ name, namespace: name.slice(0, 1), since: start + nth * second }));
}

const now = start + 60 * second;
const slots = (count: number) => [use('h', count)];

describe('queue: priority', () => {
  const urgent = aRequest({ name: 'urgent', since: start + second, priority: 10 });
  const plain = aRequest({ name: 'plain' });
  const patient = aRequest({ name: 'patient', since: start - second, priority: -1 });

  it('counts where host-config allows it', () => {
    expect(outcomes(pool(slots(1), { priority: true }), [plain, patient, urgent])).to.deep.equal([
      'urgent → h',
      'plain waits 1',
      'patient waits 2',
    ]);
  });

  it('changes nothing elsewhere', () => {
    expect(outcomes(pool(slots(1)), [plain, patient, urgent])).to.deep.equal([
      'patient → h',
      'plain waits 1',
      'urgent waits 2',
    ]);
  });

  it('first come, first served among equals', () => {
    const [x, y] = [aRequest({ name: 'y', priority: 1 }), aRequest({ name: 'x', priority: 1, since: start + 1 })];
    expect(outcomes(pool(slots(1), { priority: true }), [y, x])).to.deep.equal(['y → h', 'x waits 1']);
  });

  it('where namespaces take turns it orders the builds of each, and takes no turn from another', () => {
    const mine = queue('a1', 'a2', 'a3').map((it) => ({ ...it, priority: Number(it.name.slice(1)) }));
    const rules = { priority: true, fairShare: true };
    expect(outcomes(pool(slots(3), rules), [...mine, ...queue('b1', 'b2')], now)).to.deep.equal([
      'a3 → h',
      'b1 → h',
      'a2 → h',
      'b2 waits 1',
      'a1 waits 2',
    ]);
  });
});

describe('queue: fair share', () => {
  const fair = { fairShare: true };

  it('namespaces take turns, first come, first served inside each', () => {
    expect(outcomes(pool(slots(4), fair), queue('a1', 'a2', 'a3', 'a4', 'b1', 'c1'), now)).to.deep.equal([
      'a1 → h',
      'b1 → h',
      'c1 → h',
      'a2 → h',
      'a3 waits 1',
      'a4 waits 2',
    ]);
  });

  it('who holds fewer slots comes first', () => {
    expect(outcomes(pool(slots(1), fair, { a: 2, b: 1 }), queue('a1', 'a2', 'b1', 'c1'), now)).to.deep.equal([
      'c1 → h',
      'b1 waits 1',
      'a1 waits 2',
      'a2 waits 3',
    ]);
  });

  it('of those that hold as many, the one whose last turn is the longest ago: also where there is one slot', () => {
    const one = {
      ...pool(slots(1), fair),
      lastServed: new Map([
        ['a', now - second],
        ['b', now - 2 * second],
      ]),
    };
    expect(outcomes(one, queue('a1', 'a2', 'b1', 'c1'), now)).to.deep.equal([
      'c1 → h',
      'b1 waits 1',
      'a1 waits 2',
      'a2 waits 3',
    ]);
  });

  it('places are those in which slots would be given', () => {
    expect(outcomes(pool([use('h', 1, { taken: 1 })], fair), queue('a1', 'a2', 'a3', 'b1', 'b2'), now)).to.have.members(
      ['a1 waits 1', 'b1 waits 2', 'a2 waits 3', 'b2 waits 4', 'a3 waits 5'],
    );
  });

  it('one who can use no free host costs its namespace no turn', () => {
    const [first, ...rest] = queue('a1', 'a2', 'b1', 'b2');
    if (first === undefined) throw new Error('no queue');
    const picky = { ...first, failedHosts: ['h'] };
    const hosts = [use('h', 3), use('busy', 1, { taken: 1 })];
    expect(outcomes(pool(hosts, fair), [picky, ...rest], now)).to.deep.equal([
      'a1 waits 1',
      'a2 → h',
      'b1 → h',
      'b2 → h',
    ]);
  });

  it('without it, first come, first served', () => {
    expect(outcomes(pool(slots(2), {}, { a: 9 }), queue('a1', 'a2', 'b1'), now)).to.deep.equal([
      'a1 → h',
      'a2 → h',
      'b1 waits 1',
    ]);
  });
});

describe('queue: max-per-namespace', () => {
  it('a namespace that holds as many as it may waits, others pass', () => {
    expect(
      outcomes(pool(slots(9), { maxPerNamespace: 2 }, { a: 1 }), queue('a1', 'a2', 'b1', 'b2', 'b3'), now),
    ).to.deep.equal(['a1 → h', 'a2 waits 1', 'b1 → h', 'b2 → h', 'b3 waits 2']);
  });

  it('says so', () => {
    const [request] = queue('a1');
    if (request === undefined) throw new Error('no queue');
    const allocation = only(pool(slots(9), { maxPerNamespace: 2 }, { a: 2 }), request, now);
    expect(allocation).to.deep.include({ outcome: 'wait', until: undefined });
    expect(messageOf(allocation)).to.equal(
      'namespace a holds all 2 slots of the platform it may have at once (max-per-namespace)',
    );
  });

  it('no longer than max-wait', () => {
    const rules = { maxPerNamespace: 1, maxWait: 30 * second };
    expect(outcomes(pool(slots(9), rules, { a: 1 }), queue('a1'), now)).to.deep.equal(['a1 rejected: WaitedTooLong']);
  });
});

describe('queue: thousands', () => {
  it('keep their order whatever rules hold', () => {
    const many = Array.from({ length: 10_000 }, (_, nth) =>
      aRequest({ name: `b${nth}`, namespace: `n${nth % 100}`, uid: String(nth), since: start + nth }),
    );
    const hosts = Array.from({ length: 100 }, (_, nth) => use(`h${nth}`, 8, { taken: nth === 0 ? 7 : 8 }));
    for (const fairShare of [false, true]) {
      const decided = outcomes(pool(hosts, { fairShare }), many.toReversed(), now);
      expect(decided.slice(0, 3)).to.deep.equal(['b0 → h0', 'b1 waits 1', 'b2 waits 2']);
      expect(new Set(decided).size).to.equal(10_000);
    }
  });
});
