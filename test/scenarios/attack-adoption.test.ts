// Tenants who dress their TaskRuns up as builds that were given a host: by an older controller, or by this one before it
// was restarted. Only what this installation marked, or what is older than its key, is taken for that.
import { expect } from 'chai';
import { openLane, type Lane } from '../support/lane.ts';
import { factsOf, hostOf, label, prefix, userFinalizer } from '../support/observed-task-run.ts';
import type { Raw, Scenario } from '../support/scenario.ts';
import { setStage } from '../support/stage.ts';

const labelOf = (name: string): string => `${prefix}/${name}`;

describe('attack: a host for a label', function () {
  this.timeout(120_000);
  const { scenario } = setStage();

  /** Everything an adopted build has: our finalizer, labels, and a Secret of the right name. */
  const forge = async (lane: Lane, name: string, more: Record<string, string> = {}): Promise<void> => {
    await handmadeSecret(scenario, lane.tenant, name);
    const labels = { [labelOf('assigned-host')]: lane.host(), [labelOf('target-platform')]: lane.dashed, ...more };
    // Before anybody sees it.
    scenario.invariants.forged.add(`${lane.tenant}/${name}`);
    await lane.build(name, { finalizers: [userFinalizer], labels });
  };
  /** No TaskRun of ours tells any more which host it has. */
  const stopOnceProvisioned = async (lane: Lane, name: string): Promise<void> => {
    await scenario.watched.until(() => lane.ours('provision', name).length === 0);
    await scenario.stopControllers();
  };
  /** It is the tenant's own, and still there. */
  const removeHandmade = async (lane: Lane, name: string): Promise<void> => {
    const path = `/api/v1/namespaces/${lane.tenant}/secrets/multi-platform-ssh-${name}`;
    expect(await scenario.try('DELETE', path)).not.to.equal(undefined);
  };
  /** What it said of itself is gone, and it held nothing since. */
  const seenThrough = async (lane: Lane, name: string): Promise<void> => {
    await lane.until(name, (it) => label(it, 'assigned-host') === undefined && factsOf(it) !== undefined);
    expectNothingFor(lane, name);
  };
  const expectNothingFor = (lane: Lane, name: string): void => {
    expect(factsOf(lane.get(name))?.claim).to.equal(undefined);
    const claims = scenario.invariants.claims.filter((it) => it.namespace === lane.tenant && it.name === name);
    expect(claims).to.deep.equal([]);
    for (const type of ['provision', 'clean'] as const) expect(lane.everOurs(type, name)).to.deep.equal([]);
  };

  const forgeries: readonly (readonly [string, (holder: Raw) => Record<string, string>])[] = [
    ['as a Go controller leaves it', () => ({})],
    ['with an attempt', () => ({ [labelOf('attempt')]: '1' })],
    ['with a mark it thought up', () => ({ [labelOf('lease-mark')]: 'a'.repeat(48), [labelOf('attempt')]: '1' })],
    [
      'with the mark of the build that had this host',
      (holder) => ({ [labelOf('lease-mark')]: label(holder, 'lease-mark') ?? '', [labelOf('attempt')]: '1' }),
    ],
  ];
  for (const [how, dress] of forgeries)
    it(`finalizer, label and a handmade Secret, ${how}, found at a start: who came first gets the free slot`, async () => {
      const lane = await openLane(scenario);
      const [holder] = await lane.hold('holder');
      await lane.build('first');
      await lane.waits('first');
      await scenario.stopControllers();
      await lane.finish('holder');
      await forge(lane, 'forger', dress(holder));
      await scenario.startController();
      await lane.ready('first');
      await seenThrough(lane, 'forger');
      await lane.finish('forger');
      await lane.released('forger');
      expectNothingFor(lane, 'forger');
      await removeHandmade(lane, 'forger');
      await lane.endAll('first');
    });

  it('the same from a namespace that is not allowed, on a host that is free: no slot, no cleanup', async () => {
    const lane = await openLane(scenario, { config: { '{platform}.allowed-namespaces': 'nobody-at-all' } });
    await forge(lane, 'forger', { [labelOf('attempt')]: '1' });
    await seenThrough(lane, 'forger');
    await lane.finish('forger');
    await lane.released('forger');
    expectNothingFor(lane, 'forger');
    await removeHandmade(lane, 'forger');
    await lane.expectClean();
  });

  it('the label of another host, written while no controller runs: it is not believed, and the build is prepared anew', async () => {
    const lane = await openLane(scenario, { slots: [1, 1] });
    const [held] = await lane.hold('mover');
    expect(hostOf(held)).to.equal(lane.host(0));
    await stopOnceProvisioned(lane, 'mover');
    await scenario.change(lane.tenant, 'mover', {
      metadata: {
        labels: { [labelOf('assigned-host')]: lane.host(1) },
        annotations: { [labelOf('host-lease')]: null },
      },
    });
    await scenario.startController();
    // Prepared like any other, it meets the Secret that is there, which is one of ours and goes.
    await lane.until('mover', (it) => factsOf(it)?.ready === true);
    expect(lane.everOurs('provision', 'mover').map((it) => label(it, 'attempt'))).to.have.members(['1', '2', '3']);
    // The user on its first host goes with periodic care of that host.
    await lane.finish('mover');
    await lane.released('mover');
  });

  it('no attack: facts lost while no controller runs are found again by the mark, and the host is cleaned', async () => {
    const lane = await openLane(scenario);
    const [before] = await lane.hold('b');
    await lane.queue('next');
    await stopOnceProvisioned(lane, 'b');
    await scenario.change(lane.tenant, 'b', { metadata: { annotations: { [labelOf('host-lease')]: null } } });
    await scenario.startController();
    const after = await lane.ready('b');
    expect(hostOf(after)).to.equal(lane.host());
    expect(label(after, 'lease-mark')).to.equal(label(before, 'lease-mark'));
    expect(factsOf(lane.get('next'))).to.equal(undefined);
    await lane.finish('b');
    await lane.released('b');
    expect(label(lane.get('b'), 'lease-mark')).to.equal(undefined);
    await lane.ready('next');
    await lane.endAll('next');
    expect(lane.everOurs('clean', 'b')).to.have.length(1);
  });
});

/** With the label our own Secrets have. */
async function handmadeSecret(scenario: Scenario, namespace: string, build: string): Promise<void> {
  const metadata = { name: `multi-platform-ssh-${build}`, labels: { [labelOf('multi-platform-secret')]: 'true' } };
  const body = { metadata, stringData: { id_rsa: 'mine' } };
  await scenario.api.ask('POST', `/api/v1/namespaces/${namespace}/secrets`, body);
}
