// Before an uninstall: the controller's own program with --drain, on a real API server. The Deployment is at 0 replicas then.
import { expect } from 'chai';
import { once } from 'node:events';
import { ChildProcesses } from '../support/child-processes.ts';
import type { ControllerProcess } from '../support/controller-process.ts';
import { controllerBundle } from '../support/controller-bundle.ts';
import { openLane } from '../support/lane.ts';
import { annotation, factsOf, isLive, label } from '../support/observed-task-run.ts';
import { operatorNamespace, type Raw } from '../support/scenario.ts';
import { setStage } from '../support/stage.ts';

interface Drained {
  readonly code: number | null;
  readonly log: string;
}

describe('scenario: drain', function () {
  this.timeout(120_000);
  const processes = new ChildProcesses();
  const stage = setStage({ controller: 'each test' });
  const { scenario } = stage;
  after(() => processes.endAll());

  async function drain(serving: ControllerProcess, ...flags: string[]): Promise<Drained> {
    // As a Deployment at 0 replicas does: the leader Lease is given back.
    await serving.stop();
    let log = '';
    const nowhere = ['--metrics-bind-address=0', '--health-probe-bind-address=0'];
    const args = [await controllerBundle(), `--kubeconfig=${scenario.api.kubeconfig}`, '--drain', ...nowhere, ...flags];
    const env = { ...process.env, POD_NAMESPACE: operatorNamespace, POD_UID: 'drain' };
    const child = processes.start(process.execPath, args, { env, onOutput: (text) => void (log += text) });
    await once(child, 'close');
    await caughtUp();
    return { code: child.exitCode, log };
  }

  /** Waits until the watch has told everything that was written so far. */
  async function caughtUp(): Promise<void> {
    const { items, metadata } = await scenario.api.ask('GET', '/apis/tekton.dev/v1/taskruns');
    const there = new Map<string, number>(items.map((it: Raw) => [it.metadata.uid, versionOf(it)]));
    const isLater = (it: Raw): boolean => versionOf(it) > Number(metadata.resourceVersion);
    await scenario.watched.until((all) => {
      const seen = new Map<string, Raw>(all.map((it) => [it.metadata.uid, it]));
      const allSeen = [...there].every(([uid, version]) => versionOf(seen.get(uid) ?? {}) >= version);
      return allSeen && all.every((it) => there.has(it.metadata.uid) || isLater(it));
    });
  }

  /** What of ours would keep TaskRuns and namespaces from being deleted. */
  const finalizers = (): string[] =>
    scenario.watched.all.flatMap((it: Raw): string[] =>
      (it.metadata.finalizers ?? []).filter((name: string) => name.startsWith('appstudio.io/')),
    );

  it('takes hosts from builds that run, cleans them, gives none to those that wait, and ends with 0', async () => {
    await stage.playOtherwise({ clean: () => ({ after: 300 }) });
    const lane = await openLane(scenario, { slots: [1, 1] });
    const serving = await scenario.startController({ identity: 'serving' });
    await lane.build('runs');
    await lane.ready('runs');
    await lane.build('comes');
    await lane.assigned('comes');
    await lane.build('waits');
    await lane.waits('waits');
    const { code, log } = await drain(serving);
    expect(code, log).to.equal(0);
    expect(log).to.contain('everything is given back');
    expect(finalizers()).to.deep.equal([]);
    expect(lane.everOurs('clean', 'runs')).to.have.length(1);
    for (const name of ['runs', 'comes', 'waits']) {
      const build = lane.get(name);
      expect(isLive(build), name).to.equal(true);
      expect(factsOf(build)?.claim, name).to.equal(undefined);
      expect([label(build, 'assigned-host'), label(build, 'waiting-for-platform')]).to.deep.equal([
        undefined,
        undefined,
      ]);
      expect(annotation(build, 'queue-position')).to.equal(undefined);
      expect(lane.ours('clean', name), name).to.deep.equal([]);
    }
    for (const name of ['runs', 'comes', 'waits'])
      expect(await scenario.secret(lane.tenant, `multi-platform-ssh-${name}`), name).to.equal(undefined);
  });

  it('says which host could not be cleaned, takes the finalizers off all the same, and ends with 1', async () => {
    await stage.playOtherwise({ clean: () => ({ outcome: 'failed', results: { MESSAGE: 'no route' } }) });
    const lane = await openLane(scenario);
    const serving = await scenario.startController({ identity: 'serving' });
    await lane.build('stuck');
    await lane.ready('stuck');
    const { code, log } = await drain(serving, '--drain-timeout=2s');
    expect(code, log).to.equal(1);
    expect(log).to.contain(`host ${lane.host()} (${lane.address()}) may still have the user of build`);
    expect(finalizers()).to.deep.equal([]);
  });

  it('is taken up again by a controller: nothing is claimed twice, builds that waited go on', async () => {
    const lane = await openLane(scenario);
    const serving = await scenario.startController({ identity: 'serving' });
    await lane.build('first');
    await lane.ready('first');
    await lane.build('second');
    await lane.waits('second');
    expect((await drain(serving)).code).to.equal(0);
    await lane.finish('first');
    await scenario.startController({ identity: 'after-the-drain' });
    expect(label(await lane.ready('second'), 'assigned-host')).to.equal(lane.host());
    await lane.finish('second');
    await lane.expectClean();
  });
});

function versionOf({ metadata }: Raw): number {
  return Number(metadata?.resourceVersion ?? 0);
}
