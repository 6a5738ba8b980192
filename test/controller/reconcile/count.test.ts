import { expect } from 'chai';
import { nextAttempt, restore } from '../../../controller/lease/write-lease.ts';
import { second } from '../../../controller/model/instant.ts';
import type { UserTaskRun } from '../../../controller/model/task-run.ts';
import { countChange } from '../../../controller/reconcile/count.ts';
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

async function countedFor(
  before: UserTaskRun,
  after: UserTaskRun | undefined,
  now = start + 3 * second,
): Promise<string[]> {
  const metrics = emptyMetrics();
  countChange(metrics, before, after, now);
  return shown(metrics);
}

describe('what is counted when a build is seen to change', () => {
  const waiting = (): TaskRunBuilder =>
    build().with(
      ({ metadata }) => (metadata['labels'] = { 'build.appstudio.redhat.com/waiting-for-platform': 'linux-arm64' }),
    );
  const ended = (): TaskRunBuilder =>
    claimed()
      .ready()
      .ended('failed', start + 9 * second);
  const time = ['task_run_time_sum 9', 'task_run_time_count 1'];

  it('the first claim: how long giving the host took', async () => {
    expect(await countedFor(build().build(), claimed().build())).to.deep.equal([
      'host_allocation_time_sum 1',
      'host_allocation_time_count 1',
    ]);
  });

  it('and how long it waited, if it did', async () => {
    const after = waiting()
      .claimed(host, start + 2 * second)
      .build();
    expect(await countedFor(waiting().build(), after)).to.include.members(['wait_time_sum 2', 'wait_time_count 1']);
  });

  it('also if nobody came to tell it that it waits', async () => {
    const after = build()
      .claimed(host, start + 9 * second)
      .build();
    expect(await countedFor(build().build(), after)).to.include('wait_time_sum 9');
  });

  it('its release: how long it took from its creation to its end', async () => {
    expect(await countedFor(ended().build(), ended().released().build(), start + 30 * second)).to.deep.equal(time);
  });

  it('the same when the TaskRun goes with it', async () => {
    expect(
      await countedFor(
        claimed()
          .deleting(start + 9 * second)
          .build(),
        undefined,
      ),
    ).to.deep.equal(time);
  });

  it('the same when it is torn away while it runs', async () => {
    expect(await countedFor(claimed().ready().build(), undefined, start + 9 * second)).to.deep.equal(time);
  });

  it('a refusal', async () => {
    for (const made of [build, claimed])
      expect(await countedFor(made().build(), made().refused('SecretExists').build())).to.deep.equal([
        'host_allocation_failures 1',
      ]);
  });

  const stripped = (): TaskRunBuilder =>
    build().with(({ metadata }) => (metadata['finalizers'] = ['appstudio.io/multi-platform-finalizer']));
  const gaveUp = (): TaskRunBuilder => claimed().gaveUpHost();
  const uncounted: readonly (readonly [string, UserTaskRun, UserTaskRun | undefined])[] = [
    [
      'another claim after a failed provision',
      gaveUp().build(),
      gaveUp()
        .claimed(host, start + 2 * second)
        .build(),
    ],
    ['a host that is given up', claimed().build(), gaveUp().build()],
    ['a host that is ready', claimed().build(), claimed().ready().build()],
    [
      'the same host under a new attempt',
      claimed().build(),
      claimed()
        .changed((it) => nextAttempt(factsOf(it)))
        .build(),
    ],
    [
      'facts that are put back',
      stripped().build(),
      stripped()
        .changed((it) => restore(it, factsOf(claimed().build())))
        .build(),
    ],
    [
      'facts that are taken away',
      ended().build(),
      stripped()
        .ended('failed', start + 9 * second)
        .build(),
    ],
    ['the end of a build that never had a host', build().ended().build(), undefined],
    ['the end of one that has yet to be released', claimed().ready().build(), ended().build()],
    ['a released one that goes', ended().released().build(), undefined],
    ['a refusal that was told', build().refused('SecretExists').build(), build().rejected('SecretExists').build()],
  ];
  for (const [what, before, after] of uncounted) {
    it(`not ${what}`, async () => expect(await countedFor(before, after)).to.deep.equal([]));
  }

  it('not one that is new to this process', async () => {
    const metrics = emptyMetrics();
    countChange(metrics, undefined, claimed().build(), start);
    expect(await shown(metrics)).to.deep.equal([]);
  });
});

describe('what is counted when it is seen to end', () => {
  const provision = () => aProvisionFor(claimed().build());
  const cleanup = () => aCleanupFor(claimed().build());
  const ends: readonly (readonly [
    string,
    Parameters<typeof countChange>[1],
    Parameters<typeof countChange>[2],
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
      countChange(metrics, before, after, start);
      expect(await shown(metrics)).to.deep.equal(expected);
    });
  }
});
