// One build from its creation to the last trace of it, and builds that are called alike: lines 1 and 13 of what builds are
// promised.
import { expect } from 'chai';
import { openLane, type Lane } from '../support/lane.ts';
import {
  annotation,
  factsOf,
  isDone,
  isLive,
  isRefused,
  label,
  prefix,
  userFinalizer,
} from '../support/observed-task-run.ts';
import { eventually, type Raw } from '../support/scenario.ts';
import { setStage } from '../support/stage.ts';
import { vanish } from '../support/vanish.ts';

const paramsOf = (taskRun: Raw): Record<string, string> =>
  Object.fromEntries(taskRun.spec.params.map((it: Raw) => [it.name, it.value]));

describe('scenario: the life of a build', function () {
  this.timeout(120_000);
  const { scenario } = setStage({
    tekton: {
      // Slow enough for a build of the same name to be there before the host is clean.
      clean: (taskRun) => ({ after: label(taskRun, 'user-task-name') === 'again' ? 500 : 0 }),
    },
  });

  it('1: claims a slot, is prepared, told, cleaned up after, and leaves nothing', async () => {
    const lane = await openLane(scenario);
    await lane.build('b', { pod: true });
    const claimed = await lane.assigned('b');
    expect(claimed.metadata.finalizers).to.deep.equal([userFinalizer]);
    expect(claimed.metadata.labels).to.include({
      [`${prefix}/assigned-host`]: lane.host(),
      [`${prefix}/target-platform`]: lane.dashed,
    });
    await lane.ready('b');
    const secret = await scenario.secret(lane.tenant, 'multi-platform-ssh-b');
    expect(secret.metadata.ownerReferences[0]).to.include({ kind: 'TaskRun', name: 'b', uid: claimed.metadata.uid });
    await scenario.watched.until(() => lane.ours('provision', 'b').length === 0);
    await lane.finish('b');
    await lane.released('b');
    expect(lane.everOurs('clean', 'b')).to.have.length(1);
    await lane.expectClean();
    expect(await scenario.secret(lane.tenant, 'multi-platform-ssh-b')).to.equal(undefined);
    const { metadata } = await scenario.taskRun(lane.tenant, 'b');
    expect(metadata.finalizers ?? []).to.deep.equal([]);
    expect(Object.keys(metadata.labels ?? {})).to.deep.equal([`${prefix}/target-platform`]);
  });

  it('1c: a build that ended, or is being deleted, before it was ever looked at gets no host', async () => {
    const lane = await openLane(scenario, { slots: [3] });
    const late = { secretName: 'something-else', finalizers: ['example.com/archive'] };
    const volumes = [{ name: 'ssh', secret: { secretName: 'multi-platform-ssh-x' } }];
    await lane.build('ended', late);
    await lane.build('leaving', late);
    await scenario.remove(lane.tenant, 'leaving');
    const conditions = [{ type: 'Succeeded', status: 'False', reason: 'Failed' }];
    await scenario.status(lane.tenant, 'ended', { taskSpec: { volumes }, conditions });
    await scenario.status(lane.tenant, 'leaving', { taskSpec: { volumes } });
    await lane.build('b');
    await lane.ready('b');
    expect(lane.holders()).to.deep.equal(['b']);
    for (const name of ['ended', 'leaving']) {
      const { metadata } = await scenario.taskRun(lane.tenant, name);
      expect(metadata.finalizers).to.deep.equal(late.finalizers);
      expect(metadata.labels ?? {}).to.deep.equal({});
      await scenario.change(lane.tenant, name, { metadata: { finalizers: null } });
    }
    await lane.finish('b');
    await lane.expectClean();
  });

  it('13a: equal names in two namespaces never meet, also on one host', async () => {
    const lane = await openLane(scenario, { slots: [2] });
    const other = `${lane.tenant}-too`;
    await scenario.api.createNamespace(other);
    await lane.build('same');
    await scenario.build(other, 'same', lane.platform);
    const ready = await Promise.all([lane.ready('same'), eventually(async () => readyIn(other))]);
    expect(ready.map((it) => label(it, 'assigned-host'))).to.deep.equal([lane.host(), lane.host()]);
    const provisions = scenario.watched.ever.filter(
      (it) => label(it, 'task-type') === 'provision' && label(it, 'target-platform') === lane.dashed,
    );
    expect(new Set(provisions.map((it) => it.metadata.name)).size).to.equal(2);
    const uids = ready.map((it): string => it.metadata.uid);
    expect(provisions.map((it) => paramsOf(it)['TASKRUN_UID'])).to.have.members(uids);
    await lane.finish('same');
    await lane.released('same');
    expect(await scenario.secret(other, 'multi-platform-ssh-same')).not.to.equal(undefined);
    await scenario.finish(other, 'same', 'succeeded');
    await lane.expectClean();
    await eventually(async () => (await scenario.invariants.leftovers(scenario.api, other)).length === 0);
  });

  const readyIn = async (namespace: string): Promise<Raw> => {
    const build = await scenario.taskRun(namespace, 'same');
    return annotation(build, 'host-lease')?.includes('"ready":true') && build;
  };

  it('13b: names of 63 characters that differ in the last one only', async () => {
    const lane = await openLane(scenario, { slots: [2] });
    const names = ['x', 'y'].map((end) => 'n'.repeat(62) + end);
    await Promise.all(names.map((name) => lane.build(name)));
    await Promise.all(names.map((name) => lane.ready(name)));
    await Promise.all(names.map((name) => lane.finish(name)));
    await lane.expectClean();
    for (const type of ['provision', 'clean'] as const) {
      const own = names.flatMap((name) => lane.everOurs(type, name)).map((it): string => it.metadata.name);
      expect(new Set(own).size).to.equal(2);
      for (const name of own) expect(name).to.match(/^n[-a-z0-9]{0,61}[a-z0-9]$/);
    }
  });

  it('13c: a build that takes the name of one that is just gone has a life of its own', async () => {
    const lane = await openLane(scenario, { slots: [2] });
    await lane.build('again');
    const first = await lane.ready('again');
    await scenario.remove(lane.tenant, 'again');
    await scenario.watched.until(() => lane.get('again') === undefined);
    const second = await lane.build('again');
    expect(second.metadata.uid).not.to.equal(first.metadata.uid);
    await lane.ready('again');
    const cleanupOf = (uid: string): Raw[] =>
      lane.everOurs('clean', 'again').filter((it) => label(it, 'user-task-uid') === uid);
    await scenario.watched.until(() => cleanupOf(first.metadata.uid).some(isDone));
    await scenario.watched.until(() => lane.ours('clean', 'again').filter(isLive).length === 0);
    const secret = await scenario.secret(lane.tenant, 'multi-platform-ssh-again');
    expect(secret.metadata.ownerReferences[0].uid).to.equal(second.metadata.uid);
    await lane.finish('again');
    await lane.expectClean();
  });

  it('13e: a build that takes the name of one whose finalizer was taken away keeps its Secret', async () => {
    const lane = await openLane(scenario, { slots: [2] });
    await lane.build('torn');
    const first = await lane.ready('torn');
    scenario.invariants.forced.add(first.metadata.uid);
    await vanish(scenario, lane.tenant, 'torn');
    await scenario.watched.until(() => lane.get('torn') === undefined);
    // What the garbage collector does with the Secret of a build that is gone.
    await scenario.try('DELETE', `/api/v1/namespaces/${lane.tenant}/secrets/multi-platform-ssh-torn`);
    const second = await lane.build('torn');
    await lane.ready('torn');
    await scenario.watched.until(() => lane.everOurs('clean', 'torn').some(isDone));
    const secret = await scenario.secret(lane.tenant, 'multi-platform-ssh-torn');
    expect(secret.metadata.ownerReferences[0].uid).to.equal(second.metadata.uid);
    await lane.finish('torn');
    await lane.expectClean();
  });

  const remade: readonly [string, string, string][] = [
    ['refused', 'linux/none', 'error'],
    ['local', 'linux/amd64', 'host'],
  ];
  for (const [what, platform, key] of remade) {
    it(`13d: a ${what} build of the same name gets its own Secret, also when one without its finalizer left the old one`, async () => {
      const lane = await openLane(scenario, { config: { 'local-platforms': 'linux/amd64' } });
      const path = `/api/v1/namespaces/${lane.tenant}/secrets/multi-platform-ssh-same`;
      await scenario.build(lane.tenant, 'same', platform);
      await settled(lane);
      const left = await scenario.secret(lane.tenant, 'multi-platform-ssh-same');
      await vanish(scenario, lane.tenant, 'same');
      await scenario.watched.until(() => lane.get('same') === undefined);
      const second = await scenario.build(lane.tenant, 'same', platform);
      // The collector comes a moment later than the new build.
      await lane.build('other');
      await lane.ready('other');
      // Only the old one: ours may be in its place by now.
      const old = { preconditions: { uid: left.metadata.uid } };
      await scenario.try('DELETE', path, old).catch((error) => expect(error.status).to.equal(409));
      const secret = await eventually(() => scenario.secret(lane.tenant, 'multi-platform-ssh-same'));
      expect(Object.keys(secret.data)).to.deep.equal([key]);
      expect(secret.metadata.ownerReferences[0].uid).to.equal(second.metadata.uid);
      await settled(lane);
      await scenario.finish(lane.tenant, 'same', 'failed');
      await lane.finish('other');
      await lane.expectClean();
    });
  }

  const settled = (lane: Lane): Promise<Raw> =>
    lane.until('same', (it) => factsOf(it)?.ready === true || isRefused(it));
});
