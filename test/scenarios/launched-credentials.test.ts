// A platform whose provider needs credentials: what becomes of builds while their Secret is not there.
import { expect } from 'chai';
import { openLane } from '../support/lane.ts';
import { annotation } from '../support/observed-task-run.ts';
import { aProviderTask } from '../support/provider-builders.ts';
import { setStage } from '../support/stage.ts';

const cloudTasks = [
  aProviderTask('launch-cloud')
    .withParam('LAUNCH_TOKEN')
    .withCredentials('account')
    .withWorkspace('credentials')
    .withDefault('REGION'),
  aProviderTask('terminate-cloud').withParam('LAUNCH_TOKEN').withWorkspace('credentials'),
];

describe('scenario: credentials of a provider', function () {
  this.timeout(120_000);
  const { scenario } = setStage({ prepare: (on) => on.tasks(cloudTasks) });

  for (const list of ['dynamic-platforms', 'dynamic-pool-platforms'] as const)
    it(`${list}: while they are missing builds are told the key and no launch is tried; then they go on`, async () => {
      const account = `account-of-${list}`;
      const pool = list === 'dynamic-platforms' ? {} : { concurrency: '2', 'max-age': '60' };
      const lane = await openLane(scenario, { launched: { type: 'cloud', account, ...pool } });
      if (list === 'dynamic-pool-platforms')
        await lane.configure({ 'dynamic-platforms': null, 'dynamic-pool-platforms': lane.platform });
      await lane.build('b');
      const waiting = await lane.until('b', (build) => annotation(build, 'wait-reason')?.includes(account) === true);
      expect(annotation(waiting, 'wait-reason')).to.equal(
        `Error allocating host: dynamic.${lane.dashed}.account in host-config is ${account}, and the operator namespace has no such ` +
          'Secret: ask an administrator to create it there with the label build.appstudio.redhat.com/multi-platform-secret, or to correct that key',
      );
      expect(launchesOf(lane.dashed)).to.equal(0);
      await scenario.sshSecret(account);
      await lane.ready('b');
      expect(launchesOf(lane.dashed)).to.equal(1);
      await lane.finish('b');
      await lane.configure({ 'dynamic-pool-platforms': null });
      await lane.expectClean();
    });

  it('that never come: the build is refused with that sentence', async () => {
    const lane = await openLane(scenario, { launched: { type: 'cloud', account: 'nobodys-account' } });
    await lane.build('b');
    expect(await lane.error('b')).to.contain(
      `dynamic.${lane.dashed}.account in host-config is nobodys-account, and the operator namespace has no such Secret`,
    );
    expect(launchesOf(lane.dashed)).to.equal(0);
    await lane.finish('b', 'failed');
    await lane.expectClean();
  });

  function launchesOf(platform: string): number {
    const { ever } = scenario.watched;
    const isLaunch = { 'task-type': 'launch', 'target-platform': platform };
    return ever.filter(({ metadata }) =>
      Object.entries(isLaunch).every(
        ([key, value]) => metadata.labels?.[`build.appstudio.redhat.com/${key}`] === value,
      ),
    ).length;
  }
});
