// Builds that get a host of their own, launched for each by the Tasks of a provider: from the launch to the last trace of it.
import { expect } from 'chai';
import { openLane, type Lane } from '../support/lane.ts';
import { annotation, factsOf, isLive, label, paramOf, prefix, userFinalizer } from '../support/observed-task-run.ts';
import { aProviderTask, toyTasks } from '../support/provider-builders.ts';
import { eventually } from '../support/scenario.ts';
import { setStage } from '../support/stage.ts';

describe('scenario: hosts launched for one build each', function () {
  this.timeout(120_000);
  const { scenario, hosts } = setStage({
    prepare: async (on) => {
      const preparing = aProviderTask('launch-whole').withParam('LAUNCH_TOKEN').preparingItself();
      const [, terminate] = toyTasks('whole');
      await on.tasks([...toyTasks(), preparing, ...(terminate === undefined ? [] : [terminate])]);
    },
    tekton: {
      launch: (taskRun) => ({ outcome: label(taskRun, 'user-task-name') === 'hangs' ? 'hangs' : 'succeeded' }),
    },
  });

  const expectGone = async (lane: Lane): Promise<void> => {
    await lane.expectClean();
    expect(hosts.tokens).to.deep.equal([]);
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
    expect(label(ready, 'assigned-host')).to.equal(`i-${token}`);
    expect(annotation(ready, 'cloud-address')).to.equal(`${token}.example.com`);
    const [launch] = lane.ours('launch', 'b');
    expect([paramOf(launch, 'COLOUR'), paramOf(launch, 'LAUNCH_TOKEN')]).to.deep.equal(['green', token]);
    const provision = lane.everOurs('provision', 'b')[0];
    expect(label(provision, 'assigned-host')).to.equal(`i-${token}`);
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

  // The API server compares what a patch tests as text, with these escaped.
  it('values of host-config may contain & < > and line separators', async () => {
    const commands = '/usr/bin/fetch https://example.com/?a=1&b=<2>\u2028/x';
    const lane = await openLane(scenario, { launched: { 'sudo-commands': commands } });
    await lane.build('b');
    await lane.ready('b');
    expect(paramOf(lane.everOurs('provision', 'b')[0], 'SUDO_COMMANDS')).to.equal(commands);
    await lane.finish('b');
    await expectGone(lane);
  });

  it('a host that prepares itself needs no provision TaskRun', async () => {
    const lane = await openLane(scenario, { launched: { type: 'whole', 'ssh-secret': '' } });
    await lane.build('b', { pod: true });
    await lane.ready('b');
    expect(lane.everOurs('provision', 'b')).to.deep.equal([]);
    await lane.finish('b');
    await expectGone(lane);
  });

  it('P4: what a launch says while it waits for room is told to the build', async () => {
    const lane = await openLane(scenario, { launched: {} });
    await lane.build('hangs', { pod: true });
    const launch = await lane.running('launch', 'hangs');
    // Then the controller knows whose news it will be.
    await lane.eventsUntil('Launching', 'hangs');
    const { namespace, name, uid } = launch.metadata;
    const involvedObject = { apiVersion: 'tekton.dev/v1', kind: 'TaskRun', namespace, name, uid };
    const message = '0/3 nodes are available: 3 node(s) did not match';
    const event = {
      metadata: { name: `${name}.1` },
      reason: 'Unschedulable',
      type: 'Warning',
      involvedObject,
      message,
    };
    await scenario.api.ask('POST', `/api/v1/namespaces/${namespace}/events`, event);
    const told = (await lane.eventsUntil('WaitingForHost', 'hangs')).map((it) => it.message);
    expect(told).to.include(`waiting for its host to be launched: ${message}`);
    const shown = await eventually(
      async () => (await scenario.podAnnotations(lane.tenant, 'hangs-pod'))[`${prefix}/wait-reason`],
    );
    expect(shown).to.equal(`waiting for its host to be launched: ${message}`);
    await lane.finish('hangs', 'cancelled');
    await expectGone(lane);
  });

  for (const [how, end] of [
    ['cancelled', (lane: Lane) => lane.finish('hangs', 'cancelled')],
    ['deleted', (lane: Lane) => scenario.remove(lane.tenant, 'hangs')],
  ] as const) {
    it(`a build that is ${how} while its host is launched: the launch is cancelled, then undone`, async () => {
      const lane = await openLane(scenario, { launched: {} });
      await lane.build('hangs');
      await lane.running('launch', 'hangs');
      await eventually(async () => hosts.tokens.length === 1);
      await end(lane);
      await lane.released('hangs');
      await expectGone(lane);
    });
  }

  it('a launch TaskRun somebody deletes is made again, for the same host', async () => {
    const lane = await openLane(scenario, { launched: {} });
    await lane.build('hangs');
    const first = await lane.running('launch', 'hangs');
    await scenario.remove(first.metadata.namespace, first.metadata.name);
    const again = await lane.next('launch', 'hangs', first);
    expect(paramOf(again, 'LAUNCH_TOKEN')).to.equal(paramOf(first, 'LAUNCH_TOKEN'));
    await lane.finish('hangs', 'cancelled');
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
    expect(hosts.peak(lane.dashed)).to.equal(5);
    const order = scenario.invariants.claims
      .filter(({ namespace }) => namespace === lane.tenant)
      .map(({ name }) => name);
    // Claims of one decision are written side by side.
    const inOrder = created.toSorted().map((it) => it.split(' ')[1] ?? '');
    for (const [index, name] of order.entries()) expect(Math.abs(inOrder.indexOf(name) - index), name).to.be.below(5);
  });
});
