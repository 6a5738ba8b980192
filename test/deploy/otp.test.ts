// deploy/otp as it is built: the names that builds and other installations know, its rights, and that overlays fit together.
import { expect } from 'chai';
import { resources } from '../../controller/kubernetes/resource.ts';
import { otpPermissions } from '../../controller/otp-server/otp-permissions.ts';
import { readOtpSettings } from '../../controller/otp-server/settings.ts';
import { parseListenAddress } from '../../controller/telemetry/listen-address.ts';
import { accessOf } from './access-rules.ts';
import { buildManifests, find, type Manifest, ofKind, operatorNamespace, podSpecs } from './manifests.ts';

const name = 'multi-platform-otp-server';
const clusterScoped = /^(Cluster.*|ValidatingAdmission.*)$/;

describe('deploy/otp', () => {
  let manifests: Manifest[];
  let container: Manifest['spec'];

  before(async () => {
    manifests = await buildManifests('deploy/otp');
    [container] = find(manifests, 'Deployment', name).spec.template.spec.containers;
  });

  it('keeps the names, the port and the annotation that others rely on', () => {
    expect(find(manifests, 'Deployment', name).spec.selector).to.deep.equal({ matchLabels: { app: name } });
    expect(container).to.include({ name, image: name });
    const { spec, metadata } = find(manifests, 'Service', name);
    expect(spec.ports).to.deep.equal([
      { name: 'https', port: 443, targetPort: 'https', protocol: 'TCP' },
      { name: 'store', port: 8444, targetPort: 'store', protocol: 'TCP' },
    ]);
    expect(metadata).to.have.nested.property(
      'annotations.service\\.beta\\.openshift\\.io/serving-cert-secret-name',
      'otp-tls-secrets',
    );
  });

  it('puts everything into the namespace, or into none, and makes no namespace itself', () => {
    for (const { kind, metadata } of manifests)
      expect(metadata.namespace, kind).to.equal(clusterScoped.test(kind) ? undefined : operatorNamespace);
    expect(ofKind(manifests, 'Namespace')).to.deep.equal([]);
  });

  it('gives the rights that controller/otp-server/otp-permissions.ts lists, and no other', () => {
    const listed = otpPermissions.flatMap(({ scope, resource, verbs }) =>
      verbs.map((verb) => `${scope} ${resources[resource].group}/${resource} ${verb}`),
    );
    expect(accessOf(name, manifests)).to.deep.equal(listed.sort());
    for (const { subjects } of [...ofKind(manifests, 'RoleBinding'), ...ofKind(manifests, 'ClusterRoleBinding')])
      expect(subjects).to.deep.equal([{ kind: 'ServiceAccount', name, namespace: operatorNamespace }]);
  });

  it('starts the server with flags it understands, listening where the ports are', () => {
    const settings = readOtpSettings(container.args, {});
    const portOf = Object.fromEntries(container.ports.map((port: Manifest) => [port['name'], port['containerPort']]));
    expect(parseListenAddress('', settings.listenAddress)?.port).to.equal(portOf.https);
    expect(parseListenAddress('', settings.storeListenAddress)?.port).to.equal(portOf.store);
    expect(parseListenAddress('', settings.metricsBindAddress)?.port).to.equal(portOf.metrics);
    expect(parseListenAddress('', settings.healthProbeBindAddress)?.port).to.equal(portOf.probes);
    expect(settings).to.include({ makeCertificate: false, allowUnauthenticatedStoreKey: false, metricsSecure: true });
    const mounted = container.volumeMounts.map((mount: { mountPath: string }) => mount.mountPath);
    expect(mounted).to.have.members([settings.tlsFolder, settings.encryptionKeysFolder]);
  });

  it('confines its container', () => {
    const [pod] = podSpecs(manifests);
    expect({ ...pod?.spec.securityContext, ...container.securityContext }).to.deep.equal({
      runAsNonRoot: true,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      seccompProfile: { type: 'RuntimeDefault' },
      capabilities: { drop: ['ALL'] },
    });
  });

  it('lets pods of the cluster in for keys, those of its own namespace to store them, and anybody for metrics', () => {
    const { spec } = find(manifests, 'NetworkPolicy', 'otp-server');
    expect(spec.podSelector).to.deep.equal({ matchLabels: { app: name } });
    expect(spec.ingress).to.deep.equal([
      { from: [{ namespaceSelector: {} }], ports: [{ port: 'https', protocol: 'TCP' }] },
      { from: [{ podSelector: {} }], ports: [{ port: 'store', protocol: 'TCP' }] },
      { ports: [{ port: 'metrics', protocol: 'TCP' }] },
    ]);
  });

  it('overlay otp adds it to the default, with the same image as the controller, making its certificate', async () => {
    const [overlay, ordinary] = await Promise.all(
      ['otp', 'default'].map((it) => buildManifests(`deploy/overlays/${it}`)),
    );
    const keysOf = (all: readonly Manifest[]): string[] => all.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(keysOf(overlay ?? [])).to.have.members([...keysOf(ordinary ?? []), ...keysOf(manifests)]);
    const images = ofKind(overlay ?? [], 'Deployment').map(({ spec }) => spec.template.spec.containers[0].image);
    expect(new Set(images)).to.deep.equal(new Set(['multi-platform-controller:latest']));
    const [own] = find(overlay ?? [], 'Deployment', name).spec.template.spec.containers;
    expect(readOtpSettings(own.args, {}).makeCertificate).to.be.true;
  });
});
