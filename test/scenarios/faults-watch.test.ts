// The controller's view of the cluster is late, old, cut off or gone; what it does about it must be right all the same.
import { expect } from 'chai';
import { startChaosProxy, type ChaosProxy } from '../support/chaos-proxy.ts';
import type { ControllerProcess } from '../support/controller-process.ts';
import { openLane, type Lane } from '../support/lane.ts';
import { playTekton, type Tekton } from '../support/play-tekton.ts';
import { eventually, Scenario, type Raw } from '../support/scenario.ts';

const watched = ['taskruns', 'configmaps', 'secrets', 'events'] as const;
const expired = {
  kind: 'Status',
  status: 'Failure',
  reason: 'Expired',
  code: 410,
  message: 'too old resource version',
};

describe('scenario: watches in trouble', function () {
  this.timeout(120_000);
  let scenario: Scenario;
  let proxy: ChaosProxy;
  let controller: ControllerProcess;
  let lane: Lane;
  let tekton: Tekton;

  before(async () => {
    scenario = await Scenario.start();
  });
  after(() => scenario.stop());

  beforeEach(async () => {
    proxy = await startChaosProxy(scenario.api);
    lane = await openLane(scenario, { slots: [4, 4, 4] });
    tekton = playTekton(scenario, { build: () => 0 });
  });
  afterEach(async () => {
    await tekton.stop();
    await controller.stop();
    await proxy.stop();
  });

  const start = async (): Promise<void> => {
    const kubeconfig = await scenario.api.writeKubeconfig({ url: proxy.url });
    controller = await scenario.startController({ kubeconfig });
  };
  const buildAll = async (count: number, prefix = 'b'): Promise<string[]> => {
    const names = Array.from({ length: count }, (_, index) => `${prefix}${index}`);
    await Promise.all(names.map((name) => lane.build(name)));
    return names;
  };
  const finished = async (names: readonly string[]): Promise<void> => {
    await Promise.all(names.map((name) => lane.released(name)));
    await eventually(async () => (await scenario.invariants.leftovers(scenario.api)).length === 0);
    expect(scenario.invariants.violations).to.deep.equal([]);
  };

  it('1: watches that are 2 s late: a burst of 50 builds never puts more builds on a host than it has slots', async () => {
    proxy.add({ verb: 'watch', mischief: { type: 'lag', ms: 2000 } });
    await start();
    await finished(await buildAll(50));
  });

  it('9: watches that break again and again: a burst of 20 builds goes through', async () => {
    await start();
    const names = await buildAll(20);
    const stop = new AbortController();
    const cutting = (async () => {
      while (!stop.signal.aborted) {
        for (const resource of watched) proxy.cut(resource);
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
    })();
    await finished(names);
    stop.abort();
    await cutting;
  });

  it('9: every event is told once more from the beginning, and each new one twice: nothing is done twice', async () => {
    const told: string[] = [];
    let again = false;
    const leave = scenario.watched.onChange((before, after) => {
      const object: Raw = after ?? before;
      const type = after === undefined ? 'DELETED' : before === undefined ? 'ADDED' : 'MODIFIED';
      const line = JSON.stringify({ type, object });
      told.push(line);
      // What is told again has to lead up to the present.
      if (again) proxy.inject('taskruns', line);
    });
    await start();
    const names = await buildAll(8);
    await Promise.all(names.map((name) => lane.assigned(name)));
    again = true;
    for (const line of told) proxy.inject('taskruns', line);
    await finished(names);
    for (const line of told) proxy.inject('taskruns', line);
    await finished(await buildAll(8, 'later'));
    leave();
  });

  it('9: what watches and lists ask for is too old: everything is read anew', async () => {
    const answer = { type: 'answer', status: 410, body: JSON.stringify(expired) } as const;
    proxy.add({ verb: 'watch', resource: 'taskruns', times: 2, mischief: answer });
    proxy.add({ verb: 'list', times: 2, mischief: answer });
    await start();
    const names = await buildAll(4);
    await Promise.all(names.map((name) => lane.assigned(name)));
    for (const resource of watched) proxy.inject(resource, JSON.stringify({ type: 'ERROR', object: expired }));
    await finished(names);
    await finished(await buildAll(4, 'later'));
  });

  it('9: an API server that was restarted has forgotten its history', async () => {
    await start();
    const names = await buildAll(8);
    await Promise.all(names.slice(0, 4).map((name) => lane.assigned(name)));
    await scenario.api.restart();
    await finished(names);
  });
});
