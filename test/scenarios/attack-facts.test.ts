// Tenants who write on their own TaskRuns what only the controller may say: facts, labels, finalizers, annotations. They
// never get a slot, a host, a user or a Secret of somebody else by that.
import { expect } from 'chai';
import { openLane, type Lane } from '../support/lane.ts';
import { annotation, factsOf, hostOf, label, prefix, userFinalizer } from '../support/observed-task-run.ts';
import { operatorNamespace, type Raw } from '../support/scenario.ts';
import { setStage } from '../support/stage.ts';

const lease = `${prefix}/host-lease`;
const assignedHost = `${prefix}/assigned-host`;

describe('attack: forged facts', function () {
  this.timeout(120_000);
  const { scenario } = setStage({
    tekton: {
      provision: (it) =>
        label(it, 'user-task-name')?.startsWith('unlucky') === true && label(it, 'attempt') === '1'
          ? { outcome: 'failed', results: { REASON: 'NoSpace', MESSAGE: 'full' } }
          : {},
    },
  });

  /** Where, and as whom, TaskRuns of ours ever worked for this build. */
  const worked = (lane: Lane, name: string): string[] => {
    const params = (it: Raw): string =>
      ['HOST', 'USER', 'TASKRUN_NAME', 'NAMESPACE', 'SECRET_NAME']
        .map((param) => it.spec.params.find((one: Raw) => one.name === param).value)
        .concat(it.spec.workspaces[0].secret.secretName)
        .join(' ');
    return [...new Set((['provision', 'clean'] as const).flatMap((type) => lane.everOurs(type, name)).map(params))];
  };
  const itsOwn = (lane: Lane, name: string, index = 0): string =>
    `${lane.address(index)} builder ${name} ${lane.tenant} multi-platform-ssh-${name} ${lane.sshSecret}`;
  const forgery = (value: string | null): object => ({ metadata: { annotations: { [lease]: value } } });

  it('facts copied from another build, also from one of the same name before, hold nothing and aim at nothing', async () => {
    const lane = await openLane(scenario, { slots: [1, 1] });
    const [victim] = await lane.hold('victim');
    const copied = annotation(victim, 'host-lease') ?? '';
    await lane.build('copier', {
      annotations: { [lease]: copied },
      finalizers: [userFinalizer],
      labels: { [assignedHost]: lane.host(0), [`${prefix}/attempt`]: '1' },
    });
    await lane.until('copier', (it) => factsOf(it)?.ready === true && annotation(it, 'host-lease') !== copied);
    expect(hostOf(lane.get('copier'))).to.equal(lane.host(1));
    await lane.finish('copier');
    await lane.released('copier');
    await scenario.change(lane.tenant, 'copier', forgery(copied));
    await lane.finish('victim');
    await lane.released('victim');
    await scenario.remove(lane.tenant, 'victim');
    await scenario.watched.until(() => lane.get('victim') === undefined);
    await lane.build('victim', { annotations: { [lease]: copied } });
    await lane.until('victim', (it) => factsOf(it)?.ready === true && annotation(it, 'host-lease') !== copied);
    await lane.endAll('victim');
    expect(worked(lane, 'copier')).to.deep.equal([itsOwn(lane, 'copier', 1)]);
    expect(worked(lane, 'victim')).to.deep.equal([itsOwn(lane, 'victim', 0)]);
  });

  it('facts of an earlier attempt, put back while it runs on another host, are put right and both hosts are cleaned', async () => {
    const lane = await openLane(scenario, { slots: [1, 1] });
    await lane.build('unlucky');
    const first = await lane.until('unlucky', (it) => factsOf(it)?.claim?.host === lane.host(0));
    const second = await lane.ready('unlucky');
    expect(hostOf(second)).to.equal(lane.host(1));
    await scenario.change(lane.tenant, 'unlucky', {
      metadata: { annotations: { [lease]: annotation(first, 'host-lease') }, labels: { [assignedHost]: lane.host(0) } },
    });
    await lane.until('unlucky', (it) => annotation(it, 'host-lease') === annotation(second, 'host-lease'));
    await lane.endAll('unlucky');
    expect(worked(lane, 'unlucky')).to.have.members([itsOwn(lane, 'unlucky', 0), itsOwn(lane, 'unlucky', 1)]);
  });

  it('facts edited by a byte, or by a megabyte, change nothing of what is cleaned', async () => {
    const lane = await openLane(scenario);
    const [build] = await lane.hold('b');
    const signed = annotation(build, 'host-lease') ?? '';
    const edits = [
      signed.replace(lane.address(), '10.6.6.6'),
      signed.replace('"builder"', '"root"'),
      signed.slice(0, -1),
      `${signed} `,
      'x'.repeat(200_000),
      `.${signed.slice(signed.indexOf('{'))}`,
      '',
    ];
    for (const edit of edits) {
      await scenario.change(lane.tenant, 'b', forgery(edit));
      await lane.until('b', (it) => annotation(it, 'host-lease') === signed);
    }
    const refused = await scenario.change(lane.tenant, 'b', forgery('x'.repeat(1_000_000))).catch((error) => error);
    expect(refused.status).to.equal(422);
    await lane.endAll('b');
    expect(worked(lane, 'b')).to.deep.equal([itsOwn(lane, 'b')]);
  });

  it('annotations full to the brim while it has its host: it is released, its host cleaned, its slot handed on', async () => {
    const lane = await openLane(scenario);
    await lane.hold('b');
    await lane.queue('next');
    const room = 262_144 - sizeOf(lane.get('b').metadata.annotations) - 'full'.length;
    await scenario.change(lane.tenant, 'b', { metadata: { annotations: { full: 'x'.repeat(room) } } });
    await lane.finish('b');
    await lane.released('b');
    await lane.ready('next');
    await lane.endAll('next');
    expect(worked(lane, 'b')).to.deep.equal([itsOwn(lane, 'b')]);
  });

  it('a label that names a busy host, with our finalizer: it waits its turn, behind who came before', async () => {
    const lane = await openLane(scenario);
    await lane.hold('holder');
    await lane.queue('first');
    const labels = { [assignedHost]: lane.host(), [`${prefix}/attempt`]: '1' };
    await lane.build('forger', { labels, finalizers: [userFinalizer] });
    await lane.until('forger', (it) => label(it, 'assigned-host') === undefined);
    await lane.waits('forger');
    await lane.finish('holder');
    await lane.ready('first');
    expect(label(lane.get('forger'), 'assigned-host')).to.equal(undefined);
    await lane.finish('first');
    await lane.ready('forger');
    await lane.endAll('forger');
    expect(worked(lane, 'forger')).to.deep.equal([itsOwn(lane, 'forger')]);
  });

  it('waiting labels and place taken away, again and again: it keeps its place, and gets no other', async () => {
    const lane = await openLane(scenario);
    await lane.hold('holder');
    await lane.queue('one', 'two');
    const cleared = {
      labels: { [`${prefix}/waiting-for-platform`]: null, [`${prefix}/attempt`]: '7' },
      annotations: { [`${prefix}/queue-position`]: '0', [`${prefix}/wait-reason`]: null, [`${prefix}/priority`]: '9' },
    };
    for (let times = 0; times < 5; times += 1) await scenario.change(lane.tenant, 'two', { metadata: cleared });
    await lane.finish('holder');
    await lane.ready('one');
    expect(factsOf(lane.get('two'))).to.equal(undefined);
    await lane.finish('one');
    await lane.ready('two');
    await lane.endAll('two');
  });

  it('200 forged builds that say they hold every host: builds of others get their slots', async () => {
    const lane = await openLane(scenario, { slots: [2, 2] });
    const crowd = `${lane.tenant}-crowd`;
    scenario.invariants.slotless.add(crowd);
    await scenario.api.createNamespace(crowd);
    const claim = { provider: 'static', address: lane.address(), user: 'builder', sshSecret: lane.sshSecret, since: 1 };
    const forged = async (index: number): Promise<void> => {
      const host = lane.host(index % 2);
      const facts = { attempt: 1, platform: lane.platform, claim: { ...claim, host }, ready: true };
      await scenario.build(crowd, `forged-${index}`, 'linux/none', {
        annotations: { [lease]: `bm90IHNpZ25lZA.${JSON.stringify(facts)}` },
        labels: { [assignedHost]: host },
        finalizers: [userFinalizer],
      });
    };
    const all = Array.from({ length: 200 }, (_, index) => index);
    for (let at = 0; at < all.length; at += 20) await Promise.all(all.slice(at, at + 20).map(forged));
    for (const name of ['a', 'b', 'c', 'd']) await lane.build(name);
    for (const name of ['a', 'b', 'c', 'd']) await lane.ready(name);
    await lane.endAll('a', 'b', 'c', 'd');
    expect(scenario.watched.ever.filter((it) => label(it, 'user-task-namespace') === crowd)).to.deep.equal([]);
  });

  it('TaskRuns in his own namespace that look like ours are none: nothing is done for them, or because of them', async () => {
    const lane = await openLane(scenario);
    const [build] = await lane.hold('b');
    const facts = (annotation(build, 'host-lease') ?? '').replace(/^[^{]*/, '');
    const { uid } = build.metadata;
    for (const type of ['provision', 'clean', 'update']) {
      const labels = {
        'task-type': type,
        'user-task-uid': uid,
        'user-task-name': 'b',
        'user-task-namespace': lane.tenant,
        'assigned-host': lane.host(),
        attempt: '9',
        cleaned: 'true',
      };
      const prefixed = Object.entries(labels).map(([key, value]) => [`${prefix}/${key}`, value]);
      await scenario.api.ask('POST', `/apis/tekton.dev/v1/namespaces/${lane.tenant}/taskruns`, {
        apiVersion: 'tekton.dev/v1',
        kind: 'TaskRun',
        metadata: {
          name: `b-${type}`,
          labels: Object.fromEntries(prefixed),
          annotations: { [lease]: facts.replace('"attempt":1', '"attempt":9').replace(lane.address(), '10.6.6.6') },
        },
        spec: {},
      });
    }
    await lane.finish('b');
    await lane.released('b');
    const isOurs = (it: Raw): boolean => it.metadata.namespace === operatorNamespace;
    await scenario.watched.until(() => lane.ours('clean', 'b').filter(isOurs).length === 0);
    const cleanups = lane.everOurs('clean', 'b').filter(isOurs);
    expect(cleanups.map((it) => label(it, 'attempt'))).to.deep.equal(['1']);
    for (const type of ['provision', 'clean', 'update']) await scenario.remove(lane.tenant, `b-${type}`);
  });
});

/** As the API server counts annotations. */
function sizeOf(map: Readonly<Record<string, string>>): number {
  return Object.entries(map).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
}
