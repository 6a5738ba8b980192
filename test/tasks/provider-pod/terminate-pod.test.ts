// terminate-pod and list-pod: what a launch left, by its token alone.
import { expect } from 'chai';
import { hostsNamespace, type Launch, pathOf, PodStand } from './pod-stand.ts';

const resources = ['networkpolicies', 'secrets', 'services', 'pods'];

describe('terminate-pod', function () {
  this.timeout(120_000);
  let stand: PodStand;
  before(async () => {
    stand = await PodStand.start();
  });
  after(() => stand?.stop());

  async function left(launch: Launch): Promise<string[]> {
    const found = await Promise.all(resources.map(async (it) => ((await stand.object(it, launch)) ? [it] : [])));
    return found.flat();
  }

  async function launched(): Promise<Launch> {
    const launch = stand.aLaunch();
    const [{ code, log }] = await Promise.all([stand.launch(launch), stand.runPod(launch)]);
    expect(code, log).to.equal(0);
    stand.endPod(launch);
    return launch;
  }

  it('P1: removes all of a host, and again without complaint', async () => {
    const launch = await launched();
    expect(await left(launch)).to.deep.equal(resources);
    for (let time = 1; time <= 2; time += 1) {
      const { code, results, log } = await stand.terminate(launch);
      expect(code, log).to.equal(0);
      expect(results).to.deep.equal({});
      expect(await left(launch)).to.deep.equal([]);
    }
  });

  it('P1: knows a host by its INSTANCE_ID as well', async () => {
    const launch = stand.aLaunch({ ALLOCATION_TIMEOUT: '1' });
    await stand.launch(launch);
    const { code } = await stand.run('terminate-pod', { INSTANCE_ID: launch.token });
    expect(code).to.equal(0);
    expect(await left(launch)).to.deep.equal([]);
  });

  it('P1: removes what a launch that was cut off had made', async () => {
    const launch = stand.aLaunch({ MIN_DISK: '4Gi', EPHEMERAL_STORAGE: '2Gi' });
    expect((await stand.launch(launch)).results['REASON']).to.equal('LaunchRefused');
    expect(await left(launch)).to.deep.equal(['networkpolicies', 'secrets', 'services']);
    expect((await stand.terminate(launch)).code).to.equal(0);
    expect(await left(launch)).to.deep.equal([]);
  });

  it('P1: touches no other host, and nothing for what is no token', async () => {
    const other = stand.aLaunch({ ALLOCATION_TIMEOUT: '1' });
    await stand.launch(other);
    expect((await stand.terminate(stand.aLaunch())).code).to.equal(0);
    for (const token of ['', '../secrets', 'mp-', 'kube-root-ca.crt']) {
      const { code, results } = await stand.run('terminate-pod', { LAUNCH_TOKEN: token });
      expect([code, results['REASON']], token).to.deep.equal([1, 'InvalidParameter']);
    }
    expect(await left(other)).to.deep.equal(resources);
    await stand.terminate(other);
  });

  it('P1: waits for the pod to be gone, and removes the object of one whose node is', async () => {
    const launch = stand.aLaunch({ ALLOCATION_TIMEOUT: '1' });
    await stand.launch(launch);
    await stand.bind(launch);
    const { code, log } = await stand.terminate(launch, { env: { TERMINATE_PATIENCE: '1' } });
    expect(code, log).to.equal(0);
    expect(log).to.contain('is still there after');
    expect(await left(launch)).to.deep.equal([]);
  });

  const losses: readonly (readonly [string, object | 'deleted', string])[] = [
    [
      'was killed for its memory',
      {
        phase: 'Failed',
        containerStatuses: [
          {
            name: 'host',
            ready: false,
            restartCount: 0,
            image: '',
            imageID: '',
            state: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
          },
        ],
      },
      'OOMKilled: exit code 137',
    ],
    [
      'was evicted',
      { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' },
      'Evicted: The node was low on resource: memory.',
    ],
    ['was deleted', 'deleted', 'it was deleted'],
  ];
  for (const [title, state, said] of losses) {
    it(`P10: says in LOST that the pod of a build ${title}`, async () => {
      const launch = await launched();
      if (state === 'deleted') await stand.server.ask('DELETE', pathOf('pods', hostsNamespace, launch.token));
      else await stand.setStatus(launch, state);
      const { code, results, log } = await stand.terminate(launch);
      expect(code, log).to.equal(0);
      expect(results).to.deep.equal({ LOST: `pod ${launch.token}: ${said}` });
      const again = await stand.terminate(launch);
      expect(again.results).to.deep.equal({});
    });
  }

  it('P1: list-pod lists what terminate-pod has not removed, oldest first', async () => {
    const launches = [stand.aLaunch({ ALLOCATION_TIMEOUT: '1' }), stand.aLaunch({ ALLOCATION_TIMEOUT: '1' })];
    for (const launch of launches) await stand.launch(launch);
    const { code, results, log } = await stand.run('list-pod', {});
    expect(code, log).to.equal(0);
    expect(JSON.parse(results['INSTANCES'] ?? '')).to.deep.equal(
      launches.map(({ token, name }) => ({ id: token, token, taskRun: `team-a/${name}` })),
    );
    for (const launch of launches) await stand.terminate(launch);
    expect((await stand.run('list-pod', {})).results['INSTANCES']).to.equal('[]');
  });
});
