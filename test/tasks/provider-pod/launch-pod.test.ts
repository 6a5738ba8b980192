// launch-pod against a real API server and, where a pod runs, a real sshd started by the pod's own script.
import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import { labels } from '../../../controller/model/labels.ts';
import { keepQuotaBusy } from '../../support/busy-quota.ts';
import { hostsNamespace, launchTokenLabel, pathOf, PodStand, tenant, unschedulable } from './pod-stand.ts';

const resources = ['networkpolicies', 'secrets', 'services', 'pods'];
const sentence = unschedulable.message;

describe('launch-pod', function () {
  this.timeout(120_000);
  let stand: PodStand;
  before(async () => {
    stand = await PodStand.start();
  });
  after(() => stand?.stop());

  describe('P1: a host', () => {
    it('P1, P2: is made of four objects, and its build gets the Secret it mounts', async () => {
      const launch = stand.aLaunch();
      const { code, results, log } = await stand.launchAndRun(launch);
      expect(code, log).to.equal(0);
      expect(results).to.include({ INSTANCE_ID: launch.token, ADDRESS: '127.0.0.1', USER: 'build' });
      for (const resource of resources) {
        const { metadata } = await stand.object(resource, launch);
        expect(metadata.labels, resource).to.include({ [launchTokenLabel]: launch.token });
      }
      const secret = await stand.read(pathOf('secrets', tenant, launch.secret));
      expect(secret.type).to.equal('Opaque');
      expect(secret.metadata.labels).to.deep.equal({ [labels.multiPlatformSecret]: 'true' });
      expect(secret.metadata.ownerReferences).to.deep.equal([
        { apiVersion: 'tekton.dev/v1', kind: 'TaskRun', name: launch.name, uid: launch.params['TASKRUN_UID'] },
      ]);
      const values = (await stand.buildSecret(launch))!;
      expect(values).to.have.all.keys('host', 'user-dir', 'id_rsa', 'known_hosts', 'port');
      expect(values).to.include({ host: 'build@127.0.0.1\n', 'user-dir': '/home/build\n' });
      const hostKeys = await stand.object('secrets', launch);
      expect(Object.values(hostKeys.data)).not.to.include(Buffer.from(values['id_rsa']!).toString('base64'));
      stand.endPod(launch);
    });

    it('P1: is told to the controller before the launch pod ends', async () => {
      const path = `/api/v1/namespaces/multi-platform-controller/events?fieldSelector=reason%3DSecretCreated`;
      const { items } = await stand.read(path);
      expect(items).to.have.length.greaterThan(0);
    });
  });

  it("P2: somebody's Secret of that name is never overwritten", async () => {
    const launch = stand.aLaunch();
    await stand.server.ask('POST', pathOf('secrets', tenant), {
      metadata: { name: launch.secret },
      stringData: { a: 'b' },
    });
    const { code, results } = await stand.launchAndRun(launch);
    expect([code, results['REASON']]).to.deep.equal([1, 'SecretExists']);
    expect(await stand.buildSecret(launch)).to.deep.equal({ a: 'b' });
    stand.endPod(launch);
  });

  it('P2: a host with another key is not given to a build', async () => {
    const launch = stand.aLaunch();
    const exchange = `ssh-keygen -q -t ed25519 -N '' -f /tmp/other-key; cp /tmp/other-key /pods/${launch.token}/ssh_host_ed25519_key`;
    const { results, log } = await stand.launchAndRun(launch, exchange);
    expect(results['REASON'], log).to.equal('HostKeyChanged');
    expect(await stand.buildSecret(launch)).to.equal(undefined);
    stand.endPod(launch);
  });

  describe('P4: without a node', () => {
    it("P4: waits, tells the scheduler's sentence, and goes on when there is one", async () => {
      const launch = stand.aLaunch();
      const playing = (async () => {
        await stand.setStatus(launch, { conditions: [unschedulable] });
        await sleep(3000);
        await stand.setStatus(launch, { conditions: [{ type: 'PodScheduled', status: 'True' }] });
        await stand.runPod(launch);
      })();
      const [{ code, log }] = await Promise.all([
        stand.launch(launch, { env: { OWN_NAME: 'launch', OWN_UID: 'launch-uid' } }),
        playing,
      ]);
      expect(code, log).to.equal(0);
      expect(log).to.contain(`no node yet: ${sentence}`);
      const told = await stand.toldUnschedulable('launch-uid');
      expect(told).to.include({ message: sentence });
      expect(told.involvedObject).to.include({ kind: 'TaskRun', name: 'launch' });
      stand.endPod(launch);
    });

    it('P4: gives up at the allocation time-out, for lack of capacity', async () => {
      const launch = stand.aLaunch({ ALLOCATION_TIMEOUT: '2' });
      const [{ results }] = await Promise.all([
        stand.launch(launch),
        stand.setStatus(launch, { conditions: [unschedulable] }),
      ]);
      expect(results['REASON']).to.equal('InsufficientCapacity');
      expect(results['MESSAGE']).to.contain(sentence);
    });

    it('P4: a quota that is used up is a lack of capacity, too', async () => {
      const quota = { metadata: { name: 'none' }, spec: { hard: { pods: '0' } }, status: { hard: { pods: '0' } } };
      await stand.server.ask('POST', pathOf('resourcequotas', hostsNamespace), quota);
      const path = `${pathOf('resourcequotas', hostsNamespace, 'none')}/status`;
      await stand.server.ask('PATCH', path, { status: { hard: { pods: '0' }, used: { pods: '0' } } });
      const { results, log } = await stand.launch(stand.aLaunch());
      expect(results['REASON'], log).to.equal('InsufficientCapacity');
      expect(results['MESSAGE']).to.contain('exceeded quota');
      await stand.server.ask('DELETE', pathOf('resourcequotas', hostsNamespace, 'none'));
    });

    it('P4: a quota in which it meets others is tried again', async () => {
      const stop = await keepQuotaBusy(stand.server, 'pods', 2);
      const { results, log } = await stand.launch(stand.aLaunch({ ALLOCATION_TIMEOUT: '1' }));
      // Made, and nobody runs it here.
      expect([await stop(), results['REASON']], log).to.deep.equal([2, 'Timeout']);
    });

    it('P4: require-existing-node refuses at once, and is content with one node of the platform', async () => {
      const params = { REQUIRE_EXISTING_NODE: 'true', PLATFORM: 'linux/s390x', ALLOCATION_TIMEOUT: '1' };
      const refused = await stand.launch(stand.aLaunch(params));
      expect(refused.results['REASON']).to.equal('LaunchRefused');
      expect(refused.results['MESSAGE']).to.match(/^NodePlatformNotFound: .*kubernetes.io\/arch=s390x/);
      const nodeLabels = { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 's390x' };
      await stand.server.ask('POST', '/api/v1/nodes', { metadata: { name: 'mainframe', labels: nodeLabels } });
      const { results } = await stand.launch(stand.aLaunch(params));
      expect(results['REASON']).to.equal('Timeout');
    });
  });
});
