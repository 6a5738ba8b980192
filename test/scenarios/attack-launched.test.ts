// A tenant whose build says that a host which was launched for another is its own: that host is neither given to it nor terminated
// for it, however its build ends.
import { expect } from 'chai';
import { openLane, type Lane } from '../support/lane.ts';
import { annotation, factsOf, hostOf, paramOf, prefix, userFinalizer } from '../support/observed-task-run.ts';
import { toyTasks } from '../support/provider-builders.ts';
import type { Raw } from '../support/scenario.ts';
import { setStage } from '../support/stage.ts';

describe('attack: the host of another', function () {
  this.timeout(120_000);
  const { scenario, hosts } = setStage({ prepare: (it) => it.tasks(toyTasks()) });

  const tokenOf = (taskRun: Raw): string => hostOf(taskRun) ?? '';
  const ready = async (lane: Lane, name: string): Promise<Raw> => {
    await lane.build(name);
    return lane.ready(name);
  };
  /** All a TaskRun says about its host, as its own. */
  const copyOf = ({
    metadata,
  }: Raw): { annotations: Record<string, string>; labels: Record<string, string>; finalizers: string[] } => ({
    annotations: metadata.annotations,
    labels: metadata.labels,
    finalizers: [userFinalizer],
  });
  /** Hosts that were terminated for this build. */
  const terminatedFor = (lane: Lane, name: string): string[] =>
    lane.everOurs('terminate', name).map((it) => paramOf(it, 'LAUNCH_TOKEN'));
  const expectVictimServed = async (lane: Lane, token: string): Promise<void> => {
    expect(hosts.has(token)).to.equal(true);
    expect(hosts.terminates.get(token)).to.equal(undefined);
    await lane.finish('victim');
    await lane.expectClean();
    expect(hosts.tokens).to.deep.equal([]);
    expect(terminatedFor(lane, 'victim')).to.deep.equal([token]);
  };

  it('facts, labels and annotations copied from it: a host of its own is launched, and only that is terminated', async () => {
    const lane = await openLane(scenario, { launched: { 'max-instances': '2' } });
    const victim = await ready(lane, 'victim');
    const copied = annotation(victim, 'host-lease');
    await lane.build('copier', copyOf(victim));
    const served = await lane.until(
      'copier',
      (it) => factsOf(it)?.ready === true && annotation(it, 'host-lease') !== copied,
    );
    expect(tokenOf(served)).not.to.equal(tokenOf(victim));
    // And again, just before it ends.
    await scenario.change(lane.tenant, 'copier', {
      metadata: { ...copyOf(victim), finalizers: served.metadata.finalizers },
    });
    await lane.finish('copier');
    await lane.released('copier');
    expect(terminatedFor(lane, 'copier')).to.deep.equal([tokenOf(served)]);
    await expectVictimServed(lane, tokenOf(victim));
  });

  it('the same, on a build that ends or is deleted before anybody looks at it: nothing is terminated for it', async () => {
    const lane = await openLane(scenario, { launched: { 'max-instances': '1' } });
    const victim = await ready(lane, 'victim');
    await lane.build('waits');
    await lane.waits('waits');
    for (const name of ['ended', 'deleted']) await lane.build(name, copyOf(victim));
    await lane.finish('ended');
    await scenario.remove(lane.tenant, 'deleted');
    await scenario.watched.until(() => lane.get('deleted') === undefined);
    await lane.released('ended');
    for (const name of ['ended', 'deleted']) expect(terminatedFor(lane, name)).to.deep.equal([]);
    expect(annotation(lane.get('waits'), 'queue-position')).not.to.equal(undefined);
    await scenario.remove(lane.tenant, 'waits');
    await expectVictimServed(lane, tokenOf(victim));
  });

  it('its instance named on another build, in the annotations that other programs read: they are not read here', async () => {
    const lane = await openLane(scenario, { launched: { 'max-instances': '2' } });
    const victim = await ready(lane, 'victim');
    const names = {
      [`${prefix}/cloud-instance-id`]: annotation(victim, 'cloud-instance-id') ?? '',
      [`${prefix}/cloud-address`]: annotation(victim, 'cloud-address') ?? '',
    };
    const other = await ready(lane, 'other');
    await scenario.change(lane.tenant, 'other', { metadata: { annotations: names } });
    await lane.finish('other');
    await lane.released('other');
    const [terminate] = lane.everOurs('terminate', 'other');
    expect([paramOf(terminate, 'LAUNCH_TOKEN'), paramOf(terminate, 'INSTANCE_ID')]).to.deep.equal([
      tokenOf(other),
      `i-${tokenOf(other)}`,
    ]);
    await expectVictimServed(lane, tokenOf(victim));
  });
});
