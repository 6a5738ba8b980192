// The controller's view of the cluster is late, old, cut off or gone; what it does about it must be right all the same.
import { setProxiedStage } from '../support/proxied-stage.ts';
import type { Raw } from '../support/scenario.ts';

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
  const stage = setProxiedStage([4, 4, 4], { build: () => 0 });
  const { scenario } = stage;

  it('1: watches that are 2 s late: a burst of 50 builds never puts more builds on a host than it has slots', async () => {
    stage.proxy.add({ verb: 'watch', mischief: { type: 'lag', ms: 2000 } });
    await stage.startController();
    await stage.finished(await stage.buildAll(50));
  });

  it('9: watches that break again and again: a burst of 20 builds goes through', async () => {
    await stage.startController();
    const names = await stage.buildAll(20);
    const stop = new AbortController();
    const cutting = (async () => {
      while (!stop.signal.aborted) {
        for (const resource of watched) stage.proxy.cut(resource);
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
    })();
    await stage.finished(names);
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
      if (again) stage.proxy.inject('taskruns', line);
    });
    await stage.startController();
    const names = await stage.buildAll(8);
    await stage.claimed(names);
    again = true;
    for (const line of told) stage.proxy.inject('taskruns', line);
    await stage.finished(names);
    for (const line of told) stage.proxy.inject('taskruns', line);
    await stage.finished(await stage.buildAll(8, 'later'));
    leave();
  });

  it('9: what watches and lists ask for is too old: everything is read anew', async () => {
    const answer = { type: 'answer', status: 410, body: JSON.stringify(expired) } as const;
    stage.proxy.add({ verb: 'watch', resource: 'taskruns', times: 2, mischief: answer });
    stage.proxy.add({ verb: 'list', times: 2, mischief: answer });
    await stage.startController();
    const names = await stage.buildAll(4);
    await stage.claimed(names);
    for (const resource of watched) stage.proxy.inject(resource, JSON.stringify({ type: 'ERROR', object: expired }));
    await stage.finished(names);
    await stage.finished(await stage.buildAll(4, 'later'));
  });

  it('9: an API server that was restarted has forgotten its history', async () => {
    await stage.startController();
    const names = await stage.buildAll(8);
    await stage.claimed(names.slice(0, 4));
    await scenario.api.restart();
    await stage.finished(names);
  });
});
