// Platform lanes as the controller runs them: no slot is given away twice, none is lost, whatever happens to the writes.
import { expect } from 'chai';
import { ApiError } from '../../../controller/kubernetes/api-errors.ts';
import { second } from '../../../controller/model/instant.ts';
import { hostConfigData } from '../../support/host-builders.ts';
import { apiError, type ClusterRequest } from '../../support/memory-cluster.ts';
import { ControllerStand } from './controller-stand.ts';

const hosts = (count: number, slots: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`host-${index}`, slots]));

function isClaim({ verb, resource, body }: ClusterRequest): boolean {
  return verb === 'patch' && resource === 'taskruns' && JSON.stringify(body).includes('"claim');
}

describe('platform lanes: many at once', () => {
  for (const lag of [0, 5 * second]) {
    it(`200 builds at one instant onto 4-slot hosts, with a watch that lags ${lag / second} s`, async () => {
      const stand = new ControllerStand(hostConfigData(hosts(25, 4)));
      stand.watch.lag = lag;
      stand.controller.start();
      for (let nth = 0; nth < 200; nth += 1) stand.create(`build-${String(nth).padStart(3, '0')}`);
      await stand.clock.advance(lag + second);
      expect(Object.keys(stand.placed())).to.have.length(100);
      expect(stand.provisions()).to.have.length(100);
      expect(new Set(stand.worst.values())).to.deep.equal(new Set([4]));
      for (let nth = 0; nth < 100; nth += 1) stand.end(`build-${String(nth).padStart(3, '0')}`);
      await stand.clock.advance(2 * lag + second);
      const served = Object.keys(stand.placed()).filter((name) => name >= 'build-100');
      expect(served).to.have.length(100);
      expect(new Set(stand.worst.values())).to.deep.equal(new Set([4]));
      expect(await stand.stop()).to.equal(0);
    }).timeout(60_000);
  }

  it('first come, first served', async () => {
    const stand = new ControllerStand(hostConfigData({ only: 1 }));
    stand.controller.start();
    for (const name of ['c', 'a', 'b']) {
      stand.create(name);
      await stand.clock.advance(second);
    }
    const order = [];
    for (let nth = 0; nth < 3; nth += 1) {
      const [name = ''] = Object.keys(stand.placed()).filter((it) => stand.build(it).outcome === 'running');
      order.push(name);
      stand.end(name);
      await stand.clock.advance(40 * second);
    }
    expect(order).to.deep.equal(['c', 'a', 'b']);
    await stand.stop();
  });

  it('an ended waiter is passed over', async () => {
    const stand = new ControllerStand(hostConfigData({ only: 1 }));
    stand.controller.start();
    for (const name of ['first', 'second', 'third']) {
      stand.create(name);
      await stand.clock.advance(second);
    }
    stand.end('second');
    stand.end('first');
    await stand.clock.advance(40 * second);
    expect(stand.build('third').facts?.claim?.host).to.equal('only');
    await stand.stop();
  });
});

describe('platform lanes: writes that go wrong', () => {
  const kinds = ['throttled', 'unavailable', 'refused', 'conflict'] as const;
  for (const kind of kinds) {
    it(`a claim that is answered '${kind}' holds no slot, and comes again`, async () => {
      const stand = new ControllerStand(hostConfigData({ only: 1 }));
      let refusals = 0;
      stand.cluster.fault = (request) => {
        if (!isClaim(request) || refusals >= 2) return undefined;
        refusals += 1;
        return { before: apiError(kind, 'not now') };
      };
      stand.controller.start();
      stand.create('a');
      await stand.clock.advance(5 * second);
      expect(refusals).to.equal(2);
      expect(stand.placed()).to.deep.equal({ a: 'only' });
      expect(await stand.stop()).to.equal(0);
    });
  }

  for (const [what, effect] of [
    ['took effect', true],
    ['did not', false],
  ] as const) {
    it(`a claim without an answer that ${what} is looked up, and no slot is given twice or lost`, async () => {
      const stand = new ControllerStand(hostConfigData({ only: 1 }, { 'update-interval': 'never' }));
      stand.watch.lag = 30 * second;
      let lost = 0;
      stand.cluster.fault = (request) => {
        if (!isClaim(request) || request.name !== 'a' || lost > 0) return undefined;
        lost += 1;
        const error = apiError('timeout', 'no answer', true);
        return effect ? { after: error } : { before: error };
      };
      stand.controller.start();
      stand.create('a');
      stand.create('b');
      await stand.clock.advance(35 * second);
      expect(lost).to.equal(1);
      await stand.clock.advance(5 * second);
      expect(stand.placed()).to.deep.equal({ a: 'only' });
      stand.end('a');
      await stand.clock.advance(90 * second);
      expect(stand.build('b').facts?.claim?.host).to.equal('only');
      expect(stand.worst.get('only')).to.equal(1);
      expect(await stand.stop()).to.equal(0);
    });
  }

  it('the look-up is repeated until the API server answers; the slot counts as taken until then', async () => {
    const stand = new ControllerStand(hostConfigData({ only: 1 }));
    let away = true;
    stand.cluster.fault = (request) => {
      if (!away) return undefined;
      if (isClaim(request) && request.name === 'a') return { after: apiError('timeout', 'no answer', true) };
      return request.verb === 'read' ? { before: apiError('unavailable', 'away') } : undefined;
    };
    stand.watch.lag = 200 * second;
    stand.controller.start();
    stand.create('a');
    stand.watch.catchUp();
    await stand.clock.advance(second);
    stand.create('b');
    await stand.clock.advance(100 * second);
    expect(stand.placed()).to.deep.equal({ a: 'only' });
    away = false;
    await stand.clock.advance(30 * second);
    expect(stand.placed()).to.deep.equal({ a: 'only' });
    expect(stand.provisions()).to.deep.equal(['a']);
    await stand.stop();
  });

  it('a build that is gone when it is to get a host leaves the slot to the next', async () => {
    const stand = new ControllerStand(hostConfigData({ only: 1 }));
    stand.cluster.fault = (request) =>
      isClaim(request) && request.name === 'a'
        ? { before: new ApiError({ kind: 'gone', message: 'gone' }) }
        : undefined;
    stand.controller.start();
    stand.create('a');
    await stand.clock.advance(10);
    stand.cluster.remove('taskruns', 'team-a', 'a');
    stand.create('b');
    await stand.clock.advance(second);
    expect(stand.placed()).to.deep.equal({ b: 'only' });
    await stand.stop();
  });
});

