// First come, first served, whatever lags or fails on the way.
import { expect } from 'chai';
import { second } from '../../../controller/model/instant.ts';
import { hostConfigData } from '../../support/host-builders.ts';
import { apiError } from '../../support/memory-cluster.ts';
import { ControllerStand } from './controller-stand.ts';

function started(hosts: Readonly<Record<string, number>>): ControllerStand {
  const stand = new ControllerStand(hostConfigData(hosts, { 'update-interval': 'never' }));
  stand.controller.start();
  return stand;
}

describe('platform lanes: first come, first served', () => {
  it('a build that is told its place while it gets its host is overtaken by nobody', async () => {
    const stand = started({ a: 1, b: 1 });
    stand.create('b1');
    await stand.clock.advance(0);
    stand.watch.lag = 3 * second;
    for (const name of ['b2', 'b3', 'b4', 'b5']) stand.create(name);
    await stand.clock.advance(3 * second + 50);
    stand.end('b1');
    // News come late; what was announced meanwhile is not known yet, and the claim has to be written twice.
    await stand.clock.advance(3 * second + 50);
    expect(Object.keys(stand.placed())).to.include.members(['b2', 'b3']);
    expect(Object.keys(stand.placed())).to.not.include.members(['b4']);
    await stand.stop();
  });

  for (const kind of ['throttled', 'unavailable', 'conflict', 'timeout'] as const) {
    it(`nor is one whose claim is answered '${kind}' once`, async () => {
      const stand = started({ only: 1 });
      let refusals = 0;
      stand.cluster.fault = ({ verb, resource, body }) => {
        const isClaim = verb === 'patch' && resource === 'taskruns' && JSON.stringify(body).includes('"claim');
        if (!isClaim || refusals > 0) return undefined;
        refusals += 1;
        return { before: apiError(kind, 'not now') };
      };
      stand.create('a');
      stand.create('b');
      await stand.clock.advance(second);
      expect([refusals, stand.placed()]).to.deep.equal([1, { a: 'only' }]);
      await stand.stop();
    });
  }
});

describe('platform lanes: builds that are to end', () => {
  it('one that was cancelled gets nothing any more, also before Tekton has noticed', async () => {
    const stand = started({ only: 1 });
    for (const name of ['a', 'b', 'c']) {
      stand.create(name);
      await stand.clock.advance(10);
    }
    stand.cluster.change('taskruns', 'team-a', 'b', (object) => {
      object['spec'] = { ...Object(object['spec']), status: 'TaskRunCancelled' };
    });
    stand.end('a');
    await stand.clock.advance(second);
    expect(stand.build('b').facts).to.equal(undefined);
    expect(stand.build('c').facts?.claim?.host).to.equal('only');
    await stand.stop();
  });

  it('one that was cancelled keeps the slot it has until it has ended', async () => {
    const stand = started({ only: 1 });
    stand.create('a');
    await stand.clock.advance(10);
    stand.create('b');
    stand.cluster.change('taskruns', 'team-a', 'a', (object) => {
      object['spec'] = { ...Object(object['spec']), status: 'TaskRunCancelled' };
    });
    await stand.clock.advance(second);
    expect(Object.keys(stand.placed())).to.deep.equal(['a']);
    await stand.stop();
  });
});

describe('platform lanes: writes', () => {
  it('sixteen claims at once, and none for a build that ended while its own waited', async () => {
    const stand = started({ wide: 50 });
    let underWay = 0;
    let most = 0;
    stand.cluster.fault = ({ verb, resource }) => {
      if (verb !== 'patch' || resource !== 'taskruns') return undefined;
      underWay += 1;
      most = Math.max(most, underWay);
      return { before: stand.clock.sleep(second).then(() => void (underWay -= 1)) };
    };
    for (let nth = 0; nth < 40; nth += 1) stand.create(`b${nth}`);
    await stand.clock.advance(10);
    stand.end('b39');
    await stand.clock.advance(10 * second);
    expect(most).to.equal(16);
    expect(Object.keys(stand.placed())).to.have.length(39);
    expect(stand.build('b39').facts).to.equal(undefined);
    await stand.stop();
  });
});
