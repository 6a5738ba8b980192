import { expect } from 'chai';
import { Cache } from '../../../controller/kubernetes/cache.ts';
import type { StaticSnapshot } from '../../../controller/allocation/pool-snapshot.ts';
import { blamelessReasons } from '../../../controller/lease/provision-reasons.ts';
import { minute, second } from '../../../controller/model/instant.ts';
import { noLimits, type PoolLimits } from '../../../controller/model/pool.ts';
import type { KeptTaskRun, OwnTaskRun } from '../../../controller/model/task-run.ts';
import type { ConfiguredPool } from '../../../controller/reconcile/host-config-state.ts';
import {
  readRequest,
  taskRunIndexes,
  takeSnapshot,
  type TaskRuns,
} from '../../../controller/reconcile/take-snapshot.ts';
import { aCleanupFor, aProvisionFor, aTaskRun, type TaskRunBuilder } from '../../support/builders.ts';
import { aHost, platform, start } from '../../support/host-builders.ts';

const h = aHost('h').withSlots(4).build();
const i = aHost('i').withSlots(4).build();
const poolWith = (limits: Partial<PoolLimits> = {}): ConfiguredPool => ({
  status: 'pool',
  pool: {
    kind: 'static',
    platform: platform('linux/arm64'),
    hosts: [h, i],
    cordoned: new Set(['i']),
    limits: { ...noLimits, ...limits },
  },
});
const build = (name: string): TaskRunBuilder => aTaskRun().named(name).forPlatform('linux/arm64');

function cacheOf(kept: readonly KeptTaskRun[]): TaskRuns {
  const cache: TaskRuns = new Cache({
    index: taskRunIndexes,
    onListenerError: (error) => {
      throw error;
    },
  });
  cache.replace(cache.relisting(), kept);
  return cache;
}

interface Given {
  readonly limits?: Partial<PoolLimits>;
  readonly assumed?: (host: string) => readonly string[];
  readonly draining?: string;
}

function snapshotOf(kept: readonly KeptTaskRun[], given: Given = {}): StaticSnapshot {
  const snapshot = takeSnapshot('linux/arm64', poolWith(given.limits), {
    taskRuns: cacheOf(kept),
    hasSshSecret: (name) => name === 'ssh-key',
    assumed: given.assumed ?? (() => []),
    isDraining: (host) => host === given.draining,
  });
  if (snapshot.status !== 'static') throw new Error('no static pool');
  return snapshot;
}

const takenOf = (kept: readonly KeptTaskRun[], given: Given = {}): number[] =>
  snapshotOf(kept, given).hosts.map(({ taken }) => taken);
const open = { taken: 0, failures: [], lastGood: undefined, hasSshSecret: true, cordoned: false, draining: false };

describe('a platform at this instant', () => {
  it('hosts with their limits, cordon and ssh Secret', () => {
    expect(snapshotOf([]).hosts).to.deep.equal([
      { ...open, host: h },
      { ...open, host: i, cordoned: true },
    ]);
  });

  it('a host that is being emptied', () => {
    expect(snapshotOf([], { draining: 'h' }).hosts[0]).to.deep.equal({ ...open, host: h, draining: true });
  });

  const holders: readonly (readonly [string, TaskRunBuilder, readonly number[]])[] = [
    ['a claim takes a slot', build('a').claimed(h), [1, 0]],
    ['so does a build whose host is ready', build('a').claimed(i).ready(), [0, 1]],
    ['not one that waits', build('a'), [0, 0]],
    ['not one that ended', build('a').claimed(h).ready().ended(), [0, 0]],
    ['not one that is being deleted', build('a').claimed(h).deleting(), [0, 0]],
    ['not one that gave its host up', build('a').claimed(h).gaveUpHost(), [0, 0]],
    ['not one in its own pod', aTaskRun().forPlatform('local').claimedLocally(), [0, 0]],
    [
      'not a label somebody wrote',
      build('a').with(({ metadata }) => (metadata['labels'] = { 'build.appstudio.redhat.com/assigned-host': 'h' })),
      [0, 0],
    ],
    [
      'not facts copied from another build',
      build('a')
        .claimed(h)
        .with(({ metadata }) => (metadata['uid'] = 'another')),
      [0, 0],
    ],
  ];
  for (const [sentence, builder, taken] of holders) {
    it(sentence, () => expect(takenOf([builder.build()])).to.deep.equal(taken));
  }

  it('claims under way are added to those that are seen', () => {
    const kept = [build('a').claimed(h).build()];
    expect(takenOf(kept, { assumed: (host) => (host === 'h' ? ['x', 'y'] : []) })).to.deep.equal([3, 0]);
  });

  it('who holds slots, where that decides something', () => {
    const kept = [
      build('a').claimed(h).build(),
      build('b').claimed(i).ready().build(),
      build('c').claimed(h).ended().build(),
    ];
    const assumed = (host: string): string[] => (host === 'i' ? ['team-b'] : []);
    const held = (limits: Partial<PoolLimits>) => Object.fromEntries(snapshotOf(kept, { limits, assumed }).held);
    expect(held({ fairShare: true })).to.deep.equal({ 'team-a': 2, 'team-b': 1 });
    expect(held({ maxPerNamespace: 3 })).to.deep.equal({ 'team-a': 2, 'team-b': 1 });
    expect(held({})).to.deep.equal({});
  });

  it('a pool that is unknown or unusable stays so', () => {
    const sources = { taskRuns: cacheOf([]), hasSshSecret: () => true, assumed: () => [], isDraining: () => false };
    expect(takeSnapshot('a/b', { status: 'unknown', configured: ['x/y'] }, sources)).to.deep.equal({
      status: 'unknown',
      platform: 'a/b',
      configured: ['x/y'],
    });
  });
});

