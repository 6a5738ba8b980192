import { expect } from 'chai';
import { Quarantine } from '../../../controller/allocation/quarantine.ts';
import type { FailedProvision, HostUse } from '../../../controller/allocation/pool-snapshot.ts';
import { minute, second, type Instant } from '../../../controller/model/instant.ts';
import { aRequest, start } from '../../support/host-builders.ts';
import { failures, messageOf, only, outcomes, pool, sentence, use } from './allocation-sentences.ts';

/** One host with these failures among nine that work. */
function among(failed: Partial<HostUse>): HostUse[] {
  return [use('bad', 9, failed), ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((nth) => use(`good-${nth}`, 1))];
}

/** Seconds the host stays closed for builds of that namespace, counted from `start`; undefined: it is open. */
function closedFor(failed: Partial<HostUse>, namespace = 'other', now: Instant = start): number | undefined {
  const hosts = among(failed);
  const until = new Quarantine(hosts, now).of(namespace).get(hosts[0] ?? use('none', 1));
  return until === undefined ? undefined : (until - start) / second;
}

const at = (build: string, failed: Instant, since = failed - second): FailedProvision => ({
  build,
  namespace: build.split('/')[0] ?? '',
  since,
  failed,
});

describe('quarantine: which failures close a host', () => {
  const streaks: readonly (readonly [string, readonly FailedProvision[], Instant | undefined, boolean])[] = [
    ['three in a row', failures(['a/1', 'b/1', 'c/1']), undefined, true],
    ['two', failures(['a/1', 'b/1']), undefined, false],
    ['three of two namespaces', failures(['a/1', 'a/2', 'b/1']), undefined, true],
    ['three of one namespace', failures(['a/1', 'a/2', 'a/3']), undefined, false],
    ['any number of one namespace', failures(['a/1', 'a/2', 'a/3', 'a/4', 'a/5', 'a/6']), undefined, false],
    [
      'three of one namespace long after one of another',
      [at('b/1', start - 11 * minute), ...failures(['a/1', 'a/2', 'a/3'])],
      undefined,
      false,
    ],
    ['three, one of the same build again', failures(['a/1', 'b/1', 'b/1']), undefined, false],
    [
      'three, more than ten minutes apart',
      [at('a/1', start - 10 * minute), at('b/1', start), at('c/1', start)],
      undefined,
      false,
    ],
    ['three with a success before', failures(['a/1', 'b/1', 'c/1']), start - minute, true],
    ['three with a success after', failures(['a/1', 'b/1', 'c/1']), start, false],
    ['three with a success in between', failures(['a/1', 'b/1', 'c/1']), start - 1050, false],
  ];
  for (const [what, failed, lastGood, closed] of streaks) {
    it(`${what}: ${closed ? 'closed' : 'open'} for everybody`, () => {
      expect(closedFor({ failures: failed, lastGood }) !== undefined).to.equal(closed);
    });
  }

  it('failures of one namespace close the host for that namespace only', () => {
    const failed = { failures: failures(['a/1', 'a/2', 'a/3']) };
    expect([closedFor(failed, 'a'), closedFor(failed, 'b')]).to.deep.equal([60, undefined]);
  });

  it('a success of somebody else opens it for that namespace as well', () => {
    expect(closedFor({ failures: failures(['a/1', 'a/2', 'a/3']), lastGood: start }, 'a')).to.equal(undefined);
  });

  it('whichever namespace fails most, it closes no host for others, not even after a quarantine for all', () => {
    const own = Array.from({ length: 40 }, (_, nth) => at(`a/${nth}`, start + (nth + 2) * minute));
    const failed = { failures: [...failures(['a/x', 'b/x', 'c/x']), ...own] };
    expect(closedFor(failed, 'b', start + 30 * minute)).to.equal(undefined);
    expect(closedFor(failed, 'a', start + 30 * minute)).to.be.above(30 * 60);
  });
});

