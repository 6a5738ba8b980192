// How many launched hosts a platform has, as far as anybody can know.
import { expect } from 'chai';
import { Cache } from '../../../controller/kubernetes/cache.ts';
import type { LaunchedSnapshot } from '../../../controller/allocation/pool-snapshot.ts';
import type { KeptTaskRun } from '../../../controller/model/task-run.ts';
import { taskRunIndexes, takeSnapshot, type TaskRuns } from '../../../controller/reconcile/take-snapshot.ts';
import { aCleanupFor, aTaskRun, type TaskRunBuilder } from '../../support/builders.ts';
import { platform, start } from '../../support/host-builders.ts';
import { aLaunchFor, launchedAs, launching } from '../../support/launched-builds.ts';
import { aPool } from '../../support/pool-builders.ts';

const pool = aPool();
const claimed = (name = 'build'): TaskRunBuilder => launching(aTaskRun().named(name).forPlatform('linux/arm64'), pool);

function snapshotOf(kept: readonly KeptTaskRun[], assumed: readonly string[] = [], secret = true): LaunchedSnapshot {
  const taskRuns: TaskRuns = new Cache({ index: taskRunIndexes, onListenerError: () => undefined });
  taskRuns.replace(taskRuns.relisting(), kept);
  const snapshot = takeSnapshot(
    'linux/arm64',
    { status: 'pool', pool },
    {
      taskRuns,
      hasSshSecret: () => secret,
      assumed: () => [],
      assumedLaunches: () => assumed.map((host) => ({ host, namespace: 'team-a' })),
      isDraining: () => false,
    },
  );
  if (snapshot.status !== 'launched') throw new Error('its hosts are not launched');
  return snapshot;
}

const launch = (): ReturnType<typeof aLaunchFor> => aLaunchFor(claimed().build(), pool);
const terminate = (): ReturnType<typeof aCleanupFor> => aCleanupFor(claimed().build());
const tokenOf = (build: TaskRunBuilder): string => build.build().facts?.claim?.host ?? '';
const released = (): KeptTaskRun => claimed().ended().released().build();

describe('the hosts that are launched for a platform', () => {
  const rows: readonly [string, readonly KeptTaskRun[], number][] = [
    ['a claim, from the beginning', [claimed().build()], 1],
    ['a claim and all that was made for it: one', [claimed().build(), launch().build()], 1],
    ['two claims', [claimed('a').build(), claimed('b').build()], 2],
    ['a build that ended and is not released', [claimed().ended().build()], 1],
    ['one that is being terminated', [released(), terminate().build()], 1],
    ['one that could not be terminated yet', [released(), terminate().ended('failed').build()], 1],
    ['one that is terminated', [released(), terminate().ended('succeeded').build()], 0],
    ['one whose build vanished with its facts', [launch().build()], 1],
    ['one whose launch failed, until it is known that nothing is left', [launch().ended('failed').build()], 1],
    ['the log of a launch behind which all is gone', [marked()], 0],
    ['a build of another platform', [launching(aTaskRun().forPlatform('linux/s390x'), other()).build()], 0],
  ];
  for (const [what, kept, count] of rows) it(`${what}: ${count}`, () => expect(snapshotOf(kept).taken).to.equal(count));

  it('those that are being claimed, once each', () => {
    expect(snapshotOf([claimed().build()], [tokenOf(claimed()), 'mp-1'])).to.include({ taken: 2 });
  });

  it('how many are not there yet', () => {
    const there = launchedAs(claimed('b'), { address: '10.1.1.1', user: 'toy' }).build();
    expect(snapshotOf([claimed('a').build(), there], ['mp-1']).launching).to.equal(2);
  });

  it('how the last launches went', () => {
    const short = launch().ended('failed', start, { REASON: 'InsufficientCapacity', MESSAGE: 'no zebras' }).build();
    expect(snapshotOf([short]).launches).to.deep.equal([{ ended: start, shortage: 'no zebras' }]);
    expect(snapshotOf([launch().ended('failed').build()]).launches).to.deep.equal([
      { ended: start, shortage: undefined },
    ]);
    expect(snapshotOf([launch().cancelled().ended('failed').build()]).launches).to.deep.equal([]);
  });

  it('who holds how many', () => {
    expect([...snapshotOf([claimed().build()], ['mp-1']).held]).to.deep.equal([['team-a', 2]]);
  });

  it('whether somebody can log in to them', () => {
    expect(snapshotOf([]).missingSecret).to.equal(undefined);
    expect(snapshotOf([], [], false).missingSecret).to.include({ since: -Infinity });
  });
});

function marked(): KeptTaskRun {
  const cleaned = 'build.appstudio.redhat.com/cleaned';
  return launch()
    .ended('failed')
    .with(({ metadata }) => (metadata['labels'] = { ...Object(metadata['labels']), [cleaned]: 'true' }))
    .build();
}

function other(): typeof pool {
  return aPool({ platform: platform('linux/s390x') });
}
