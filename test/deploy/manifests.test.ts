import { expect } from 'chai';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parse } from 'yaml';
import { nothingKnown } from '../../controller/config/host-config.ts';
import { parseHostConfig } from '../../controller/config/parse-host-config.ts';
import { readSettings } from '../../controller/settings.ts';
import { parseListenAddress } from '../../controller/telemetry/listen-address.ts';
import { hostConfigName, labels } from '../../controller/model/labels.ts';
import { providerTasks, toyTasks } from '../support/provider-builders.ts';
import {
  buildManifests,
  find,
  type Manifest,
  ofKind,
  operatorNamespace,
  podSpecs,
  repository,
  serviceAccounts,
} from './manifests.ts';

const clusterScoped = /^(Namespace|Cluster.*|ValidatingAdmission.*)$/;

describe('deploy/operator', () => {
  let manifests: Manifest[];

  before(async () => {
    manifests = await buildManifests('deploy/operator');
  });

  /** Names other repositories patch, bind, scrape or select. */
  const names: readonly (readonly [string, string])[] = [
    ['Namespace', operatorNamespace],
    ['Deployment', 'multi-platform-controller'],
    ['PodDisruptionBudget', 'multi-platform-controller'],
    ['ServiceAccount', serviceAccounts.controller],
    ['ServiceAccount', serviceAccounts.provision],
    ['ServiceAccount', serviceAccounts.clean],
    ['ServiceAccount', serviceAccounts.update],
    ['ServiceAccount', serviceAccounts.launch],
    ['ClusterRole', 'multi-platform-controller-manager-role'],
    ['ClusterRoleBinding', 'multi-platform-controller-manager-rolebinding'],
    ['ClusterRole', 'multi-platform-controller-metrics-auth-role'],
    ['ClusterRoleBinding', 'multi-platform-controller-proxy-rolebinding'],
    ['ClusterRole', 'multi-platform-controller-metrics-reader'],
    ['Service', 'controller-manager-metrics-service'],
    ['Task', 'provision-shared-host'],
    ['Task', 'clean-shared-host'],
    ['Task', 'update-host'],
    ['Task', 'launch-pod'],
    ['Task', 'terminate-pod'],
    ['Task', 'list-pod'],
    ['ConfigMap', 'provision-shared-host-script'],
    ['ConfigMap', 'clean-shared-host-script'],
    ['ConfigMap', 'update-host-script'],
  ];
  for (const [kind, name] of names) {
    it(`has ${kind} ${name}`, () => {
      const { metadata } = find(manifests, kind, name);
      expect(metadata.namespace).to.equal(clusterScoped.test(kind) ? undefined : operatorNamespace);
    });
  }

  it('puts everything into its namespace, or into none', () => {
    for (const { kind, metadata } of manifests) {
      expect(metadata.namespace, kind).to.equal(clusterScoped.test(kind) ? undefined : operatorNamespace);
    }
  });

  it('runs two replicas of container manager, spread over nodes, under a selector that has always been so', () => {
    const { spec } = find(manifests, 'Deployment', 'multi-platform-controller');
    expect(spec.replicas).to.equal(2);
    expect(spec.selector).to.deep.equal({ matchLabels: { app: 'multi-platform-controller' } });
    expect(spec.template.metadata.labels).to.deep.equal({ app: 'multi-platform-controller' });
    expect(spec.template.spec.containers).to.have.length(1);
    expect(spec.template.spec.containers[0]).to.include({ name: 'manager', image: 'multi-platform-controller' });
    expect(spec.template.spec.serviceAccountName).to.equal(serviceAccounts.controller);
  });

  it('tells each replica where and who it is, and has probes and limits', () => {
    const [manager] = find(manifests, 'Deployment', 'multi-platform-controller').spec.template.spec.containers;
    const fields = manager.env.map((it: Manifest) => [it['name'], it['valueFrom'].fieldRef.fieldPath]);
    expect(Object.fromEntries(fields)).to.deep.equal({
      POD_NAMESPACE: 'metadata.namespace',
      POD_UID: 'metadata.uid',
    });
    const ports = new Set(manager.ports.map((port: { name: string }) => port.name));
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
      expect(ports).to.include(manager[probe].httpGet.port);
    }
    expect(manager.readinessProbe.httpGet.path).to.equal('/readyz');
    expect(manager.livenessProbe.httpGet.path).to.equal('/healthz');
    expect(manager.resources).to.have.all.keys('requests', 'limits');
  });

  it('starts the controller with flags it understands, listening where the ports are', () => {
    const [manager] = find(manifests, 'Deployment', 'multi-platform-controller').spec.template.spec.containers;
    const settings = readSettings(manager.args, {});
    const portOf = Object.fromEntries(manager.ports.map((port: Manifest) => [port['name'], port['containerPort']]));
    expect(parseListenAddress('', settings.metricsBindAddress)?.port).to.equal(portOf['https']);
    expect(parseListenAddress('', settings.healthProbeBindAddress)?.port).to.equal(portOf['probes']);
    expect(settings).to.include({ leaderElect: true, metricsSecure: true, logLevel: 'info' });
  });

  it('sends scrapes and counts disruptions of the controller only: no other pod carries its label', () => {
    const selector = { app: 'multi-platform-controller' };
    expect(find(manifests, 'Service', 'controller-manager-metrics-service').spec.selector).to.deep.equal(selector);
    // Tekton copies the labels of a Task to its pods.
    for (const { metadata } of ofKind(manifests, 'Task')) expect(metadata.labels ?? {}).not.to.have.property('app');
  });

  it('confines every container it starts', () => {
    const pods = podSpecs(manifests);
    expect(pods.map((pod) => pod.of)).to.include.members(['multi-platform-controller', 'provision-shared-host']);
    for (const { of, spec } of pods) {
      for (const container of spec.containers) {
        const context = { ...spec.securityContext, ...container.securityContext };
        expect(context, of).to.deep.include({
          runAsNonRoot: true,
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          seccompProfile: { type: 'RuntimeDefault' },
          capabilities: { drop: ['ALL'] },
        });
      }
    }
  });

  it('lets nobody connect to its pods, but to the metrics', () => {
    const policies = ofKind(manifests, 'NetworkPolicy').map(({ spec }) => spec);
    expect(policies).to.deep.include({ podSelector: {}, policyTypes: ['Ingress'] });
    const ports = policies.flatMap((spec) => spec.ingress ?? []).flatMap((rule: Manifest) => rule['ports']);
    expect(ports).to.deep.equal([{ port: 'https', protocol: 'TCP' }]);
  });
});

