// What people see of their build, on its TaskRun, in its pod and among its Events: lines 25, 29 and 32 of what builds are
// promised, and the Secrets we make ourselves.
import { expect } from 'chai';
import { openLane, type Lane } from '../support/lane.ts';
import { annotation, factsOf, label, prefix, userFinalizer } from '../support/observed-task-run.ts';
import { eventually, operatorNamespace, type Raw } from '../support/scenario.ts';
import { setStage } from '../support/stage.ts';

const told = { REASON: 'NoSpace', MESSAGE: 'no space left on /home' };

describe('scenario: what people see', function () {
  this.timeout(120_000);
  const { scenario } = setStage({
    tekton: {
      provision: (taskRun) => {
        const name = label(taskRun, 'user-task-name') ?? '';
        if (name.startsWith('slow')) return { outcome: 'hangs' };
        return name.startsWith('unlucky') ? { outcome: 'failed', results: told } : {};
      },
    },
  });

  const textsOf = (events: readonly Raw[], reason: string): string[] =>
    events.filter((it) => it.reason === reason).map((it) => it.message);
  const podOf = (lane: Lane, name: string): Promise<Record<string, string>> =>
    scenario.podAnnotations(lane.tenant, `${name}-pod`);
  const countsOf = (events: readonly Raw[]): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { reason } of events) counts[reason] = (counts[reason] ?? 0) + 1;
    return counts;
  };

  it('25a: the Events of a build tell its story, each once', async () => {
    const lane = await openLane(scenario);
    await lane.build('holder');
    await lane.ready('holder');
    const build = await lane.build('b');
    await lane.waits('b');
    await lane.finish('holder');
    await lane.ready('b');
    // News of others are no news: nothing is told again.
    for (const value of ['1', '2', '3'])
      await scenario.change(lane.tenant, 'b', { metadata: { annotations: { heartbeat: value } } });
    await lane.finish('b');
    await lane.released('b');
    const events = await lane.eventsUntil('Released', 'b');
    expect(countsOf(events)).to.deep.equal({
      WaitingForHost: 1,
      HostAssigned: 1,
      Provisioning: 1,
      HostReady: 1,
      Released: 1,
    });
    for (const { type, involvedObject, message } of events) {
      expect(type).to.equal('Normal');
      expect(involvedObject).to.include({ kind: 'TaskRun', name: 'b', uid: build.metadata.uid });
      expect(message).to.be.a('string').and.not.equal('');
    }
    expect(textsOf(events, 'WaitingForHost')[0]).to.contain('number 1 in the queue');
    expect(textsOf(events, 'HostAssigned')[0]).to.contain(lane.host());
    await lane.expectClean();
  });

  it('25b: a failed provision is told with what it said last, and so is the end of all tries', async () => {
    const lane = await openLane(scenario, { slots: [1, 1] });
    await lane.build('unlucky');
    const error = await lane.error('unlucky');
    const events = await lane.eventsUntil('Rejected', 'unlucky');
    const failures = textsOf(events, 'ProvisionFailed');
    expect(failures).to.have.length(2);
    for (const failure of failures) expect(failure).to.contain(told.MESSAGE);
    for (const host of [lane.host(0), lane.host(1)])
      expect(
        failures.some((failure) => failure.includes(host)),
        host,
      ).to.equal(true);
    const [rejected] = textsOf(events, 'Rejected');
    expect(error.startsWith(rejected ?? 'no Event')).to.equal(true);
    for (const { type } of events.filter((it) => ['ProvisionFailed', 'Rejected'].includes(it.reason)))
      expect(type).to.equal('Warning');
    await lane.finish('unlucky', 'failed');
    await lane.expectClean();
  });

  it('25c: a build that waits knows why, and its place, also in its pod; both go when it has a host', async () => {
    const lane = await openLane(scenario);
    await lane.build('holder');
    await lane.ready('holder');
    await lane.build('b', { pod: true });
    const waiting = await lane.waits('b');
    expect(annotation(waiting, 'queue-position')).to.equal('1');
    expect(annotation(waiting, 'wait-reason')).to.contain('slots of the platform are taken');
    expect(label(waiting, 'waiting-for-platform')).to.equal(lane.dashed);
    expect(label(waiting, 'assigned-host')).to.equal(undefined);
    const inPod = await eventually(async () => {
      const annotations = await podOf(lane, 'b');
      return annotations[`${prefix}/queue-position`] !== undefined && annotations;
    });
    expect(inPod).to.include({
      [`${prefix}/queue-position`]: '1',
      [`${prefix}/wait-reason`]: annotation(waiting, 'wait-reason'),
    });
    await lane.finish('holder');
    const served = await lane.ready('b');
    expect(label(served, 'waiting-for-platform')).to.equal(undefined);
    expect(annotation(served, 'wait-reason')).to.equal(undefined);
    expect(annotation(served, 'queue-position')).to.equal(undefined);
    const after = await eventually(async () => {
      const annotations = await podOf(lane, 'b');
      return annotations[`${prefix}/assigned-host`] !== undefined && annotations;
    });
    expect(after).not.to.have.any.keys(`${prefix}/wait-reason`, `${prefix}/queue-position`);
    await lane.finish('b');
    await lane.expectClean();
  });

  it('32a: the pod is told as soon as the Secret is there, and not before', async () => {
    const lane = await openLane(scenario);
    await lane.build('b', { pod: true });
    await lane.ready('b');
    expect(await scenario.secret(lane.tenant, 'multi-platform-ssh-b')).not.to.equal(undefined);
    await eventually(async () => (await podOf(lane, 'b'))[`${prefix}/assigned-host`] === lane.host());
    await lane.finish('b');
    await lane.expectClean();
  });

  it('32b: the Event of a provision TaskRun is enough, while it still runs; without the Secret it is not', async () => {
    const lane = await openLane(scenario);
    await lane.build('slow', { pod: true });
    const provision = await lane.running('provision', 'slow');
    const report = (name: string): Promise<Raw> => scenario.api.ask('POST', eventsPath, secretCreated(provision, name));
    await report('too-early');
    await lane.build('other');
    await lane.waits('other');
    expect(await podOf(lane, 'slow')).not.to.have.property(`${prefix}/assigned-host`);
    await scenario.buildSecret(provision);
    await report('in-time');
    await eventually(async () => (await podOf(lane, 'slow'))[`${prefix}/assigned-host`] === lane.host());
    expect(factsOf(await lane.ready('slow'))?.ready).to.equal(true);
    expect(lane.ours('provision', 'slow')).to.have.length(1);
    await lane.end(provision, 'succeeded');
    await lane.finish('slow');
    await lane.ready('other');
    await lane.finish('other');
    await lane.expectClean();
  });

  it('32c: the pod of a refused build is told, too', async () => {
    const lane = await openLane(scenario);
    await lane.build('b', { pod: true, params: [{ name: 'PLATFORM', value: 'linux/none' }] });
    await eventually(async () => (await podOf(lane, 'b'))[`${prefix}/assigned-host`] !== undefined);
    const secret = await scenario.secret(lane.tenant, 'multi-platform-ssh-b');
    expect(Object.keys(secret.data)).to.deep.equal(['error']);
    await lane.finish('b', 'failed');
    await lane.expectClean();
  });

  it('contract 3: Secrets of ours: labelled, opaque, owned by the build; a local one says localhost and nothing more', async () => {
    const lane = await openLane(scenario, { config: { 'local-platforms': 'linux/amd64, local,' } });
    for (const [name, platform, keys] of [
      ['here', 'linux/amd64', ['host']],
      ['local', 'local', ['host']],
      ['refused', 'linux/none', ['error']],
    ] as const) {
      const build = await scenario.build(lane.tenant, name, platform);
      const secret = await eventually(() => scenario.secret(lane.tenant, `multi-platform-ssh-${name}`));
      expect(Object.keys(secret.data)).to.deep.equal(keys);
      expect(secret.type).to.equal('Opaque');
      expect(secret.metadata.labels).to.deep.equal({ [`${prefix}/multi-platform-secret`]: 'true' });
      const [owner] = secret.metadata.ownerReferences;
      expect(owner).to.include({ apiVersion: 'tekton.dev/v1', kind: 'TaskRun', name, uid: build.metadata.uid });
      if (name !== 'refused') {
        expect(Buffer.from(secret.data.host, 'base64').toString()).to.equal('localhost');
        expect(label(await lane.ready(name), 'assigned-host')).to.equal('localhost');
      }
      await lane.until(name, ({ metadata }) => metadata.finalizers?.includes(userFinalizer));
      await lane.finish(name, name === 'refused' ? 'failed' : 'succeeded');
      await lane.released(name);
      expect(await scenario.secret(lane.tenant, `multi-platform-ssh-${name}`)).to.equal(undefined);
    }
    expect(scenario.watched.ever.filter((it) => label(it, 'user-task-namespace') === lane.tenant)).to.deep.equal([]);
  });
});

const eventsPath = `/api/v1/namespaces/${operatorNamespace}/events`;

/** As tasks/provision-shared-host reports. */
function secretCreated({ metadata }: Raw, name: string): object {
  const { uid, name: taskRun, namespace } = metadata;
  return {
    metadata: { name: `${taskRun}.${name}`, namespace },
    involvedObject: { apiVersion: 'tekton.dev/v1', kind: 'TaskRun', namespace, name: taskRun, uid },
    reason: 'SecretCreated',
    message: 'the Secret is there',
    type: 'Normal',
  };
}
