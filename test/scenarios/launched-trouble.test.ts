// Launches and terminates that fail: what the build hears, and what is left of its host, which is nothing.
import { expect } from 'chai';
import { openLane, type Lane } from '../support/lane.ts';
import { annotation, label, prefix } from '../support/observed-task-run.ts';
import type { Part } from '../support/play-tekton.ts';
import { toyTasks } from '../support/provider-builders.ts';
import type { Raw } from '../support/scenario.ts';
import { setStage } from '../support/stage.ts';

/** What becomes of launches of builds, by the beginning of the build's name and the attempt. */
const launches: Readonly<Record<string, (attempt: number) => Part>> = {
  hangs: () => ({ outcome: 'hangs' }),
  short: (attempt) => (attempt === 1 ? failed('InsufficientCapacity', 'no zebras left', { withoutHost: true }) : {}),
  refused: () => failed('LaunchRefused', 'toys are forbidden here', { withoutHost: true }),
  broken: () => failed('ToyBroken', 'a wheel is off'),
  third: (attempt) => (attempt < 3 ? failed('ToyBroken', 'a wheel is off') : {}),
};

function failed(reason: string, message: string, more: Part = {}): Part {
  return { outcome: 'failed', results: { REASON: reason, MESSAGE: message }, ...more };
}

describe('scenario: trouble with launched hosts', function () {
  this.timeout(120_000);
  /** Tries of terminates that fail, by the build's name. */
  const stubborn = new Map<string, number>();
  const { scenario, hosts } = setStage({
    prepare: (on) => on.tasks(toyTasks()),
    tekton: {
      launch: (taskRun) => launches[kindOf(taskRun)]?.(Number(label(taskRun, 'attempt'))) ?? {},
      terminate: (taskRun) => {
        const left = stubborn.get(label(taskRun, 'user-task-name') ?? '') ?? 0;
        stubborn.set(label(taskRun, 'user-task-name') ?? '', left - 1);
        if (kindOf(taskRun) === 'evicted') return { results: { LOST: 'the pod was evicted' } };
        return left > 0 ? failed('NoAnswer', 'the cloud sleeps') : {};
      },
    },
  });

  const kindOf = (taskRun: Raw): string => label(taskRun, 'user-task-name')?.split('-')[0] ?? '';
  const expectGone = async (lane: Lane): Promise<void> => {
    await lane.expectClean();
    expect(hosts.tokens).to.deep.equal([]);
  };

  it('the provider is out of capacity: the build waits, is told why, and gets its host later', async () => {
    const lane = await openLane(scenario, { launched: {} });
    await lane.build('short-b');
    const waiting = await lane.until(
      'short-b',
      (build) => annotation(build, 'wait-reason')?.includes('zebras') === true,
    );
    expect(annotation(waiting, 'wait-reason')).to.match(
      /^the provider has no capacity for platform .*: no zebras left/,
    );
    await lane.ready('short-b');
    await lane.finish('short-b');
    await expectGone(lane);
  });

  it('a launch that is refused: so is the build, with that sentence', async () => {
    const lane = await openLane(scenario, { launched: {} });
    await lane.build('refused-b');
    expect(await lane.error('refused-b')).to.match(
      /^Error allocating host: the launch was refused: toys are forbidden here/,
    );
    expect(lane.everOurs('launch', 'refused-b')).to.have.length(1);
    await lane.finish('refused-b', 'failed');
    await expectGone(lane);
  });

  it('launches that fail: three hosts are tried, each is terminated, then the build is refused', async () => {
    const lane = await openLane(scenario, { launched: {} });
    await lane.build('broken-b');
    expect(await lane.error('broken-b')).to.match(
      /failed to provision host: a wheel is off \(3 hosts came to nothing\)/,
    );
    expect(lane.everOurs('launch', 'broken-b')).to.have.length(3);
    await lane.build('third-b');
    const { metadata } = await lane.ready('third-b');
    expect(metadata.annotations).to.include({ [`${prefix}/cloud-failure-count`]: '2' });
    await Promise.all([lane.finish('broken-b', 'failed'), lane.finish('third-b')]);
    await expectGone(lane);
  });

  it('P10: a host that was lost while its build ran: the build is told', async () => {
    const lane = await openLane(scenario, { launched: {} });
    await lane.build('evicted-b');
    await lane.ready('evicted-b');
    await lane.finish('evicted-b', 'failed');
    const lost = (await lane.eventsUntil('HostLost', 'evicted-b')).find((it) => it.reason === 'HostLost');
    expect(lost).to.include({ type: 'Warning', message: 'the pod was evicted' });
    await expectGone(lane);
  });

  it('a launch that takes too long is cancelled and undone', async () => {
    const lane = await openLane(scenario, { launched: { 'allocation-timeout': '1' } });
    await lane.build('hangs-b');
    expect(await lane.error('hangs-b')).to.match(
      /timed out waiting for instance address \(allocation-timeout is 1 s\)/,
    );
    await lane.finish('hangs-b', 'failed');
    await expectGone(lane);
  });

  it('a terminate that fails is tried again, and until then nobody else gets a host', async () => {
    const lane = await openLane(scenario, { launched: {} });
    stubborn.set('b', 1);
    await lane.build('b');
    await lane.ready('b');
    await lane.build('next');
    await lane.waits('next');
    await lane.finish('b');
    await scenario.watched.until(() => lane.everOurs('terminate', 'b').length === 2);
    expect(lane.everOurs('launch', 'next')).to.deep.equal([]);
    await lane.ready('next');
    await lane.finish('next');
    await expectGone(lane);
    expect(hosts.peak(lane.dashed)).to.equal(1);
    expect((await lane.eventsUntil('TerminateFailed', 'b')).length).to.be.greaterThan(0);
  });
});
