// The controller as deploy/ installs it: with the rights of its own ServiceAccount, under the shipped admission policy.
// Line 20 of what builds are promised: what it may do is enough for everything it does.
import { expect } from 'chai';
import { serviceAccounts } from '../deploy/manifests.ts';
import { kubeconfigOf } from '../support/account-kubeconfig.ts';
import { installed } from '../support/installed.ts';
import { openLane, type Lane } from '../support/lane.ts';
import { label } from '../support/observed-task-run.ts';
import { setStage } from '../support/stage.ts';

describe('scenario: the rights of an installation', function () {
  this.timeout(120_000);
  const stage = setStage({
    prepare: installed,
    controller: async (on) => ({ kubeconfig: await kubeconfigOf(on, serviceAccounts.controller) }),
    tekton: {
      provision: (taskRun) => {
        const name = label(taskRun, 'user-task-name');
        if (name === 'slow') return { outcome: 'hangs' };
        return name === 'unlucky' ? { outcome: 'failed', results: { REASON: 'NoSpace' } } : {};
      },
    },
  });
  const { scenario } = stage;

  /** One that succeeds and one that waits for it, one deleted early, one whose hosts fail, one local, one refused. */
  const liveThroughAll = async (lane: Lane): Promise<void> => {
    await lane.build('holder', { pod: true });
    await lane.ready('holder');
    await lane.build('waits', { pod: true });
    await lane.waits('waits');
    await lane.finish('holder');
    await lane.ready('waits');
    await lane.finish('waits');
    await lane.released('waits');
    await lane.build('slow');
    await lane.running('provision', 'slow');
    await scenario.remove(lane.tenant, 'slow');
    await lane.released('slow');
    await lane.build('unlucky', { pod: true });
    await lane.error('unlucky');
    await scenario.build(lane.tenant, 'here', 'linux/amd64', { pod: true });
    await lane.ready('here');
    await scenario.build(lane.tenant, 'refused', 'linux/none', { pod: true });
    await lane.error('refused');
    for (const name of ['unlucky', 'here', 'refused']) await lane.finish(name, 'failed');
    await lane.expectClean();
  };

  it('20: builds of every kind get all they are promised, and nothing is forbidden on the way', async () => {
    const lane = await openLane(scenario, { config: { 'local-platforms': 'linux/amd64' } });
    await liveThroughAll(lane);
    await lane.eventsUntil('Released', 'waits');
    // An Event on host-config, too.
    await lane.configure({ 'max-wait': 'soon' });
    await lane.build('last');
    await lane.ready('last');
    await lane.finish('last');
    await lane.expectClean();
    // Without the time, in which any number may stand.
    const said = stage.controller.log().map((line) => JSON.stringify({ ...line, timestamp: '' }));
    const troubles = said.filter((line) => /forbidden|denied|\b403\b/i.test(line));
    expect(troubles).to.deep.equal([]);
  });
});
