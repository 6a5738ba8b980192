// The TaskRuns we make for builds: their names, params and labels are read by Tasks, policies and people. Lines 7, 10
// and 30 of what builds are promised, and the contract of names.
import { expect } from 'chai';
import { openLane } from '../support/lane.ts';
import { annotation, hasFailed, isLive, isRefused, label, prefix } from '../support/observed-task-run.ts';
import { operatorNamespace, type Raw } from '../support/scenario.ts';
import { setStage } from '../support/stage.ts';

const ownFinalizer = 'appstudio.io/multi-platform-cleanup';
const paramsOf = (taskRun: Raw): Record<string, string> =>
  Object.fromEntries(taskRun.spec.params.map((it: Raw) => [it.name, it.value]));

describe('scenario: TaskRuns of ours', function () {
  this.timeout(120_000);
  const stage = setStage({
    tekton: { provision: (taskRun) => (isUnlucky(taskRun) ? failedProvision : {}) },
  });
  const { scenario } = stage;

  /** Builds called so fail everywhere, or on the first host only. */
  const isUnlucky = (taskRun: Raw): boolean => {
    const name = label(taskRun, 'user-task-name') ?? '';
    const onFirst = label(taskRun, 'assigned-host')?.endsWith('-a') === true;
    return name.startsWith('unlucky') || (name.startsWith('picky') && onFirst);
  };
  const failedProvision = {
    outcome: 'failed',
    results: { REASON: 'NoSpace', MESSAGE: 'no space left on /home' },
  } as const;

  it('contract 4: a provision TaskRun is as Tasks, policies and quota expect it', async () => {
    const lane = await openLane(scenario, { config: { 'instance-tag': 'prod-1' } });
    const build = await lane.build('b');
    const { metadata, spec } = await lane.first('provision', 'b');
    expect(metadata.namespace).to.equal(operatorNamespace);
    expect(metadata.name).to.match(/^b-prov-[0-9a-f]{5,}$/);
    expect(metadata.finalizers ?? []).to.deep.equal([]);
    expect(metadata.labels).to.include({
      [`${prefix}/task-type`]: 'provision',
      [`${prefix}/target-platform`]: lane.dashed,
      [`${prefix}/user-task-name`]: 'b',
      [`${prefix}/user-task-namespace`]: lane.tenant,
      [`${prefix}/assigned-host`]: lane.host(),
    });
    expect(spec.taskRef).to.include({ name: 'provision-shared-host' });
    expect(spec.serviceAccountName)
      .to.be.a('string')
      .and.not.match(/controller/);
    expect(spec.retries ?? 0).to.equal(0);
    expect(spec.workspaces).to.deep.equal([{ name: 'ssh', secret: { secretName: lane.sshSecret } }]);
    expect(spec.computeResources.requests).to.deep.equal({ cpu: '100m', memory: '256Mi' });
    expect(spec.computeResources.limits.memory).to.equal('512Mi');
    expect(paramsOf({ spec })).to.deep.include({
      SECRET_NAME: 'multi-platform-ssh-b',
      TASKRUN_NAME: 'b',
      NAMESPACE: lane.tenant,
      TASKRUN_UID: build.metadata.uid,
      HOST: lane.address(),
      USER: 'builder',
      SUDO_COMMANDS: '',
      RAW_PLATFORM: 'linux-arm64',
      INSTANCE_TAG: 'prod-1',
    });
    await lane.ready('b');
    await lane.finish('b');
    await lane.expectClean();
  });

  it('contract 4: a cleanup TaskRun carries every fact, three retries, and a finalizer until it succeeded', async () => {
    const lane = await openLane(scenario);
    const build = await lane.build('b');
    await lane.ready('b');
    await lane.finish('b');
    const { metadata, spec } = await lane.first('clean', 'b');
    expect(metadata.namespace).to.equal(operatorNamespace);
    expect(metadata.name).to.match(/^b-cleanup-[0-9a-f]{5,}$/);
    expect(metadata.labels).to.include({
      [`${prefix}/task-type`]: 'clean',
      [`${prefix}/target-platform`]: lane.dashed,
      [`${prefix}/user-task-name`]: 'b',
      [`${prefix}/user-task-namespace`]: lane.tenant,
    });
    expect(spec.taskRef).to.include({ name: 'clean-shared-host' });
    expect(spec.retries).to.equal(3);
    expect(spec.workspaces).to.deep.equal([{ name: 'ssh', secret: { secretName: lane.sshSecret } }]);
    expect(spec.computeResources).to.deep.equal({ requests: { cpu: '100m', memory: '128Mi' } });
    expect(paramsOf({ spec })).to.deep.include({
      SECRET_NAME: 'multi-platform-ssh-b',
      TASKRUN_NAME: 'b',
      NAMESPACE: lane.tenant,
      TASKRUN_UID: build.metadata.uid,
      HOST: lane.address(),
      USER: 'builder',
    });
    const provision = await lane.first('provision', 'b');
    expect(spec.serviceAccountName).not.to.equal(provision.spec.serviceAccountName);
    await lane.expectClean();
  });

  const tasksOf: readonly [string, string][] = [
    ['windows', 'provision-host-windows'],
    ['macos', 'provision-host-macos'],
  ];
  for (const [os, task] of tasksOf) {
    it(`contract 4: hosts of ${os} are prepared by ${task}`, async () => {
      const lane = await openLane(scenario, { os });
      await lane.build('b');
      const { spec } = await lane.first('provision', 'b');
      expect(spec.taskRef).to.include({ name: task });
      expect(paramsOf({ spec })).to.include({ RAW_PLATFORM: `${os}-arm64` });
      await lane.ready('b');
      await lane.finish('b');
      await lane.expectClean();
    });
  }

  it('7: a failed provision: cleaned up there, and the build tries the other host', async () => {
    const lane = await openLane(scenario, { slots: [1, 1] });
    await lane.build('unlucky-1');
    const error = await lane.error('unlucky-1');
    expect(error).to.match(/^Error allocating host: all available hosts for the platform have failed: /);
    expect(error).to.contain('no space left on /home');
    const tried = lane.everOurs('provision', 'unlucky-1').map((it) => label(it, 'assigned-host'));
    expect(tried).to.have.members([lane.host(0), lane.host(1)]);
    const build = await lane.until('unlucky-1', isRefused);
    expect(annotation(build, 'failed-hosts')?.split(',')).to.have.members([lane.host(0), lane.host(1)]);
    await lane.finish('unlucky-1', 'failed');
    await lane.expectClean();
    expect(new Set(lane.everOurs('clean', 'unlucky-1').map((it) => label(it, 'assigned-host')))).to.have.property(
      'size',
      2,
    );
  });

  it('7b: the host a build failed on is chosen by others, and its slot is free at once', async () => {
    const lane = await openLane(scenario);
    await lane.build('unlucky-2');
    await lane.build('lucky');
    await lane.ready('lucky');
    await lane.finish('lucky');
    await lane.finish('unlucky-2', 'failed');
    await lane.expectClean();
  });

  it('7d: a host on which three provisions failed in a row is left alone, however many free slots it has', async () => {
    const lane = await openLane(scenario, { slots: [4, 2, 2] });
    for (const [index, name] of ['picky-1', 'picky-2', 'picky-3'].entries()) {
      await lane.build(name);
      await lane.ready(name);
      const tried = lane.everOurs('provision', name).map((it) => label(it, 'assigned-host'));
      expect(tried, name).to.deep.equal([lane.host(0), lane.host(1 + (index % 2))]);
    }
    await lane.build('b');
    expect(label(await lane.ready('b'), 'assigned-host')).to.equal(lane.host(2));
    for (const name of ['picky-1', 'picky-2', 'picky-3', 'b']) await lane.finish(name);
    await lane.expectClean();
  });

  it('30: successful TaskRuns of ours are deleted at once, failed ones stay for their log, without a finalizer', async () => {
    const lane = await openLane(scenario, { slots: [1, 1] });
    await lane.build('unlucky-3');
    await lane.error('unlucky-3');
    await lane.build('fine');
    await lane.ready('fine');
    await scenario.watched.until(() => lane.ours('provision', 'fine').length === 0);
    await lane.finish('fine');
    await lane.finish('unlucky-3', 'failed');
    await lane.expectClean();
    const kept = lane.ours('provision', 'unlucky-3');
    expect(kept.map(hasFailed)).to.deep.equal([true, true]);
    for (const type of ['provision', 'clean'] as const) expect(lane.ours(type, 'fine')).to.deep.equal([]);
    for (const cleanup of lane.everOurs('clean', 'fine')) expect(cleanup.metadata.finalizers ?? []).to.deep.equal([]);
  });

  it('10: the cleanup TaskRun has a finalizer of its own until it succeeded', async () => {
    await stage.playOtherwise('nobody');
    const lane = await openLane(scenario);
    await lane.build('b');
    await scenario.provision(await lane.running('provision', 'b'));
    await lane.ready('b');
    await lane.finish('b');
    await lane.released('b');
    const cleanup = await lane.running('clean', 'b');
    expect(cleanup.metadata.finalizers).to.deep.equal([ownFinalizer]);
    await lane.end(cleanup, 'succeeded');
    await lane.expectClean();
    expect(lane.ours('clean', 'b').filter(isLive)).to.deep.equal([]);
  });
});
