import { expect } from 'chai';
import { permissions } from '../../controller/kubernetes/permissions.ts';
import { kubectlFor } from '../cluster/kubectl.ts';
import type { ApiServer } from '../support/api-server.ts';
import { accessOf } from './access-rules.ts';
import { Installation, tenant } from './installation.ts';
import {
  buildManifests,
  type Manifest,
  operatorNamespace,
  podSpecs,
  repository,
  serviceAccounts,
} from './manifests.ts';

describe('deploy on a real API server', function () {
  this.timeout(120_000);
  let installation: Installation;
  let server: ApiServer;

  before(async () => {
    installation = await Installation.start();
    ({ server } = installation);
  });
  after(() => installation?.stop());

  it('is accepted whole: every object can be read back', async () => {
    const manifests = await buildManifests('deploy/overlays/restricted');
    const kubectl = kubectlFor(server.kubeconfig);
    for (const { kind, apiVersion, metadata } of manifests) {
      const group = apiVersion.includes('/') ? `.${apiVersion.split('/').toReversed().join('.')}` : '';
      const place = metadata.namespace === undefined ? [] : ['-n', metadata.namespace];
      const printed = await kubectl.run(['get', `${kind}${group}`, metadata.name, ...place, '-o', 'name']);
      expect(printed).to.contain(metadata.name);
    }
  });

  it('changes nothing when it is applied again, by kubectl apply of the older kind too', async () => {
    const kubectl = kubectlFor(server.kubeconfig);
    const printed = await kubectl.run(['diff', '--server-side', '-k', `${repository}/deploy/overlays/restricted`]);
    expect(printed).to.equal('');
    await kubectl.run(['apply', '--dry-run=server', '-k', `${repository}/deploy/overlays/default`]);
  });

  describe('rights', () => {
    const everything: readonly (readonly [string, string])[] = [
      ...['secrets', 'configmaps', 'pods', 'pods/exec', 'pods/log', 'events', 'serviceaccounts'].map(
        (it) => ['', it] as const,
      ),
      ...['serviceaccounts/token', 'namespaces', 'nodes', 'nodes/proxy', 'services', 'users'].map(
        (it) => ['', it] as const,
      ),
      ...['taskruns', 'taskruns/status', 'tasks', 'pipelineruns'].map((it) => ['tekton.dev', it] as const),
      ['coordination.k8s.io', 'leases'],
      ['apps', 'deployments'],
      ['authentication.k8s.io', 'tokenreviews'],
      ['authorization.k8s.io', 'subjectaccessreviews'],
      ['rbac.authorization.k8s.io', 'clusterroles'],
      ['rbac.authorization.k8s.io', 'rolebindings'],
      ['admissionregistration.k8s.io', 'validatingadmissionpolicies'],
    ];
    const verbs = 'get list watch create update patch delete deletecollection impersonate bind escalate'.split(' ');

    async function may(account: string, attributes: Record<string, unknown>): Promise<boolean> {
      const { status } = await server.ask('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user: `system:serviceaccount:${operatorNamespace}:${account}`,
          groups: ['system:serviceaccounts', `system:serviceaccounts:${operatorNamespace}`, 'system:authenticated'],
          ...attributes,
        },
      });
      return status.allowed;
    }

    async function allowedIn(account: string, namespace: string): Promise<string[]> {
      const questions = everything.flatMap(([group, resource]) =>
        verbs.map((verb) => ({ group, resource, verb, namespace })),
      );
      const answers = await Promise.all(questions.map((resourceAttributes) => may(account, { resourceAttributes })));
      return questions.filter((_, index) => answers[index]).map((it) => `${it.group}/${it.resource} ${it.verb}`);
    }

    for (const [role, account] of Object.entries(serviceAccounts)) {
      it(`of ${role}: what its manifests say in both namespaces, and nothing else of everything that is asked`, async () => {
        const lines = accessOf(account, await buildManifests('deploy/operator'));
        const scoped = (scope: string): string[] =>
          lines.filter((line) => line.startsWith(`${scope} `)).map((line) => line.slice(scope.length + 1));
        const cluster = scoped('cluster');
        const own = [...new Set([...cluster, ...scoped('operator-namespace')])];
        expect(await allowedIn(account, tenant)).to.have.members(cluster);
        expect(await allowedIn(account, operatorNamespace)).to.have.members(own);
      });
    }

    it('asked above cover every permission of the controller', () => {
      const asked = new Set(everything.map(([, resource]) => resource));
      for (const { resource } of permissions) expect(asked).to.include(resource);
    });

    for (const account of Object.values(serviceAccounts)) {
      it(`${account} cannot read a Secret of a build, with a real token`, async () => {
        for (const path of [
          `/api/v1/namespaces/${tenant}/secrets`,
          `/api/v1/namespaces/${tenant}/secrets/x`,
          '/api/v1/secrets',
        ]) {
          expect(await installation.askAs(account, 'GET', path)).to.include({ status: 403 });
        }
      });
    }

    it('let nobody of ours read metrics, but whoever is bound to metrics-reader', async () => {
      const nonResourceAttributes = { path: '/metrics', verb: 'get' };
      expect(await may(serviceAccounts.clean, { nonResourceAttributes })).to.be.false;
      await kubectlFor(server.kubeconfig).run([
        'create',
        'clusterrolebinding',
        'scraper',
        '--clusterrole=multi-platform-controller-metrics-reader',
        `--serviceaccount=${operatorNamespace}:scraper`,
      ]);
      expect(await may('scraper', { nonResourceAttributes })).to.be.true;
      expect(await may('scraper', { nonResourceAttributes: { path: '/configz', verb: 'get' } })).to.be.false;
    });
  });

  describe('restricted Pod Security Standard', () => {
    const path = `/api/v1/namespaces/${operatorNamespace}/pods?dryRun=All`;
    const aPod = (spec: Manifest['spec']): unknown => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'tried' },
      spec,
    });

    it('admits every pod of ours', async () => {
      for (const { spec } of podSpecs(await buildManifests('deploy/overlays/restricted'))) {
        await server.ask('POST', path, aPod(spec));
      }
    });

    it('is in force: the same pod without its security context is refused', async () => {
      const [pod] = podSpecs(await buildManifests('deploy/overlays/restricted'));
      const bare = { ...pod?.spec, securityContext: {} };
      const refusal = await server.ask('POST', path, aPod(bare)).catch((error: unknown) => String(error));
      expect(refusal).to.contain('violates PodSecurity');
    });
  });
});