describe('deploy/overlays', () => {
  it('restricted enforces the standard that the others only report', async () => {
    const levels = (manifests: Manifest[]): Record<string, string | undefined> =>
      find(manifests, 'Namespace', operatorNamespace).metadata.labels ?? {};
    const enforce = 'pod-security.kubernetes.io/enforce';
    expect(levels(await buildManifests('deploy/overlays/default'))).not.to.have.property(enforce);
    const restricted = levels(await buildManifests('deploy/overlays/restricted'));
    expect(restricted).to.include({ [enforce]: 'restricted', 'pod-security.kubernetes.io/warn': 'restricted' });
  });

  it('restricted differs from default in that only', async () => {
    const rest = (manifests: Manifest[]): Manifest[] => manifests.filter(({ kind }) => kind !== 'Namespace');
    const [ordinary, restricted] = await Promise.all(
      ['default', 'restricted'].map((overlay) => buildManifests(`deploy/overlays/${overlay}`)),
    );
    expect(rest(restricted ?? [])).to.deep.equal(rest(ordinary ?? []));
  });

  describe('of other people', () => {
    let folder: string;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'overlay-'));
    });
    afterEach(() => rm(folder, { recursive: true }));

    for (const base of ['deploy/operator', 'deploy/overlays/default']) {
      it(`replace the images of ${base}, also in the steps of Tasks`, async () => {
        const overlay = {
          resources: [relative(folder, join(repository, base))],
          images: [
            { name: 'multi-platform-controller', newName: 'registry.example.com/controller', newTag: 'v1' },
            {
              name: 'multi-platform-runner',
              newName: 'registry.example.com/runner',
              digest: `sha256:${'a'.repeat(64)}`,
            },
          ],
        };
        await writeFile(join(folder, 'kustomization.yaml'), JSON.stringify(overlay));
        const images = podSpecs(await buildManifests(folder)).flatMap(({ spec }) =>
          spec.containers.map((container: { image: string }) => container.image),
        );
        expect(new Set(images)).to.deep.equal(
          new Set(['registry.example.com/controller:v1', `registry.example.com/runner@sha256:${'a'.repeat(64)}`]),
        );
      });
    }
  });
});

describe('deploy/host-config.yaml', () => {
  let text: string;

  before(async () => {
    text = await readFile(join(repository, 'deploy/host-config.yaml'), 'utf8');
  });

  it('is the ConfigMap the controller looks for', () => {
    const { metadata } = parse(text);
    expect(metadata).to.deep.equal({
      name: hostConfigName,
      namespace: operatorNamespace,
      labels: { [labels.multiPlatformConfig]: 'hosts' },
    });
  });

  it('is valid as it stands, and uncommented to the last key', () => {
    const uncommented = text.replaceAll(/^ {2}# ([\w.-]+: \S)/gm, '  $1');
    const spare = toyTasks('spare');
    spare[0]?.withDefault('ACCOUNT', 'root');
    const tasks = providerTasks(...spare);
    const [plain, full] = [text, uncommented].map((it) => parseHostConfig(parse(it).data, nothingKnown, tasks));
    expect(plain?.problems).to.deep.equal([]);
    expect(full?.problems).to.deep.equal([]);
    expect([...(full?.pools.keys() ?? [])]).to.have.members([
      'linux/x86_64',
      'local',
      'localhost',
      'linux/arm64',
      'linux/s390x',
      'linux/ppc64le',
    ]);
    const arm64 = [...(full?.pools.values() ?? [])].find((pool) => pool.platform === 'linux/arm64');
    expect(arm64?.limits).to.include({ maxWait: 30 * 60 * 1000 });
    const added = Object.keys(parse(uncommented).data).length - Object.keys(parse(text).data).length;
    expect(added, 'optional keys shown').to.equal(28);
  });
});
