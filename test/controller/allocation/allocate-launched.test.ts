// Who gets a host of its own, when there may not be more of them.
import { expect } from 'chai';
import type { EndedLaunch, LaunchedSnapshot } from '../../../controller/allocation/pool-snapshot.ts';
import { minute, second } from '../../../controller/model/instant.ts';
import { noLimits, type PoolLimits } from '../../../controller/model/pool.ts';
import { aRequest, start } from '../../support/host-builders.ts';
import { aPool } from '../../support/pool-builders.ts';
import { noSshSecretNamed } from '../../../controller/allocation/told-reasons.ts';
import { messageOf, only, outcomes } from './allocation-sentences.ts';

function launched(changes: Partial<LaunchedSnapshot> = {}, limits: Partial<PoolLimits> = {}): LaunchedSnapshot {
  return {
    status: 'launched',
    pool: aPool({ maxInstances: 2, limits: { ...noLimits, ...limits } }),
    taken: 0,
    launching: 0,
    launches: [],
    held: new Map(),
    lastServed: new Map(),
    missingSecret: undefined,
    ...changes,
  };
}

const [a, b, c] = ['a', 'b', 'c'].map((name, index) => aRequest({ name, since: start + index }));
const all = [a, b, c].flatMap((it) => it ?? []);
const short = (ago: number): EndedLaunch => ({ ended: start - ago, shortage: 'no zebras' });
const good = (ago: number): EndedLaunch => ({ ended: start - ago, shortage: undefined });

describe('hosts that are launched', () => {
  it('first come, first served, and never more than max-instances', () => {
    expect(outcomes(launched(), all.toReversed())).to.deep.equal([
      'a → a host of its own',
      'b → a host of its own',
      'c waits 1',
    ]);
    expect(outcomes(launched({ taken: 1 }), all)).to.deep.equal(['a → a host of its own', 'b waits 1', 'c waits 2']);
    // max-instances was lowered.
    expect(outcomes(launched({ taken: 5 }), all)).to.deep.equal(['a waits 1', 'b waits 2', 'c waits 3']);
  });

  it('who waits is told why', () => {
    expect(messageOf(only(launched({ taken: 2 }), aRequest()))).to.equal(
      'all 2 hosts the platform may have at once are taken or still being removed (max-instances)',
    );
  });

  it('by priority, and in turns, where host-config says so', () => {
    const high = aRequest({ name: 'z', priority: 5, since: start + 9 });
    expect(outcomes(launched({ taken: 1 }, { priority: true }), [...all, high])[0]).to.equal('z → a host of its own');
    const other = aRequest({ name: 'o', namespace: 'team-b', since: start + 9 });
    const held = new Map([['team-a', 1]]);
    expect(outcomes(launched({ taken: 1, held }, { fairShare: true }), [...all, other])[0]).to.equal(
      'o → a host of its own',
    );
  });

  it('one namespace has no more than its share', () => {
    const capped = launched({ held: new Map([['team-a', 1]]) }, { maxPerNamespace: 1 });
    const other = aRequest({ name: 'o', namespace: 'team-b', since: start + 9 });
    expect(outcomes(capped, [...all.slice(0, 1), other])).to.deep.equal(['a waits 1', 'o → a host of its own']);
  });

  it('who waited too long is refused', () => {
    const full = launched({ taken: 2 }, { maxWait: minute });
    expect(outcomes(full, [aRequest()], start + minute - 1)).to.deep.equal(['build waits 1']);
    expect(only(full, aRequest())).to.include({ until: start + minute });
    expect(outcomes(full, [aRequest()], start + minute)).to.deep.equal(['build rejected: WaitedTooLong']);
  });

  it('without a Secret that it takes to launch them, or to log in: a grace, then no', () => {
    const missing = launched({ missingSecret: { told: noSshSecretNamed('ssh-key'), since: start } });
    expect(outcomes(missing, [aRequest()], start + 14 * second)).to.deep.equal(['build waits 1']);
    expect(only(missing, aRequest())).to.include({ until: start + 15 * second });
    expect(outcomes(missing, [aRequest()], start + 15 * second)).to.deep.equal(['build rejected: SshSecretMissing']);
  });
});

describe('a provider that is out of capacity', () => {
  it('is not asked for a while, and who waits is told what it said', () => {
    const waiting = only(launched({ launches: [short(0)] }), aRequest());
    expect(waiting).to.include({ outcome: 'wait', until: start + 15 * second });
    expect(messageOf(waiting)).to.equal(
      'the provider has no capacity for platform linux/arm64: no zebras (asked again at 2026-01-01T00:00:15Z)',
    );
  });

  it('then by one build alone, until it is known how that went', () => {
    expect(outcomes(launched({ launches: [short(15 * second)] }), all)).to.deep.equal([
      'a → a host of its own',
      'b waits 1',
      'c waits 2',
    ]);
    expect(outcomes(launched({ launches: [short(minute)], taken: 1, launching: 1 }), all)[0]).to.equal('a waits 1');
  });

  const rows: readonly [string, readonly EndedLaunch[], number][] = [
    ['once', [short(0)], 15],
    ['twice in a row', [short(20 * second), short(0)], 30],
    ['again after a success', [short(40 * second), good(20 * second), short(0)], 15],
    ['ten times', Array.from({ length: 10 }, (_, index) => short(index * minute)), 300],
  ];
  for (const [how, launches, pause] of rows)
    it(`${how}: it is asked again after ${pause} s`, () => {
      expect(only(launched({ launches }), aRequest())).to.include({ until: start + pause * second });
    });

  it('is as ever after a launch that went well', () => {
    expect(outcomes(launched({ launches: [short(minute), good(0)] }), all.slice(0, 2))).to.deep.equal([
      'a → a host of its own',
      'b → a host of its own',
    ]);
  });
});
