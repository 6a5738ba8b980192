// A dynamic-pool at one instant: how many hosts are launched, which are closed, what becomes of each.
import { expect } from 'chai';
import { planPool, type PooledHost, type PoolUse } from '../../../controller/allocation/plan-pool.ts';
import type { HostUse } from '../../../controller/allocation/pool-snapshot.ts';
import { pooledLaunch } from '../../../controller/lease/pooled-launch.ts';
import { launchDeadline } from '../../../controller/lease/timeouts.ts';
import type { HostRequest } from '../../../controller/model/host-request.ts';
import { hour, minute, second, type Instant } from '../../../controller/model/instant.ts';
import { noLimits, type LaunchedPool } from '../../../controller/model/pool.ts';
import { pooledHost } from '../../../controller/reconcile/pooled-hosts.ts';
import { operatorNamespace, OwnTaskRunBuilder } from '../../support/builders.ts';
import { aRequest, start } from '../../support/host-builders.ts';
import { aPool } from '../../support/pool-builders.ts';

const pool = aPool({ kind: 'dynamic-pool', concurrency: 2, maxInstances: 4, maxAge: hour });
const there = { INSTANCE_ID: 'i-1', ADDRESS: '10.0.0.1', USER: 'toy' };
const requests = (count: number, changes: Partial<HostRequest> = {}): HostRequest[] =>
  Array.from({ length: count }, (_, nth) => aRequest({ name: `b${nth}`, ...changes }));

function aLaunch(token: string, of: LaunchedPool = pool): OwnTaskRunBuilder {
  return new OwnTaskRunBuilder(pooledLaunch(of, token, start, operatorNamespace));
}

function host(launch: OwnTaskRunBuilder, use: Partial<HostUse> = {}, cleaning = false): PooledHost {
  const record = launch.build();
  const found = pooledHost(record, pool.concurrency);
  const idle = { taken: 0, failures: [], lastGood: undefined, hasSshSecret: true, cordoned: false, draining: false };
  return {
    launch: record,
    deadline: launchDeadline(record.created, record.facts?.claim?.launch?.timeout ?? 0),
    use: found === undefined ? undefined : { host: found, ...idle, ...use },
    isBeingCleaned: () => cleaning,
  };
}

const ready = (token: string, use: Partial<HostUse> = {}, cleaning = false): PooledHost =>
  host(aLaunch(token).ended('succeeded', start, there), use, cleaning);
const failed = (token: string, at: Instant, reason = 'Timeout'): PooledHost =>
  host(
    aLaunch(token)
      .with(({ metadata }) => Object.assign(metadata['labels'] ?? {}, { 'build.appstudio.redhat.com/cleaned': 'true' }))
      .ended('failed', at, { REASON: reason }),
  );

/** What it does, in words; `now` in minutes. */
function plan(
  use: Partial<PoolUse>,
  minutes = 0,
): { does: string[]; closed: string[]; lookAgainAt: number | undefined } {
  const { hosts = [] } = use;
  const all = { pool, hosts, taken: hosts.length, waiting: [], held: new Map(), lacksSecret: false, ...use };
  const { steps, closed, lookAgainAt } = planPool(all, start + minutes * minute, hour);
  const does = steps.map((step) => (step.type === 'launch' ? 'launch' : `${step.type} ${step.launch.host}`));
  return {
    does,
    closed: [...closed],
    lookAgainAt: lookAgainAt === undefined ? undefined : (lookAgainAt - start) / second,
  };
}
const launches = (use: Partial<PoolUse>, minutes?: number): number =>
  plan(use, minutes).does.filter((it) => it === 'launch').length;

