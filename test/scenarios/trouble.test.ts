// Builds and TaskRuns of ours that come to grief, by accident or by somebody's hand: lines 7, 10, 11, 14 and 19 of what
// builds are promised. Every test plays Tekton itself, step by step.
import { expect } from 'chai';
import { openLane, type Lane } from '../support/lane.ts';
import { factsOf, isRefused, label, prefix } from '../support/observed-task-run.ts';
import { eventually, operatorNamespace, type Raw } from '../support/scenario.ts';
import { setStage } from '../support/stage.ts';

describe('scenario: trouble', function () {
  this.timeout(120_000);
  const { scenario } = setStage({ tekton: 'nobody' });

  const provide = async (lane: Lane, name: string): Promise<Raw> => {
    await scenario.provision(await lane.running('provision', name));
    return lane.ready(name);
  };
  const clean = async (lane: Lane, name: string): Promise<void> =>
    lane.end(await lane.running('clean', name), 'succeeded');
  const endAll = async (lane: Lane, ...names: string[]): Promise<void> => {
    for (const name of names) {
      await lane.finish(name);
      await clean(lane, name);
    }
    await lane.expectClean();
  };
  const isCancelled = (taskRun: Raw): boolean => taskRun.spec.status === 'TaskRunCancelled';
  const cancelledProvision = (lane: Lane, name: string): Promise<Raw> =>
    scenario.watched.until(() => lane.ours('provision', name).find(isCancelled));
  const secretName = (name: string): string => `multi-platform-ssh-${name}`;

  const earlyEnds: readonly [string, (lane: Lane) => Promise<void>][] = [
    ['deleted', (lane) => scenario.remove(lane.tenant, 'b')],
    ['cancelled', (lane) => lane.finish('b', 'cancelled')],
    ['timed out', (lane) => lane.finish('b', 'failed')],
  ];
  for (const [how, end] of earlyEnds) {
    it(`11: ${how} while its host is prepared: the provision is cancelled and awaited, a late Secret is removed`, async () => {
      const lane = await openLane(scenario);
      await lane.build('b');
      const provision = await lane.running('provision', 'b');
      await end(lane);
      await cancelledProvision(lane, 'b');
      // Its pod was already at it.
      await scenario.buildSecret(provision);
      expect(lane.everOurs('clean', 'b')).to.deep.equal([]);
      await lane.end(provision, 'cancelled');
      await clean(lane, 'b');
      await lane.released('b');
      await lane.expectClean();
      await eventually(async () => (await scenario.secret(lane.tenant, secretName('b'))) === undefined);
      expect(lane.ours('provision', 'b')).to.deep.equal([]);
    });
  }

  it('11b: a cancelled provision that never ends does not hold up the release for ever', async () => {
    const lane = await openLane(scenario);
    await lane.build('b');
    const provision = await lane.running('provision', 'b');
    // It ended a minute ago, as its status says; nobody was there to cancel its provision.
    const conditions = [{ type: 'Succeeded', status: 'False', reason: 'TaskRunTimeout' }];
    const completionTime = new Date(Date.parse(provision.metadata.creationTimestamp) - 60_000).toISOString();
    await scenario.status(lane.tenant, 'b', { conditions, completionTime: completionTime.replace('.000Z', 'Z') });
    await cancelledProvision(lane, 'b');
    await clean(lane, 'b');
    await lane.released('b');
    await lane.end(provision, 'cancelled');
    await lane.expectClean();
  });

  it('7c: a provision TaskRun that somebody deletes: the same host is prepared again, and is not blamed', async () => {
    const lane = await openLane(scenario);
    await lane.build('b');
    const first = await lane.running('provision', 'b');
    await scenario.remove(operatorNamespace, first.metadata.name);
    const second = await lane.next('provision', 'b', first);
    expect(label(second, 'assigned-host')).to.equal(lane.host());
    await clean(lane, 'b');
    await scenario.provision(second);
    const build = await lane.ready('b');
    expect(build.metadata.annotations).not.to.have.property(`${prefix}/failed-hosts`);
    await lane.finish('b');
    await clean(lane, 'b');
    await lane.expectClean();
  });

  it('7d: a deleted provision whose pod runs on and makes the Secret: the build has its host', async () => {
    const lane = await openLane(scenario);
    await lane.build('b');
    const lost = await lane.running('provision', 'b');
    await scenario.remove(operatorNamespace, lost.metadata.name);
    await scenario.buildSecret(lost);
    await lane.ready('b');
    expect(lane.everOurs('provision', 'b')).to.have.length(1);
    await lane.finish('b');
    await clean(lane, 'b');
    await lane.expectClean();
  });

  it("7e: a Secret that comes later than that is in nobody's way", async () => {
    const lane = await openLane(scenario);
    await lane.build('b');
    const lost = await lane.running('provision', 'b');
    await scenario.remove(operatorNamespace, lost.metadata.name);
    const second = await lane.next('provision', 'b', lost);
    await scenario.buildSecret(lost);
    await clean(lane, 'b');
    await lane.end(second, 'failed', { REASON: 'SecretExists', MESSAGE: 'it is there' });
    const third = await lane.next('provision', 'b', second);
    expect(await scenario.secret(lane.tenant, secretName('b'))).to.equal(undefined);
    await clean(lane, 'b');
    await scenario.provision(third);
    const build = await lane.ready('b');
    expect(build.metadata.annotations).not.to.have.property(`${prefix}/failed-hosts`);
    await lane.finish('b');
    await clean(lane, 'b');
    await lane.expectClean();
  });

  it('29b: a provision that succeeds without making the Secret ends the build with a sentence', async () => {
    const lane = await openLane(scenario);
    await lane.build('b');
    await lane.end(await lane.running('provision', 'b'), 'succeeded');
    expect(await lane.error('b')).to.match(/^provision task failed to create a secret/);
    await clean(lane, 'b');
    await lane.until('b', isRefused);
    await lane.finish('b', 'failed');
    await lane.expectClean();
  });

  it('10: a Secret of that name that was there before is never overwritten, and the host is not blamed for it', async () => {
    const lane = await openLane(scenario);
    const body = { metadata: { name: secretName('b') }, stringData: { mine: 'precious' } };
    await scenario.api.ask('POST', `/api/v1/namespaces/${lane.tenant}/secrets`, body);
    await lane.build('b');
    await lane.end(await lane.running('provision', 'b'), 'failed', { REASON: 'SecretExists', MESSAGE: 'it is there' });
    const events = await lane.eventsUntil('Rejected', 'b');
    expect(events.find((it) => it.reason === 'Rejected').message).to.contain(secretName('b'));
    await clean(lane, 'b');
    await lane.finish('b', 'failed');
    await lane.released('b');
    const secret = await scenario.secret(lane.tenant, secretName('b'));
    expect(Object.keys(secret.data)).to.deep.equal(['mine']);
    expect(lane.get('b').metadata.annotations).not.to.have.property(`${prefix}/failed-hosts`);
    await scenario.try('DELETE', `/api/v1/namespaces/${lane.tenant}/secrets/${secretName('b')}`);
    await lane.expectClean();
  });

  it('10a: a host that cannot be cleaned keeps nobody from deleting the build, and is tried again', async () => {
    const lane = await openLane(scenario);
    await lane.build('b');
    await provide(lane, 'b');
    await scenario.remove(lane.tenant, 'b');
    const first = await lane.running('clean', 'b');
    await scenario.watched.until(() => lane.get('b') === undefined);
    await lane.end(first, 'failed', { MESSAGE: 'no route to host' });
    const second = await lane.next('clean', 'b', first);
    expect(second.metadata.name).not.to.equal(first.metadata.name);
    expect(second.spec.params).to.deep.equal(first.spec.params);
    await lane.end(second, 'succeeded');
    await lane.expectClean();
  });

  it('10b: a cleanup TaskRun that somebody deletes is made again', async () => {
    const lane = await openLane(scenario);
    await lane.build('b');
    await provide(lane, 'b');
    await lane.finish('b');
    const first = await lane.running('clean', 'b');
    await scenario.remove(operatorNamespace, first.metadata.name);
    const second = await lane.next('clean', 'b', first);
    await scenario.watched.until((all) => all.every((it) => it.metadata.uid !== first.metadata.uid));
    await lane.end(second, 'succeeded');
    await lane.expectClean();
  });

  it('10c: a build whose finalizer was taken away by hand: its host is cleaned all the same', async () => {
    const lane = await openLane(scenario);
    const { metadata } = await lane.build('b');
    await provide(lane, 'b');
    scenario.invariants.forced.add(metadata.uid);
    await scenario.change(lane.tenant, 'b', { metadata: { finalizers: null } });
    await scenario.remove(lane.tenant, 'b').catch(() => undefined);
    await clean(lane, 'b');
    await scenario.watched.until(() => lane.get('b') === undefined);
    await lane.expectClean();
  });

  it('14: a retry of the TaskRun keeps its host and its Secret, and its new pod is told', async () => {
    const lane = await openLane(scenario);
    await lane.build('b', { pod: true });
    const before = await provide(lane, 'b');
    const secret = await scenario.secret(lane.tenant, secretName('b'));
    await scenario.pod(lane.tenant, 'b-pod-retry1', 'b');
    await scenario.status(lane.tenant, 'b', {
      podName: 'b-pod-retry1',
      startTime: null,
      completionTime: null,
      conditions: [{ type: 'Succeeded', status: 'Unknown', reason: 'ToBeRetried' }],
      retriesStatus: [{ podName: 'b-pod', conditions: [{ type: 'Succeeded', status: 'False', reason: 'Failed' }] }],
    });
    await eventually(
      async () => (await scenario.podAnnotations(lane.tenant, 'b-pod-retry1'))[`${prefix}/assigned-host`],
    );
    const after = lane.get('b');
    expect(label(after, 'assigned-host')).to.equal(label(before, 'assigned-host'));
    expect((await scenario.secret(lane.tenant, secretName('b'))).metadata.uid).to.equal(secret.metadata.uid);
    expect(lane.everOurs('provision', 'b')).to.have.length(1);
    expect(lane.everOurs('clean', 'b')).to.deep.equal([]);
    await endAll(lane, 'b');
  });

  it('19: labels and facts that a tenant takes away give his slot to nobody else', async () => {
    const lane = await openLane(scenario);
    await lane.build('b');
    await provide(lane, 'b');
    await lane.build('waits');
    await lane.waits('waits');
    const nothing = { [`${prefix}/host-lease`]: null };
    await scenario.change(lane.tenant, 'b', {
      metadata: { labels: { [`${prefix}/assigned-host`]: null }, annotations: nothing },
    });
    await lane.until('b', (it) => factsOf(it)?.ready === true);
    expect(lane.everOurs('provision', 'waits')).to.deep.equal([]);
    await lane.finish('b');
    await clean(lane, 'b');
    await provide(lane, 'waits');
    await endAll(lane, 'waits');
  });

  it('10d: a namespace that is deleted with builds in every phase goes, and every host is cleaned', async () => {
    const lane = await openLane(scenario, { slots: [1, 1] });
    await lane.build('runs');
    await provide(lane, 'runs');
    await lane.build('prepares');
    const provision = await lane.running('provision', 'prepares');
    await lane.build('waits');
    await lane.waits('waits');
    await scenario.try('DELETE', `/api/v1/namespaces/${lane.tenant}`);
    // What the namespace controller does; from now on nothing can be created there.
    for (const name of ['waits', 'prepares', 'runs']) await scenario.remove(lane.tenant, name);
    await scenario.watched.until(() => lane.get('waits') === undefined);
    await cancelledProvision(lane, 'prepares');
    await lane.end(provision, 'cancelled');
    for (const name of ['runs', 'prepares']) await clean(lane, name);
    await scenario.watched.until((all) => all.every((it) => it.metadata.namespace !== lane.tenant));
    await lane.expectClean();
  });
});
