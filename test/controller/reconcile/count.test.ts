import { expect } from 'chai';
import {
  claimHost,
  giveUpHost,
  markReady,
  nextAttempt,
  markTold,
  reject,
  release,
  restore,
} from '../../../controller/lease/write-lease.ts';
import type { UserTaskRunChange } from '../../../controller/model/action.ts';
import { second } from '../../../controller/model/instant.ts';
import type { UserTaskRun } from '../../../controller/model/task-run.ts';
import { countDone, countEnded } from '../../../controller/reconcile/count.ts';
import { Metrics } from '../../../controller/telemetry/metrics.ts';
import { aCleanupFor, aProvisionFor, aTaskRun, factsOf, type TaskRunBuilder } from '../../support/builders.ts';
import { aHost, start } from '../../support/host-builders.ts';

const host = aHost('h').build();
const build = (): TaskRunBuilder => aTaskRun().forPlatform('linux/arm64');
const claimed = (): TaskRunBuilder => build().claimed(host, start + 2 * second);

function emptyMetrics(): Metrics {
  const metrics = new Metrics(() => ({ leader: true, configProblems: { error: 0, warning: 0 }, platforms: [] }));
  metrics.setPlatforms(['linux/arm64'], []);
  return metrics;
}

/** Sums, counts and counters that are not 0, without prefix and platform. */
async function shown(metrics: Metrics): Promise<string[]> {
  const lines = (await metrics.render()).matchAll(
    /^multi_platform_controller_(\w+)\{platform="linux-arm64"\} ([^0].*|0\..*)$/gm,
  );
  return [...lines].map(([, name, value]) => `${name} ${value}`);
}

async function countedFor(target: UserTaskRun, change: UserTaskRunChange, now = start + 3 * second): Promise<string[]> {
  const metrics = emptyMetrics();
  countDone(metrics, { type: 'patch-user-task-run', target, change }, now);
  return shown(metrics);
}

describe('what is counted once it was written', () => {
  const waited = build()
    .with(({ metadata }) => (metadata['labels'] = { 'build.appstudio.redhat.com/waiting-for-platform': 'linux-arm64' }))
    .build();

  it('the first claim: how long giving the host took', async () => {
    expect(await countedFor(build().build(), claimHost(build().build(), host, start + 2 * second))).to.deep.equal([
      'host_allocation_time_sum 1',
      'host_allocation_time_count 1',
    ]);
  });

  it('and how long it waited, if it did', async () => {
    expect(await countedFor(waited, claimHost(waited, host, start + 2 * second))).to.include.members([
      'wait_time_sum 2',
      'wait_time_count 1',
    ]);
  });

  it('also if nobody came to tell it that it waits', async () => {
    expect(await countedFor(build().build(), claimHost(build().build(), host, start + 9 * second))).to.include(
      'wait_time_sum 9',
    );
  });

  it('its end: how long it took from its creation', async () => {
    const ended = claimed()
      .ready()
      .ended('failed', start + 9 * second)
      .build();
    expect(await countedFor(ended, release(ended), start + 30 * second)).to.deep.equal([
      'task_run_time_sum 9',
      'task_run_time_count 1',
    ]);
  });

  it('a refusal', async () => {
    for (const target of [build().build(), claimed().build()])
      expect(await countedFor(target, reject(target, 'SecretExists'))).to.deep.equal(['host_allocation_failures 1']);
  });

  const gaveUp = claimed().gaveUpHost().build();
  const stripped = build()
    .with(({ metadata }) => (metadata['finalizers'] = ['appstudio.io/multi-platform-finalizer']))
    .build();
  const uncounted: readonly (readonly [string, UserTaskRun, UserTaskRunChange])[] = [
    ['another claim after a failed provision', gaveUp, claimHost(gaveUp, host, start + 2 * second)],
    ['a host that is given up', claimed().build(), giveUpHost(claimed().build(), factsOf(claimed().build()))],
    ['a host that is ready', claimed().build(), markReady(factsOf(claimed().build()))],
    ['the same host under a new attempt', claimed().build(), nextAttempt(factsOf(claimed().build()))],
    ['facts that are put back', stripped, restore(stripped, factsOf(claimed().build()))],
    ['the end of a build that never had a host', build().ended().build(), release(build().ended().build())],
    [
      'a refusal that is written again',
      build().rejected('SecretExists').build(),
      reject(build().rejected('SecretExists').build(), 'SecretExists'),
    ],
    [
      'a refusal that was told',
      build().refused('SecretExists').build(),
      markTold(build().refused('SecretExists').build()),
    ],
  ];
  for (const [what, target, change] of uncounted) {
    it(`not ${what}`, async () => expect(await countedFor(target, change)).to.deep.equal([]));
  }
});

describe('what is counted when it is seen to end', () => {
  const provision = () => aProvisionFor(claimed().build());
  const cleanup = () => aCleanupFor(claimed().build());
  const ends: readonly (readonly [
    string,
    Parameters<typeof countEnded>[1],
    Parameters<typeof countEnded>[2],
    string[],
  ])[] = [
    [
      'a provision that succeeded',
      provision().build(),
      provision().ended('succeeded').build(),
      ['provisioning_successes 1'],
    ],
    ['a provision that failed', provision().build(), provision().ended('failed').build(), ['provisioning_failures 1']],
    ['a cleanup that failed', cleanup().build(), cleanup().ended('failed').build(), ['cleanup_failures 1']],
    ['not a cleanup that succeeded', cleanup().build(), cleanup().ended('succeeded').build(), []],
    ['not one that was cancelled', provision().build(), provision().cancelled().ended('failed').build(), []],
    ['not one that had ended before', provision().ended('failed').build(), provision().ended('failed').build(), []],
    ['not one that is new and over, as at a start', undefined, provision().ended('failed').build(), []],
    ['not one that is gone', provision().build(), undefined, []],
    ['not a build', claimed().build(), claimed().ended().build(), []],
  ];
  for (const [what, before, after, expected] of ends) {
    it(what, async () => {
      const metrics = emptyMetrics();
      countEnded(metrics, before, after);
      expect(await shown(metrics)).to.deep.equal(expected);
    });
  }
});