describe('hosts of a pool: how many are launched', () => {
  const full = { taken: 2 };
  const sentences: readonly (readonly [string, Partial<PoolUse>, number])[] = [
    ['nobody waits: none', {}, 0],
    ['one for each two that wait', { waiting: requests(5) }, 3],
    ['never more than there may be', { waiting: requests(20) }, 4],
    ['hosts that are still going count', { waiting: requests(20), taken: 3 }, 1],
    ['free slots come first', { waiting: requests(3), hosts: [ready('a')] }, 1],
    ['slots that are taken are not free', { waiting: requests(3), hosts: [ready('a', full)] }, 2],
    ['what is being launched counts as free', { waiting: requests(3), hosts: [host(aLaunch('a'))] }, 1],
    [
      'a free slot on a host the build failed on is none',
      { waiting: requests(1, { failedHosts: ['a'] }), hosts: [ready('a')] },
      1,
    ],
    ['not where nobody could log in', { waiting: requests(2), lacksSecret: true }, 0],
    ['not where none is wanted any more', { waiting: requests(2), pool: undefined }, 0],
    [
      'not for builds whose namespace may hold no more',
      {
        pool: { ...pool, limits: { ...noLimits, maxPerNamespace: 3 } },
        waiting: requests(9),
        held: new Map([['team-a', 1]]),
      },
      1,
    ],
  ];
  for (const [sentence, use, count] of sentences) it(sentence, () => expect(launches(use)).to.equal(count));

  it('after a failure one at a time, after a pause that grows', () => {
    const waiting = requests(8);
    const once = [failed('a', start)];
    expect(plan({ waiting, hosts: once, taken: 0 })).to.deep.include({ does: [], lookAgainAt: 15 });
    expect(launches({ waiting, hosts: once, taken: 0 }, 0.25)).to.equal(1);
    const twice = [...once, failed('b', start + minute)];
    expect(launches({ waiting, hosts: twice, taken: 0 }, 1.4)).to.equal(0);
    expect(launches({ waiting, hosts: twice, taken: 0 }, 1.5)).to.equal(1);
    expect(launches({ waiting, hosts: [...twice, host(aLaunch('c'))], taken: 1 }, 1.5)).to.equal(0);
  });

  it('after a success as many as are needed', () => {
    const good = host(aLaunch('b').ended('succeeded', start + minute, there), { taken: 2 });
    expect(launches({ waiting: requests(6), hosts: [failed('a', start), good], taken: 1 }, 2)).to.equal(3);
  });
});

describe('hosts of a pool: what becomes of one', () => {
  const late = aPool({ kind: 'dynamic-pool', concurrency: 2, allocationTimeout: minute });
  const sentences: readonly (readonly [string, PooledHost, number, Partial<PoolUse>, string[], string[]])[] = [
    ['young: it stays', ready('a'), 59, {}, [], []],
    ['old and empty: it goes', ready('a'), 60, {}, ['terminate a'], ['a']],
    ['old, with a build: it takes no more', ready('a', { taken: 1 }), 60, {}, [], ['a']],
    ['old, and being cleaned: the same', ready('a', {}, true), 60, {}, [], ['a']],
    ['not wanted any more, and empty: it goes', ready('a'), 1, { pool: undefined }, ['terminate a'], ['a']],
    ['not wanted any more, with a build', ready('a', { taken: 1 }), 1, { pool: undefined }, [], ['a']],
    [
      'launched by another type than is configured now',
      ready('a'),
      1,
      { pool: { ...pool, provider: { ...pool.provider, type: 'other' } } },
      ['terminate a'],
      ['a'],
    ],
    [
      'its record is being deleted',
      host(aLaunch('a').ended('succeeded', start, there).deleting()),
      1,
      {},
      ['terminate a'],
      ['a'],
    ],
    ['launched without an address', host(aLaunch('a').ended('succeeded', start, {})), 1, {}, ['terminate a'], ['a']],
    ['failed to be launched', host(aLaunch('a').ended('failed', start)), 1, {}, ['terminate a'], ['a']],
    ['its launch takes too long', host(aLaunch('a', late)), 2, {}, ['cancel a'], []],
    ['that is cancelled already', host(aLaunch('a', late).cancelled()), 2, {}, [], []],
    ['its launch is not wanted any more', host(aLaunch('a')), 0, { pool: undefined }, ['cancel a'], []],
    ['its launch was deleted', host(aLaunch('a').deleting()), 0, {}, ['terminate a'], ['a']],
    ['terminated, kept for its log', failed('a', start), 59, {}, [], []],
    ['terminated, its log is old', failed('a', start), 60, {}, ['forget a'], []],
  ];
  for (const [sentence, one, minutes, use, does, closed] of sentences)
    it(sentence, () => expect(plan({ ...use, hosts: [one] }, minutes)).to.deep.include({ does, closed }));

  const failure = (build: string, since: Instant) => ({ build, namespace: 'team-a', since, failed: since + second });
  const failures = ['a', 'b', 'c'].map((build) => failure(build, start + minute));

  it('three builds in a row could not be prepared there: it goes', () => {
    expect(plan({ hosts: [ready('a', { failures })] }, 2)).to.deep.include({ does: ['terminate a'], closed: ['a'] });
    expect(plan({ hosts: [ready('a', { failures, taken: 1 })] }, 2)).to.deep.include({ does: [], closed: ['a'] });
  });

  it('but not the same build three times, nor with a success in between', () => {
    const same = failures.map((it) => ({ ...it, build: 'a' }));
    expect(plan({ hosts: [ready('a', { failures: same })] }, 2).closed).to.deep.equal([]);
    expect(plan({ hosts: [ready('a', { failures, lastGood: start + minute })] }, 2).closed).to.deep.equal([]);
  });

  it('is looked at again when it is old, or its launch late', () => {
    expect(plan({ hosts: [ready('a')] }).lookAgainAt).to.equal(3600);
    expect(plan({ hosts: [host(aLaunch('a', late)), ready('b')] }).lookAgainAt).to.equal(90);
  });
});
