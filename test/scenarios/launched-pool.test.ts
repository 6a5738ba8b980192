// Hosts that serve several builds: launched, shared, given back. First by the provider that tasks/README.md shows, whose
// scripts really run; then with a controller that is killed again and again.
import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { ExampleProvider, exampleConfig } from '../tasks/example-provider.ts';
import { factsOf, isLive, paramOf } from '../support/observed-task-run.ts';
import { playTekton, type Part, type Tekton } from '../support/play-tekton.ts';
import { launchedConfig, toyTasks } from '../support/provider-builders.ts';
import { Scenario, type Raw } from '../support/scenario.ts';

const platform = 'linux/arm64';
const tenant = 'team-a';

describe('scenario: hosts launched for several builds', function () {
  this.timeout(120_000);
  let scenario: Scenario;
  let tekton: Tekton | undefined;

  beforeEach(async () => {
    scenario = await Scenario.start();
    await scenario.api.createNamespace(tenant);
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') console.error(scenario.explain());
    await tekton?.stop();
    await scenario.stop();
  });

  const all = (): readonly Raw[] => scenario.watched.all;
  const buildAll = async (count: number): Promise<void> => {
    for (let nth = 0; nth < count; nth += 1) await scenario.build(tenant, `b${nth}`, platform);
  };
  const builds = (): Raw[] => all().filter((it) => it.metadata.namespace === tenant);
  const untilAllEnded = async (count: number): Promise<void> => {
    await scenario.watched.until(() => builds().length === count && builds().every((it) => !isLive(it)));
  };
  const untilNothingIsLeft = async (): Promise<void> => {
    const holdsNothing = (it: Raw): boolean => (it.metadata.finalizers ?? []).length === 0;
    await scenario.watched.until(() => all().every(holdsNothing));
    await scenario.expectNothingLeft();
  };

  it('by the provider of tasks/README.md: lent, shared one after the other, given back', async () => {
    const provider = await ExampleProvider.on(scenario.api);
    await provider.lend({ '192.0.2.10': '', '192.0.2.11': '' });
    const config: Record<string, string> = parse(exampleConfig);
    await scenario.sshSecret('my-host-key');
    const used = new Map<string, number>();
    tekton = playTekton(scenario, {
      provider: async (taskRun): Promise<Part> => {
        const { name } = taskRun.spec.taskRef;
        const given: { name: string; value: string }[] = taskRun.spec.params;
        const params = Object.fromEntries(given.map((it) => [it.name, it.value]));
        const { code, results } = await provider.run(name, params);
        return { outcome: code === 0 ? 'succeeded' : 'failed', results };
      },
      provision: (taskRun) => {
        const address = paramOf(taskRun, 'HOST');
        used.set(address, (used.get(address) ?? 0) + 1);
        expect(paramOf(taskRun, 'USER')).to.equal('builder');
        return {};
      },
      build: () => 200,
    });
    await scenario.hostConfig(config);
    await scenario.startController();
    await buildAll(6);
    await untilAllEnded(6);
    expect([...used.keys()].sort()).to.deep.equal(['192.0.2.10', '192.0.2.11']);
    expect([...used.values()].reduce((sum, count) => sum + count, 0)).to.equal(6);
    expect(Object.values(await provider.lent())).to.not.include('');
    await scenario.hostConfig({});
    await untilNothingIsLeft();
    expect(await provider.lent()).to.deep.equal({ '192.0.2.10': '', '192.0.2.11': '' });
  });

  it('9: killed every half a second, the controller loses no host and no build, and launches none too many', async () => {
    await scenario.tasks(toyTasks());
    await scenario.sshSecret('ssh-key');
    let mostOnOne = 0;
    scenario.watched.onChange(() => {
      const hosts = builds().flatMap((it): string[] => (isLive(it) ? (factsOf(it)?.claim?.host ?? []) : []));
      for (const host of hosts) mostOnOne = Math.max(mostOnOne, hosts.filter((it) => it === host).length);
    });
    let launches = 0;
    tekton = playTekton(scenario, {
      launch: () => ((launches += 1), { after: 300, outcome: launches === 1 ? 'failed' : 'succeeded' }),
      provision: () => ({ after: 100 }),
      clean: () => ({ after: 100 }),
      terminate: () => ({ after: 200 }),
      build: () => 150,
    });
    const pool = { concurrency: '2', 'max-instances': '2', 'allocation-timeout': '20' };
    const config = launchedConfig(pool, platform, 'dynamic-pool-platforms');
    await scenario.hostConfig(config);
    await buildAll(8);
    const areOver = (): boolean => builds().every((it) => !isLive(it));
    const over = untilAllEnded(8);
    while (!areOver()) {
      const controller = await scenario.startController();
      await Promise.race([sleep(500 + Math.random() * 500), over]);
      await controller.kill();
    }
    await scenario.startController();
    await scenario.hostConfig({});
    await untilNothingIsLeft();
    expect(mostOnOne, 'builds at once on a host').to.equal(2);
    expect(tekton.hosts.peak('linux-arm64'), 'hosts at once').to.be.at.most(2);
    expect(tekton.hosts.tokens, 'hosts left').to.deep.equal([]);
    expect(builds().map((it) => it.status.conditions[0].status)).to.deep.equal(Array(8).fill('True'));
  });
});
