// Builds that are refused, and what comes in between: they are told why, once, and nothing of that outlives them.
import { expect } from 'chai';
import { minute, second } from '../../../controller/model/instant.ts';
import { readOwn } from '../../support/builders.ts';
import { apiError, type ClusterRequest } from '../../support/memory-cluster.ts';
import type { ControllerStand } from './controller-stand.ts';
import { endOwn, play, provisionName, standWith } from './played-stand.ts';

describe('controller: refused builds', () => {
  let stand: ControllerStand;
  afterEach(() => stand.stop());

  const startWith = async (...hosts: Parameters<typeof standWith>): Promise<void> => {
    stand = await standWith(...hosts);
  };

  it('a build that was being refused at a crash is refused, and does not take its error Secret for its key', async () => {
    await startWith({ only: 1 }, 'a');
    let dead = false;
    stand.cluster.fault = ({ verb, name, body }) => {
      dead ||= verb === 'patch' && name === 'a' && JSON.stringify(body).includes('rejected');
      return dead ? { before: new Promise(() => undefined) } : undefined;
    };
    endOwn(stand, provisionName(stand), 'succeeded');
    await stand.clock.advance(second);
    expect([dead, stand.errorOf('a')?.includes('failed to create a secret')]).to.deep.equal([true, true]);
    stand.cluster.fault = () => undefined;
    stand.renew();
    stand.controller.start();
    // A Secret of a young build may be that of an older one of its name.
    await play(stand, 20);
    expect(stand.build('a').facts).to.include({ rejected: 'SecretNotCreated' }).and.not.to.have.property('claim');
  });

  const cuts: readonly (readonly [string, (request: ClusterRequest) => boolean])[] = [
    ['the decision is written', ({ verb, body }) => verb === 'patch' && JSON.stringify(body).includes('untold')],
    ['its error Secret is made', ({ verb, resource }) => verb === 'create' && resource === 'secrets'],
    ['that is noted', ({ verb, body }) => verb === 'patch' && /rejected(?!.*untold)/.test(JSON.stringify(body))],
  ];
  for (const [what, isCut] of cuts) {
    const refuseAndCrash = async (): Promise<void> => {
      await startWith({ only: 1 });
      let dead = false;
      stand.cluster.fault = (request) => {
        dead ||= isCut(request);
        return dead ? { before: new Promise(() => undefined) } : undefined;
      };
      stand.create('a', 'linux/nobody-has-it');
      await stand.clock.advance(5 * second);
      expect(dead).to.equal(true);
      stand.cluster.fault = () => undefined;
      stand.renew();
    };

    it(`a build refused while it waits, and a crash before ${what}: it is told why`, async () => {
      await refuseAndCrash();
      stand.controller.start();
      // A Secret of a young build may be that of an older one of its name.
      await play(stand, 20);
      const platform = 'linux/nobody-has-it';
      expect(stand.build('a').facts).to.deep.equal({ attempt: 0, platform, rejected: 'PlatformUnknown' });
      expect(stand.errorOf('a')).to.contain(platform);
    });

    it(`a build refused while it waits, a crash before ${what}, and its end meanwhile: nothing is left`, async () => {
      await refuseAndCrash();
      stand.end('a');
      stand.controller.start();
      await play(stand, 20);
      expect(stand.cluster.find('secrets', 'team-a', 'multi-platform-ssh-a')).to.equal(undefined);
      expect(stand.build('a').finalizers).to.deep.equal([]);
    });
  }

  it('a refusal whose answer is lost is counted, and once', async () => {
    await startWith({ only: 1 });
    let lost = 0;
    stand.cluster.fault = ({ verb, body }) => {
      if (lost > 0 || verb !== 'patch' || !JSON.stringify(body).includes('untold')) return undefined;
      lost += 1;
      return { after: apiError('timeout', 'no answer', true) };
    };
    stand.create('a', 'linux/nobody-has-it');
    await play(stand, 20);
    expect([lost, stand.errorOf('a')?.includes('linux/nobody-has-it')]).to.deep.equal([1, true]);
    expect(await stand.metrics.render()).to.match(/host_allocation_failures\{platform="unknown"\} 1\n/);
  });

  it('a refusal that somebody takes off is written again, and not counted again', async () => {
    await startWith({ only: 1 });
    stand.create('a', 'linux/nobody-has-it');
    await play(stand, 20);
    stand.cluster.change('taskruns', 'team-a', 'a', ({ metadata }) => Object.assign(metadata, { annotations: {} }));
    await play(stand, 20);
    expect(stand.build('a').facts).to.include({ rejected: 'PlatformUnknown' });
    expect(await stand.metrics.render()).to.match(/host_allocation_failures\{platform="unknown"\} 1\n/);
  });

  it('a build that ends in the moment in which it is refused: its error Secret goes', async () => {
    await startWith({ only: 1 });
    stand.cluster.fault = ({ verb, resource }) => {
      if (verb === 'create' && resource === 'secrets') stand.end('a');
      return undefined;
    };
    stand.create('a', 'linux/nobody-has-it');
    await play(stand, 20);
    expect([stand.build('a').facts?.rejected, stand.build('a').finalizers]).to.deep.equal(['PlatformUnknown', []]);
    expect(stand.cluster.find('secrets', 'team-a', 'multi-platform-ssh-a')).to.equal(undefined);
  });

  it('a build that was told why, and whose facts Tekton sets back in that moment: it stays refused, and nothing is left', async () => {
    await startWith({ only: 1 });
    stand.create('a', 'linux/nobody-has-it');
    stand.cluster.change('taskruns', 'team-a', 'a', (raw) => {
      raw['status'] = { ...Object(raw['status']), podName: 'a-pod' };
    });
    let before: unknown;
    stand.cluster.fault = ({ verb, resource }) => {
      const { metadata } = stand.cluster.find('taskruns', 'team-a', 'a') ?? {};
      if (verb === 'create' && resource === 'secrets') before = structuredClone(metadata?.annotations);
      const setBack = (): void =>
        stand.cluster.change('taskruns', 'team-a', 'a', (raw) => Object.assign(raw.metadata, { annotations: before }));
      if (resource === 'pods' && before !== undefined) setBack();
      return undefined;
    };
    await play(stand, 20);
    expect(stand.build('a').facts).to.include({ rejected: 'PlatformUnknown' }).and.not.to.have.property('untold');
    const asked = stand.cluster.requests.filter(({ verb, resource }) => verb === 'create' && resource === 'secrets');
    expect(asked).to.have.length(1);
    stand.end('a');
    await play(stand, 5);
    expect(stand.cluster.find('secrets', 'team-a', 'multi-platform-ssh-a')).to.equal(undefined);
  });

  it('a refused build whose error Secret cannot be made, for now: its host is cleaned all the same', async () => {
    await startWith({ only: 1 }, 'a');
    stand.cluster.fault = ({ verb, resource }) =>
      verb === 'create' && resource === 'secrets' ? { before: apiError('invalid', 'a webhook says no') } : undefined;
    endOwn(stand, provisionName(stand), 'failed');
    await stand.clock.advance(second);
    const cleanups = () =>
      stand.cluster
        .all('taskruns')
        .flatMap((it) => readOwn(it) ?? [])
        .filter((it) => it.type === 'clean');
    for (const { name } of cleanups()) endOwn(stand, name, 'failed');
    await stand.clock.advance(minute);
    expect(stand.build('a').facts).to.include({ rejected: 'AllHostsFailed' }).and.to.have.property('untold');
    expect(cleanups().map(({ cleanupTry }) => cleanupTry)).to.include(2);
    stand.cluster.fault = () => undefined;
    await play(stand, 20);
    expect(stand.errorOf('a')).to.contain('have failed');
    expect(stand.build('a').facts).not.to.have.property('untold');
  });

  it('a refused build that loses our finalizer gets it back: its error Secret goes with its end', async () => {
    await startWith({ only: 1 });
    stand.create('a', 'linux/nobody-has-it');
    await play(stand, 20);
    stand.cluster.change('taskruns', 'team-a', 'a', ({ metadata }) => {
      delete metadata.finalizers;
    });
    await play(stand, 2);
    expect(stand.build('a').hasFinalizer).to.equal(true);
    stand.end('a');
    await play(stand, 2);
    expect(stand.cluster.find('secrets', 'team-a', 'multi-platform-ssh-a')).to.equal(undefined);
  });
});