describe('platform lanes: what is told', () => {
  it('malformed PLATFORM: at once, with the value and an example', async () => {
    const stand = new ControllerStand(hostConfigData({ only: 1 }));
    stand.controller.start();
    stand.create('a', 'linux/AMD64');
    await stand.clock.advance(second);
    expect(stand.errorOf('a')).to.equal(
      "platform must be in format 'label/label' where each label follows Kubernetes RFC 1035 label name format: PLATFORM " +
        "is 'linux/AMD64', give for example linux/arm64\n\nContext info:\n  Platform: [UNKNOWN]\n\n",
    );
    expect(stand.build('a').facts).to.deep.equal({
      attempt: 0,
      platform: 'linux/AMD64',
      rejected: 'PlatformMalformed',
    });
    expect(stand.build('a').hasFinalizer).to.equal(true);
    await stand.stop();
  });

  it('unknown platform: after 2 s, and not when the host-config from before the build comes by then', async () => {
    const stand = new ControllerStand(undefined);
    stand.configure(hostConfigData({ only: 1 }));
    stand.controller.start();
    stand.create('a', 'linux/s390x');
    stand.create('early', 'linux/ppc64le');
    await stand.clock.advance(1.5 * second);
    expect(stand.errorOf('a')).to.equal(undefined);
    stand.configure({ ...hostConfigData({ only: 1 }), 'local-platforms': 'linux/ppc64le' });
    await stand.clock.advance(second);
    expect(stand.placed()).to.deep.equal({ early: 'localhost' });
    expect(stand.errorOf('a')).to.match(/^Error allocating host: no hosts configured for platform linux\/s390x: /);
    await stand.stop();
  });

  it('no host-config: after 15 s, and not when it comes in time', async () => {
    const late = new ControllerStand(undefined);
    late.controller.start();
    late.create('a');
    await late.clock.advance(14 * second);
    expect(late.errorOf('a')).to.equal(undefined);
    late.configure(hostConfigData({ only: 1 }));
    await late.clock.advance(second);
    expect(late.placed()).to.deep.equal({ a: 'only' });
    await late.stop();

    const never = new ControllerStand(undefined);
    never.controller.start();
    never.create('a');
    await never.clock.advance(16 * second);
    expect(never.errorOf('a')).to.match(/^failed to read host config: ConfigMap host-config not found in namespace/);
    await never.stop();
  });

  it('a broken host: its builds are rejected after 15 s with the key; mended in time, they run', async () => {
    const data = hostConfigData({ only: 1 });
    const stand = new ControllerStand({ ...data, 'host.only.concurrency': 'many' });
    stand.controller.start();
    stand.create('a');
    await stand.clock.advance(10 * second);
    stand.create('b');
    await stand.clock.advance(10 * second);
    expect(stand.errorOf('a')).to.include(
      "host.only.concurrency 'many' is not valid: give a number of builds, 1 or more",
    );
    expect(stand.errorOf('b')).to.equal(undefined);
    stand.configure(data);
    await stand.clock.advance(second);
    expect(stand.placed()).to.deep.equal({ b: 'only' });
    await stand.stop();
  });
});
