// deploy/providers/pod: what launch pods may do there and nowhere else, on paper and on a real API server.
import { expect } from 'chai';
import { labels } from '../../controller/model/labels.ts';
import { startApiServer, type ApiServer } from '../support/api-server.ts';
import { kubectlFor } from '../cluster/kubectl.ts';
import {
  buildManifests,
  find,
  type Manifest,
  ofKind,
  operatorNamespace,
  repository,
  serviceAccounts,
} from './manifests.ts';

const hosts = 'multi-platform-hosts';
const launcher = `system:serviceaccount:${operatorNamespace}:${serviceAccounts.launch}`;

describe('deploy/providers/pod', function () {
  this.timeout(120_000);
  let manifests: Manifest[];
  let server: ApiServer;
  before(async () => {
    manifests = await buildManifests('deploy/providers/pod');
    server = await startApiServer();
    const kubectl = kubectlFor(server.kubeconfig);
    for (const folder of ['overlays/default', 'providers/pod'])
      await kubectl.run(['apply', '--server-side', '-k', `${repository}/deploy/${folder}`]);
    await server.createNamespace('team-a');
  });
  after(() => server?.stop());

  it('P6: lets into the namespace of hosts what podman needs, and keeps the operator apart', () => {
    const namespaces = ofKind(manifests, 'Namespace');
    expect(namespaces.map(({ metadata }) => metadata.name)).to.deep.equal([hosts]);
    expect(find(manifests, 'Namespace', hosts).metadata.labels).to.include({
      'pod-security.kubernetes.io/enforce': 'privileged',
    });
  });

  it('P7: closes the network to pods there that are no hosts', () => {
    const { spec } = find(manifests, 'NetworkPolicy', 'nothing-but-hosts');
    expect(spec).to.deep.equal({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
  });

  it('gives rights to our launch pods only', () => {
    for (const { subjects } of [...ofKind(manifests, 'RoleBinding'), ...ofKind(manifests, 'ClusterRoleBinding')])
      expect(subjects).to.deep.equal([
        { kind: 'ServiceAccount', name: serviceAccounts.launch, namespace: operatorNamespace },
      ]);
  });

  const rights: readonly (readonly [boolean, string, string, string, string?])[] = [
    [true, 'create', 'pods', hosts],
    [true, 'delete', 'networkpolicies.networking.k8s.io', hosts],
    [true, 'list', 'networkpolicies.networking.k8s.io', hosts],
    [true, 'get', 'pods', hosts, 'log'],
    [true, 'create', 'secrets', 'team-a'],
    [true, 'create', 'events', operatorNamespace],
    [false, 'get', 'secrets', 'team-a'],
    [false, 'delete', 'secrets', 'team-a'],
    [false, 'create', 'pods', 'team-a'],
    [false, 'get', 'pods', 'team-a'],
    [false, 'create', 'pods', operatorNamespace],
    [false, 'get', 'secrets', operatorNamespace],
    [false, 'create', 'pods', hosts, 'exec'],
    [false, 'list', 'secrets', hosts],
    [false, 'create', 'rolebindings.rbac.authorization.k8s.io', hosts],
  ];
  for (const [allowed, verb, resource, namespace, subresource] of rights) {
    const what = `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`} in ${namespace}`;
    it(`${allowed ? 'lets' : 'does not let'} launch pods ${what}`, async () => {
      const [plural, ...group] = resource.split('.');
      const resourceAttributes = { verb, namespace, resource: plural, group: group.join('.'), subresource };
      const review = await server.ask('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: { user: launcher, resourceAttributes },
      });
      expect(review.status.allowed).to.equal(allowed);
    });
  }

  it('lets launch pods make no Secret but those that builds mount', async () => {
    const kubectl = kubectlFor(server.kubeconfig);
    const metadata = { name: 'multi-platform-ssh-x', labels: { [labels.multiPlatformSecret]: 'true' } };
    const create = (changed: object): Promise<string> =>
      kubectl.run(
        ['create', '--as', launcher, '--dry-run=server', '-n', 'team-a', '-f', '-'],
        JSON.stringify({ apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata: { ...metadata, ...changed } }),
      );
    const refusal = async (): Promise<string> => create({ name: 'database' }).then(String, String);
    // The API server takes a policy over some moments after it was written.
    for (let tries = 0; tries < 100 && !(await refusal()).includes('may only touch'); tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await refusal()).to.contain('may only touch Secrets named multi-platform-ssh-');
    expect(await create({})).to.contain('created');
  });
});
