// Builds that get a host of their own, launched for each by the Tasks of a provider: from the launch to the last trace of it.
import { expect } from 'chai';
import { openLane, type Lane } from '../support/lane.ts';
import { annotation, factsOf, isLive, label, paramOf, prefix, userFinalizer } from '../support/observed-task-run.ts';
import { playTekton, type Part, type Tekton } from '../support/play-tekton.ts';
import { aProviderTask, toyTasks } from '../support/provider-builders.ts';
import { eventually, Scenario, type Raw } from '../support/scenario.ts';

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

describe('scenario: hosts launched for one build each', function () {
  this.timeout(120_000);
  let scenario: Scenario;
  let tekton: Tekton;
  /** Tries of terminates that fail, by the build's name. */
  const stubborn = new Map<string, number>();

  before(async () => {
    scenario = await Scenario.start();
    const preparing = aProviderTask('launch-whole').withParam('LAUNCH_TOKEN').preparingItself();
    const [, terminate] = toyTasks('whole');
    await scenario.tasks([...toyTasks(), preparing, ...(terminate === undefined ? [] : [terminate])]);
    await scenario.hostConfig({});
    await scenario.startController();
    tekton = playTekton(scenario, {
      launch: (taskRun) => launches[kindOf(taskRun)]?.(Number(label(taskRun, 'attempt'))) ?? {},
      terminate: (taskRun) => {
        const left = stubborn.get(label(taskRun, 'user-task-name') ?? '') ?? 0;
        stubborn.set(label(taskRun, 'user-task-name') ?? '', left - 1);
        return left > 0 ? failed('NoAnswer', 'the cloud sleeps') : {};
      },
    });
  });
  afterEach(function () {
    if (this.currentTest?.state === 'failed') console.error(scenario.explain());
  });
  after(async () => {
    await tekton.stop();
    await scenario.stop();
  });

  const kindOf = (taskRun: Raw): string => label(taskRun, 'user-task-name')?.split('-')[0] ?? '';
  const expectGone = async (lane: Lane): Promise<void> => {
    await lane.expectClean();
    expect(tekton.hosts.tokens).to.deep.equal([]);
  };

  it('launched, prepared, used, terminated: nothing is left', async () => {
    const lane = await openLane(scenario, { launched: { colour: 'green', 'sudo-commands': '/usr/bin/podman' } });
    await lane.build('b', { pod: true });
    const claimed = await lane.assigned('b');
    const token = label(claimed, 'assigned-host') ?? '';
    expect(token).to.match(/^mp-[0-9a-f]{20}$/);
    expect(claimed.metadata.finalizers).to.deep.equal([userFinalizer]);
    expect(claimed.metadata.labels).to.include({
      [`${prefix}/target-platform`]: lane.dashed,
      [`${prefix}/cloud-dynamic-platform`]: lane.dashed,
    });
    const ready = await lane.ready('b');
    expect(annotation(ready, 'cloud-instance-id')).to.equal(`i-${token}`);
    expect(annotation(ready, 'cloud-address')).to.equal(`${token}.example.com`);
    const [launch] = lane.ours('launch', 'b');
    expect([paramOf(launch, 'COLOUR'), paramOf(launch, 'LAUNCH_TOKEN')]).to.deep.equal(['green', token]);
    const provision = lane.everOurs('provision', 'b')[0];
    expect([paramOf(provision, 'HOST'), paramOf(provision, 'USER'), paramOf(provision, 'SUDO_COMMANDS')]).to.deep.equal(
      [`${token}.example.com`, 'toy', '/usr/bin/podman'],
    );
    await lane.finish('b');
    await lane.released('b');
    await expectGone(lane);
    expect(lane.everOurs('terminate', 'b').map((it) => paramOf(it, 'INSTANCE_ID'))).to.deep.equal([`i-${token}`]);
    expect(lane.everOurs('clean', 'b')).to.deep.equal([]);
    expect(lane.ours('launch', 'b')).to.deep.equal([]);
    const reasons = (await lane.eventsUntil('Released', 'b')).map((it) => it.reason);
    expect(reasons).to.include.members(['Launching', 'Launched', 'Provisioning', 'HostReady', 'Released']);
  });

  it('a host that prepares itself needs no provision TaskRun', async () => {
    const lane = await openLane(scenario, { launched: { type: 'whole', 'ssh-secret': '' } });
    await lane.build('b', { pod: true });
    await lane.ready('b');
    expect(lane.everOurs('provision', 'b')).to.deep.equal([]);
    await lane.finish('b');
    await expectGone(lane);
  });

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

  it('a launch that takes too long is cancelled and undone', async () => {
    const lane = await openLane(scenario, { launched: { 'allocation-timeout': '1' } });
    await lane.build('hangs-b');
    expect(await lane.error('hangs-b')).to.match(
      /timed out waiting for instance address \(allocation-timeout is 1 s\)/,
    );
    await lane.finish('hangs-b', 'failed');
    await expectGone(lane);
  });

  for (const [how, end] of [
    ['cancelled', (lane: Lane) => lane.finish('hangs-b', 'cancelled')],
    ['deleted', (lane: Lane) => scenario.remove(lane.tenant, 'hangs-b')],
  ] as const) {
    it(`a build that is ${how} while its host is launched: the launch is cancelled, then undone`, async () => {
      const lane = await openLane(scenario, { launched: {} });
      await lane.build('hangs-b');
      await lane.running('launch', 'hangs-b');
      await eventually(async () => tekton.hosts.tokens.length === 1);
      await end(lane);
      await lane.released('hangs-b');
      await expectGone(lane);
    });
  }

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
    expect(tekton.hosts.peak(lane.dashed)).to.equal(1);
    expect((await lane.eventsUntil('TerminateFailed', 'b')).length).to.be.greaterThan(0);
  });

  it('a launch TaskRun somebody deletes is made again, for the same host', async () => {
    const lane = await openLane(scenario, { launched: {} });
    await lane.build('hangs-b');
    const first = await lane.running('launch', 'hangs-b');
    await scenario.remove(first.metadata.namespace, first.metadata.name);
    const again = await lane.next('launch', 'hangs-b', first);
    expect(paramOf(again, 'LAUNCH_TOKEN')).to.equal(paramOf(first, 'LAUNCH_TOKEN'));
    await lane.finish('hangs-b', 'cancelled');
    await expectGone(lane);
  });

  it('a platform that is gone from host-config is still terminated', async () => {
    const lane = await openLane(scenario, { launched: {} });
    await lane.build('b');
    await lane.ready('b');
    await scenario.hostConfig({});
    await lane.finish('b');
    await expectGone(lane);
  });

  it('facts somebody takes away are put back, and the host is terminated all the same', async () => {
    const lane = await openLane(scenario, { launched: {} });
    await lane.build('b');
    await lane.ready('b');
    await scenario.change(lane.tenant, 'b', { metadata: { annotations: { [`${prefix}/host-lease`]: null } } });
    await lane.until('b', (build) => factsOf(build)?.ready === true);
    await lane.finish('b');
    await expectGone(lane);
  });

  it('20 builds, max-instances 5: never more than 5 hosts, first come, first served, nothing left', async () => {
    const lane = await openLane(scenario, { launched: { 'max-instances': '5' } });
    const names = Array.from({ length: 20 }, (_, index) => `b-${String(index).padStart(2, '0')}`);
    const created: string[] = [];
    for (const name of names) {
      const { metadata } = await lane.build(name);
      created.push(`${metadata.creationTimestamp} ${name}`);
    }
    const ended = new Set<string>();
    while (ended.size < names.length) {
      const [name] = await scenario.watched.until(() => {
        const mine = scenario.watched.all.filter((it) => it.metadata.namespace === lane.tenant && isLive(it));
        const ready = mine.filter((it) => factsOf(it)?.ready === true).map((it): string => it.metadata.name);
        const fresh = ready.filter((it) => !ended.has(it));
        return fresh.length > 0 && fresh;
      });
      if (name === undefined) continue;
      ended.add(name);
      await lane.finish(name);
    }
    await expectGone(lane);
    expect(tekton.hosts.peak(lane.dashed)).to.equal(5);
    const order = scenario.invariants.claims
      .filter(({ namespace }) => namespace === lane.tenant)
      .map(({ name }) => name);
    // Claims of one decision are written side by side.
    const inOrder = created.toSorted().map((it) => it.split(' ')[1] ?? '');
    for (const [index, name] of order.entries()) expect(Math.abs(inOrder.indexOf(name) - index), name).to.be.below(5);
  });
});
