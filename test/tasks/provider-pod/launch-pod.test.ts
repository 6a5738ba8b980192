// launch-pod against a real API server and, where a pod runs, a real sshd started by the pod's own script.
import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import { labels } from '../../../controller/model/labels.ts';
import { decoded, hostsNamespace, type Launch, launchTokenLabel, pathOf, PodStand, tenant } from './pod-stand.ts';

const resources = ['networkpolicies', 'secrets', 'services', 'pods'];
const sentence = '0/3 nodes are available: 3 Insufficient cpu.';
const unschedulable = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: sentence };

describe('launch-pod', function () {
  this.timeout(120_000);
  let stand: PodStand;
  before(async () => {
    stand = await PodStand.start();
  });
  after(() => stand?.stop());

  /** The Event about the launch TaskRun with this uid. */
  async function toldUnschedulable(uid: string) {
    const selector = `involvedObject.uid%3D${uid},reason%3DUnschedulable`;
    const path = `/api/v1/namespaces/multi-platform-controller/events?fieldSelector=${selector}`;
    return (await stand.read(path)).items[0];
  }

  /** Launches, with the pod running beside it. */
  async function launched(launch: Launch, prepare?: string) {
    const [outcome] = await Promise.all([stand.launch(launch), stand.runPod(launch, prepare)]);
    return outcome;
  }

  describe('P1: a host', () => {
    it('P1, P2: is made of four objects, and its build gets the Secret it mounts', async () => {
      const launch = stand.aLaunch();
      const { code, results, log } = await launched(launch);
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

    it('P1: of a launch that ended is adopted by a repeat, which says the same', async () => {
      const launch = stand.aLaunch();
      const first = await launched(launch);
      const secret = await stand.buildSecret(launch);
      const second = await stand.launch(launch);
      expect(second.code, second.log).to.equal(0);
      expect(second.results).to.deep.equal(first.results);
      expect(await stand.buildSecret(launch)).to.deep.equal(secret);
      stand.endPod(launch);
    });

    it('P1: of a launch that was cut off before the Secret is adopted, and lets the new key in', async () => {
      const launch = stand.aLaunch({ ALLOCATION_TIMEOUT: '2' });
      expect((await stand.launch(launch)).results['REASON']).to.equal('Timeout');
      const { uid } = (await stand.object('pods', launch)).metadata;
      const again = { ...launch, params: { ...launch.params, ALLOCATION_TIMEOUT: '60' } };
      const { code, log } = await stand.launch(again, await runningSoon(again));
      expect(code, log).to.equal(0);
      expect(log).to.contain('adopted');
      expect((await stand.object('pods', launch)).metadata.uid).to.equal(uid);
      stand.endPod(launch);
    });

    /** The repeat lets its key in first; then the pod starts with both. */
    async function runningSoon(launch: Launch) {
      const before = (await stand.object('secrets', launch)).metadata.resourceVersion;
      void (async () => {
        while ((await stand.object('secrets', launch)).metadata.resourceVersion === before) await sleep(50);
        await stand.runPod(launch);
      })();
      return {};
    }

    it('P1: of a launch that was cut off when it ran already is adopted as soon as its node has brought it the new key', async () => {
      const launch = stand.aLaunch();
      await launched(launch);
      await stand.server.ask('DELETE', pathOf('secrets', tenant, launch.secret));
      await noteSecret(launch, null);
      const bringing = (async () => {
        const isTold = (pod: { metadata: { annotations?: object } }) =>
          Object.keys(pod.metadata.annotations ?? {}).some((name) => name.endsWith('/keys-added'));
        while (!isTold(await stand.object('pods', launch))) await sleep(50);
        await sleep(3000);
        stand.bringKeys(launch, decoded((await stand.object('secrets', launch)).data));
      })();
      const [{ code, log }] = await Promise.all([stand.launch(launch), bringing]);
      expect(code, log).to.equal(0);
      expect(await stand.buildSecret(launch)).to.include({ host: 'build@127.0.0.1\n' });
      stand.endPod(launch);
    });

    it('P1: whose Secret an earlier launch makes meanwhile, as its pod has yet to end, is its host as well', async () => {
      const launch = stand.aLaunch();
      const first = await launched(launch);
      const secret = await stand.buildSecret(launch);
      await noteSecret(launch, null);
      stand.endPod(launch);
      await stand.setStatus(launch, { phase: 'Pending', conditions: [unschedulable] });
      const noting = (async () => {
        while ((await toldUnschedulable('relaunch-uid')) === undefined) await sleep(50);
        await stand.runPod(launch);
        // The Secret is tried for before the note is there.
        await sleep(3000);
        await noteSecret(launch, 'made');
      })();
      const env = { OWN_NAME: 'relaunch', OWN_UID: 'relaunch-uid' };
      const [again] = await Promise.all([stand.launch(launch, { env }), noting]);
      expect(again.code, again.log).to.equal(0);
      expect(again.results).to.deep.equal(first.results);
      expect(await stand.buildSecret(launch)).to.deep.equal(secret);
      stand.endPod(launch);
    });

    async function noteSecret({ token }: Launch, note: 'made' | null): Promise<void> {
      const annotations = { 'build.appstudio.redhat.com/build-secret': note };
      await stand.server.ask('PATCH', pathOf('services', hostsNamespace, token), { metadata: { annotations } });
    }

    it('P1: whose Secret may have been made by a launch that was cut off is given up', async () => {
      const launch = stand.aLaunch();
      await launched(launch);
      await noteSecret(launch, null);
      stand.endPod(launch);
      const again = await stand.launch(launch, await runningSoon(launch));
      expect(again.results['REASON'], again.log).to.equal('SecretUncertain');
      stand.endPod(launch);
    });
  });

  it("P2: somebody's Secret of that name is never overwritten", async () => {
    const launch = stand.aLaunch();
    await stand.server.ask('POST', pathOf('secrets', tenant), {
      metadata: { name: launch.secret },
      stringData: { a: 'b' },
    });
    const { code, results } = await launched(launch);
    expect([code, results['REASON']]).to.deep.equal([1, 'SecretExists']);
    expect(await stand.buildSecret(launch)).to.deep.equal({ a: 'b' });
    stand.endPod(launch);
  });

  it('P2: a host with another key is not given to a build', async () => {
    const launch = stand.aLaunch();
    const exchange = `ssh-keygen -q -t ed25519 -N '' -f /tmp/other-key; cp /tmp/other-key /pods/${launch.token}/ssh_host_ed25519_key`;
    const { results, log } = await launched(launch, exchange);
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
      const told = await toldUnschedulable('launch-uid');
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
