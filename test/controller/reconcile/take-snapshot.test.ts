import { expect } from 'chai';
import { Cache } from '../../../controller/kubernetes/cache.ts';
import { minute } from '../../../controller/model/instant.ts';
import type { KeptTaskRun } from '../../../controller/model/task-run.ts';
import type { ConfiguredPool } from '../../../controller/reconcile/host-config-state.ts';
import {
  readRequest,
  taskRunIndexes,
  takeSnapshot,
  type TaskRuns,
} from '../../../controller/reconcile/take-snapshot.ts';
import { aProvisionFor, aTaskRun, type TaskRunBuilder } from '../../support/builders.ts';
import { aHost, platform, start } from '../../support/host-builders.ts';

const h = aHost('h').withSlots(4).build();
const i = aHost('i').withSlots(4).build();
const limits = { allowedNamespaces: [], maxWait: minute };
const configured: ConfiguredPool = {
  status: 'pool',
  pool: { kind: 'static', platform: platform('linux/arm64'), hosts: [h, i], cordoned: new Set(['i']), limits },
};
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

function uses(kept: readonly KeptTaskRun[], now = start, assumed: (host: string) => number = () => 0) {
  const sources = { taskRuns: cacheOf(kept), hasSshSecret: (name: string) => name === 'ssh-key', assumed };
  const snapshot = takeSnapshot('linux/arm64', configured, sources, now);
  return snapshot.status === 'static' ? snapshot.hosts : [];
}

const takenOf = (kept: readonly KeptTaskRun[]): number[] => uses(kept).map(({ taken }) => taken);

describe('a platform at this instant', () => {
  it('hosts with their limits, cordon and ssh Secret', () => {
    expect(uses([])).to.deep.equal([
      { host: h, taken: 0, recentFailures: 0, hasSshSecret: true, cordoned: false },
      { host: i, taken: 0, recentFailures: 0, hasSshSecret: true, cordoned: true },
    ]);
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
    expect(uses(kept, start, (host) => (host === 'h' ? 2 : 0)).map(({ taken }) => taken)).to.deep.equal([3, 0]);
  });

  it('failed provisions of the last ten minutes count against a host', () => {
    const failed = [1, 2].map((nth) =>
      aProvisionFor(build(`b${nth}`).claimed(h).build())
        .ended('failed')
        .build(),
    );
    const cancelled = aProvisionFor(build('c').claimed(h).build()).cancelled().ended('failed').build();
    const failures = (now: number): number[] => uses([...failed, cancelled], now).map((it) => it.recentFailures);
    expect(failures(start + 10 * minute - 1)).to.deep.equal([2, 0]);
    expect(failures(start + 10 * minute)).to.deep.equal([0, 0]);
  });

  it('a pool that is unknown or unusable stays so', () => {
    const sources = { taskRuns: cacheOf([]), hasSshSecret: () => true, assumed: () => 0 };
    expect(takeSnapshot('a/b', { status: 'unknown', configured: ['x/y'] }, sources, start)).to.deep.equal({
      status: 'unknown',
      platform: 'a/b',
      configured: ['x/y'],
    });
  });
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
      failedHosts: ['h'],
    });
  });

  it('with a malformed PLATFORM is none', () => {
    expect(readRequest(aTaskRun().forPlatform('x').build(), cacheOf([]))).to.equal(undefined);
    expect(readRequest(aTaskRun().build(), cacheOf([]))).to.equal(undefined);
  });
});