describe('quarantine: how long', () => {
  const first = failures(['a/1', 'b/1', 'c/1']);
  /** Two more failures right after the quarantine that ends that many seconds after `start`. */
  const again = (end: number): FailedProvision[] => [
    at(`a/${end}`, start + (end + 2) * second),
    at(`b/${end}`, start + (end + 3) * second),
  ];

  it('a minute after the third failure', () => {
    expect(closedFor({ failures: first })).to.equal(60);
    expect(closedFor({ failures: first }, 'other', start + minute - 1)).to.equal(60);
    expect(closedFor({ failures: first }, 'other', start + minute)).to.equal(undefined);
  });

  it('twice as long each time it fails again, up to half an hour', () => {
    const pauses: number[] = [];
    const failed = [...first];
    for (let end = 60, nth = 0; nth < 8; nth += 1) {
      failed.push(...again(end));
      const last = end + 3;
      end = closedFor({ failures: failed }, 'other', start + last * second) ?? 0;
      pauses.push(end - last);
    }
    expect(pauses).to.deep.equal([120, 240, 480, 960, 1800, 1800, 1800, 1800]);
  });

  it('from the beginning again after it worked for ten minutes', () => {
    const late = failures(['d/1', 'e/1', 'f/1'], start + 12 * minute);
    expect(closedFor({ failures: [...first, ...late.slice(1)] }, 'other', start + 12 * minute)).to.equal(undefined);
    expect(closedFor({ failures: [...first, ...late] }, 'other', start + 12 * minute)).to.equal(13 * 60);
  });

  it('failures of builds that were on the host already make it no longer', () => {
    const underWay = ['d/1', 'e/1', 'f/1'].map((build) => at(build, start + 30 * second, start - second));
    expect(closedFor({ failures: [...first, ...underWay] }, 'other', start + 30 * second)).to.equal(60);
  });

  it('the order in which failures are found changes nothing', () => {
    const failed = [...first, ...again(60)];
    const now = start + 63 * second;
    expect(closedFor({ failures: failed.toReversed() }, 'other', now)).to.equal(
      closedFor({ failures: failed }, 'other', now),
    );
  });
});

describe('quarantine: how many hosts', () => {
  const failing = (count: number, namespaces: readonly string[]): HostUse[] =>
    Array.from({ length: count }, (_, nth) =>
      use(`host-${nth}`, 1, {
        failures: failures(
          namespaces.map((it, index) => `${it}/${index}`),
          start - nth * second,
        ),
      }),
    );
  const closed = (hosts: readonly HostUse[], namespace = 'other'): string[] =>
    [...new Quarantine(hosts, start).of(namespace).keys()].map(({ host }) => host.name);

  const shares: readonly (readonly [number, number])[] = [
    [1, 0],
    [2, 0],
    [3, 1],
    [4, 1],
    [5, 2],
    [10, 4],
  ];
  for (const [hosts, most] of shares) {
    it(`of ${hosts}, if all fail: ${most}`, () => {
      expect(closed(failing(hosts, ['a', 'b', 'c']))).to.have.length(most);
    });
  }

  it('those that would be closed longest', () => {
    expect(closed(failing(5, ['a', 'b', 'c']))).to.deep.equal(['host-0', 'host-1']);
    expect(closed(failing(5, ['a', 'b', 'c']).toReversed())).to.deep.equal(['host-0', 'host-1']);
  });

  it('those of one namespace and those of all together', () => {
    const hosts = [
      ...failing(1, ['a', 'b', 'c']),
      ...[1, 2, 3, 4].map((nth) => use(`own-${nth}`, 1, { failures: failures(['x/1', 'x/2', 'x/3']) })),
    ];
    expect(closed(hosts, 'x')).to.deep.equal(['host-0', 'own-1']);
    expect(closed(hosts, 'y')).to.deep.equal(['host-0']);
  });
});

describe('quarantine: what builds see', () => {
  const bad = { failures: failures(['a/1', 'b/1', 'c/1']) };
  const a = aRequest({ name: 'a' });

  it('another host, though fewer slots are free there', () => {
    expect(outcomes(pool(among(bad)), [a])).to.deep.equal(['a → good-1']);
  });

  it('who has no other host left waits for it, and is told until when', () => {
    const tried = aRequest({ name: 'a', failedHosts: ['good-1', 'good-2'] });
    const allocation = only(pool([use('bad', 9, bad), use('good-1', 1), use('good-2', 1)]), tried);
    expect(allocation).to.deep.include({ outcome: 'wait', until: start + minute });
    expect(messageOf(allocation)).to.equal(
      'hosts left for this build are quarantined because provisions on them failed: bad (the first until 2026-01-01T00:01:00Z)',
    );
  });

  it('who waits for a slot looks again when a quarantine ends', () => {
    const allocation = only(pool([use('bad', 9, bad), use('x', 1, { taken: 1 }), use('y', 1, { taken: 1 })]), a);
    expect(allocation).to.deep.include({ outcome: 'wait', until: start + minute });
    expect(messageOf(allocation)).to.equal('all 11 slots of the platform are taken or on quarantined hosts');
  });

  it('max-wait ends the wait for a quarantined host too', () => {
    const hosts = [use('bad', 9, bad), use('x', 1, { taken: 1 }), use('y', 1, { taken: 1 })];
    const allocation = only(pool(hosts, { maxWait: minute / 2 }), aRequest({ name: 'a', since: start - minute }));
    expect(sentence(allocation)).to.equal('a rejected: WaitedTooLong');
  });
});
