// Values of host-config for pods: what cannot be is told with its key, and a kubeconfig leads to another cluster.
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { PodStand } from './pod-stand.ts';

describe('host-config of pods', function () {
  this.timeout(120_000);
  let stand: PodStand;
  before(async () => {
    stand = await PodStand.start();
  });
  after(() => stand?.stop());

  describe('P3: a value of host-config that cannot be', () => {
    const wrong: readonly (readonly [string, string, string])[] = [
      ['NODE_SELECTOR', 'no-value', 'node-selector'],
      ['TOLERATIONS', 'a=b:Sometimes', 'tolerations'],
      ['CPU_REQUEST', 'two', 'cpu-request'],
      ['MEMORY_LIMIT', '4 GB', 'memory-limit'],
      ['MIN_DISK', 'much', 'min-disk'],
      ['IMAGE', 'an image', 'image'],
      ['EXPOSE', 'internet', 'expose'],
      ['TOOLS', 'git;reboot', 'tools'],
      ['PRIVILEGED', 'yes', 'privileged'],
      ['RUN_AS_USER', 'root', 'run-as-user'],
      ['HOSTS_NAMESPACE', '../kube-system', 'hosts-namespace'],
      ['SERVICE_ACCOUNT', '$(id)', 'service-account'],
    ];
    for (const [param, value, key] of wrong) {
      it(`P3: refuses the build with the key: ${key}`, async () => {
        const launch = stand.aLaunch({ [param]: value });
        const { code, results } = await stand.launch(launch);
        expect([code, results['REASON']]).to.deep.equal([1, 'LaunchRefused']);
        expect(results['MESSAGE']).to.contain(`key ${key} of platform linux/amd64`).and.to.contain(`'${value}'`);
        expect(await stand.object('networkpolicies', launch)).to.equal(undefined);
      });
    }

    it('P3: what the API server does not take refuses the build with its words', async () => {
      const { results } = await stand.launch(stand.aLaunch({ MIN_DISK: '4Gi', EPHEMERAL_STORAGE: '2Gi' }));
      expect(results['REASON']).to.equal('LaunchRefused');
      expect(results['MESSAGE']).to.contain('must be less than or equal to ephemeral-storage limit');
    });

    it('P3: a platform no pod can have', async () => {
      const { results } = await stand.launch(stand.aLaunch({ PLATFORM: 'linux/m68k' }));
      expect(results['REASON']).to.equal('LaunchRefused');
      expect(results['MESSAGE']).to.contain("platform 'linux/m68k'");
    });

    it('P3: a namespace that is not there is told with the remedy', async () => {
      const launch = stand.aLaunch({ HOSTS_NAMESPACE: 'elsewhere' });
      const { results } = await stand.launch(launch);
      expect(results['REASON']).to.equal('LaunchRefused');
      expect(results['MESSAGE']).to.match(/elsewhere/);
    });
  });

  it('P12: another cluster is named by a kubeconfig', async () => {
    const launch = stand.aLaunch();
    const { users, clusters, ...rest } = JSON.parse(readFileSync(stand.server.kubeconfig, 'utf8'));
    const [cluster] = clusters;
    cluster.cluster.server = 'https://127.0.0.1:6443';
    const kubeconfig = JSON.stringify({ ...rest, users, clusters: [cluster] });
    const [{ code, log }] = await Promise.all([
      stand.launch(launch, { credentials: { kubeconfig } }),
      stand.runPod(launch),
    ]);
    expect(code, log).to.equal(0);
    const { spec } = await stand.object('networkpolicies', launch);
    expect(spec.ingress[0]).not.to.have.property('from');
    stand.endPod(launch);
  });

  for (const [title, credentials, message] of [
    ['in YAML', { kubeconfig: 'apiVersion: v1\nkind: Config\n' }, 'must be JSON'],
    ['without a key kubeconfig', { config: '{}' }, 'has no key kubeconfig'],
    ['that names no server', { kubeconfig: '{}' }, 'names no https server'],
  ] as const) {
    it(`P12: a kubeconfig ${title} refuses the build with what to do`, async () => {
      const { results } = await stand.launch(stand.aLaunch(), { credentials });
      expect(results['REASON']).to.equal('LaunchRefused');
      expect(results['MESSAGE']).to.contain(message);
    });
  }
});