describe('slots that are kept until a host is clean', () => {
  const ended = build('a').claimed(h).ready().ended();
  const claim = build('a').claimed(h).ready().build();
  const kept: readonly (readonly [string, readonly KeptTaskRun[], number])[] = [
    ['the build ended, nothing else happened yet', [ended.build()], 1],
    ['its cleanup runs', [build('a').claimed(h).released().ended().build(), aCleanupFor(claim).build()], 1],
    ['its cleanup succeeded', [aCleanupFor(claim).ended('succeeded').build()], 0],
    ['its cleanup failed', [aCleanupFor(claim).ended('failed').build()], 0],
    ['another try of its cleanup runs', [aCleanupFor(claim, 2).build()], 0],
    [
      'a provision failed and its remains are removed',
      [aCleanupFor(claim).build(), build('a').claimed(h).gaveUpHost().build()],
      1,
    ],
  ];
  for (const [sentence, taskRuns, slots] of kept) {
    it(`${sentence}: ${slots}, and 0 where the end of the build counts`, () => {
      expect(takenOf(taskRuns, { limits: { releaseSlotAfter: 'cleanup' } })).to.deep.equal([slots, 0]);
      expect(takenOf(taskRuns)).to.deep.equal([0, 0]);
    });
  }
});

describe('what is known of provisions on a host', () => {
  const failedFor = (name: string, results: Readonly<Record<string, string>> = {}): OwnTaskRun =>
    aProvisionFor(
      build(name)
        .claimed(h, start + second)
        .build(),
    )
      .ended('failed', start + minute, results)
      .build();
  const known = (kept: readonly KeptTaskRun[]) => snapshotOf(kept).hosts[0];

  it('the failed ones: whose, since when, and when they failed', () => {
    expect(known([failedFor('a')])?.failures).to.deep.equal([
      { build: 'uid-of-team-a-a', namespace: 'team-a', since: start + second, failed: start + minute },
    ]);
  });

  const harmless: readonly (readonly [string, OwnTaskRun])[] = [
    ['one that was cancelled', aProvisionFor(build('a').claimed(h).build()).cancelled().ended('failed').build()],
    ['one that runs', aProvisionFor(build('a').claimed(h).build()).build()],
    ["one for which somebody's Secret was in the way", failedFor('a', { REASON: 'SecretExists' })],
    ...[...blamelessReasons].map(
      (reason) => [`one with reason ${reason}`, failedFor('a', { REASON: reason })] as const,
    ),
  ];
  for (const [what, provision] of harmless) {
    it(`not ${what}`, () => expect(known([provision])?.failures).to.deep.equal([]));
  }

  const good = build('b')
    .claimed(h, start + 2 * second)
    .ready();
  const signs: readonly (readonly [string, KeptTaskRun, number | undefined])[] = [
    ['a build that uses the host', good.build(), start + 2 * second],
    ['one that used it and is not released yet', good.ended().build(), start + 2 * second],
    [
      'the cleanup of one that used it',
      aCleanupFor(
        build('c')
          .claimed(h, start + 3 * second)
          .ready()
          .build(),
      ).build(),
      start + 3 * second,
    ],
    [
      'not one that is being prepared',
      build('d')
        .claimed(h, start + 4 * second)
        .build(),
      undefined,
    ],
    [
      'not one on another host',
      build('e')
        .claimed(i, start + 4 * second)
        .ready()
        .build(),
      undefined,
    ],
  ];
  for (const [what, sign, since] of signs) {
    it(`that one succeeded: ${what}`, () => expect(known([failedFor('a'), sign])?.lastGood).to.equal(since));
  }
});

describe('a waiting build as a request', () => {
  it('asks from its creation on, not for hosts that failed it', () => {
    const waiting = build('a').claimed(h).gaveUpHost().build();
    expect(readRequest(waiting, cacheOf([]))).to.deep.equal({
      uid: 'uid-of-team-a-a',
      namespace: 'team-a',
      name: 'a',
      platform: 'linux/arm64',
      since: start,
      priority: 0,
      failedHosts: ['h'],
    });
  });

  it('with a malformed PLATFORM is none', () => {
    expect(readRequest(aTaskRun().forPlatform('x').build(), cacheOf([]))).to.equal(undefined);
    expect(readRequest(aTaskRun().build(), cacheOf([]))).to.equal(undefined);
  });
});
