// Tasks of providers beside the controller: they come and go while it runs, and it may have no right to see them, as after an
// upgrade that left its older RBAC in place.
import { expect } from 'chai';
import { serviceAccounts } from '../deploy/manifests.ts';
import { kubeconfigOf } from '../support/account-kubeconfig.ts';
import { installed } from '../support/installed.ts';
import { openLane } from '../support/lane.ts';
import { launchedConfig, toyTasks } from '../support/provider-builders.ts';
import { eventually, operatorNamespace } from '../support/scenario.ts';
import { setStage } from '../support/stage.ts';

const role = `/apis/rbac.authorization.k8s.io/v1/namespaces/${operatorNamespace}/roles/multi-platform-controller-manager-role`;
const tasks = `/apis/tekton.dev/v1/namespaces/${operatorNamespace}/tasks`;

describe('scenario: Tasks of providers', function () {
  this.timeout(120_000);
  const { scenario } = setStage({ prepare: installed, controller: 'each test' });

  const startController = async (): Promise<void> => {
    await scenario.startController({ kubeconfig: await kubeconfigOf(scenario, serviceAccounts.controller) });
  };

  /** Waits for the sentence as the newest Event about host-config. */
  const toldOfConfig = (sentence: string): Promise<string> =>
    eventually(async () => {
      const events = (await scenario.events(operatorNamespace)).filter(
        (it) => it.involvedObject.name === 'host-config',
      );
      return events.map(({ message }): string => message).find((message) => message.includes(sentence));
    });

  it('a controller that may not see them goes on with static hosts, and tells what is missing', async () => {
    const { metadata, rules } = await scenario.api.ask('GET', role);
    const { name, namespace } = metadata;
    const write = (now: unknown): Promise<unknown> =>
      scenario.api.ask('PUT', role, { metadata: { name, namespace }, rules: now });
    await write(rules.filter(({ resources }: { resources: string[] }) => !resources.includes('tasks')));
    try {
      await startController();
      const lane = await openLane(scenario, { config: launchedConfig({}, 'linux/s390x') });
      await lane.passes();
      await toldOfConfig("'toy': the Tasks beside the controller are not read yet: if this stays, apply its RBAC");
      await scenario.build(lane.tenant, 'launched', 'linux/s390x');
      expect(await lane.error('launched')).to.contain('apply its RBAC');
      await write(rules);
      await toldOfConfig("'toy': there is no Task launch-toy");
      await lane.passes();
      await lane.finish('launched', 'failed');
      await lane.expectClean();
    } finally {
      await write(rules);
    }
  });

  it('a type is known as soon as its Tasks are there, and no longer than that', async () => {
    await startController();
    const lane = await openLane(scenario, { config: launchedConfig({ colour: 'red' }, 'linux/ppc64le') });
    await toldOfConfig('dynamic.linux-ppc64le.type');
    for (const task of toyTasks()) await scenario.api.ask('POST', tasks, task.manifest());
    await toldOfConfig('nothing is wrong any more');
    const [launch] = toyTasks();
    await scenario.api.ask('DELETE', `${tasks}/launch-toy`);
    await scenario.api.ask('POST', tasks, launch?.withParam('SIZE').manifest());
    await toldOfConfig('dynamic.linux-ppc64le.size is missing: param SIZE of Task launch-toy has no default');
    await lane.passes();
    await lane.expectClean();
  });
});
