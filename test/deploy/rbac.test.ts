import { expect } from 'chai';
import { permissions } from '../../controller/kubernetes/permissions.ts';
import { resources } from '../../controller/kubernetes/resource.ts';
import { accessOf } from './access-rules.ts';
import { buildManifests, find, type Manifest, ofKind, operatorNamespace, serviceAccounts } from './manifests.ts';

describe('rights', () => {
  let manifests: Manifest[];

  before(async () => {
    manifests = await buildManifests('deploy/operator');
  });

  it('of the controller are exactly controller/kubernetes/permissions.ts', () => {
    const listed = permissions.flatMap(({ scope, resource, verbs }) =>
      verbs.map((verb) => `${scope} ${resources[resource].group}/${resource} ${verb}`),
    );
    expect(accessOf(serviceAccounts.controller, manifests)).to.deep.equal(listed.sort());
  });

  it('of a provision pod are to create Secrets, and an Event in its own namespace', () => {
    expect(accessOf(serviceAccounts.provision, manifests)).to.deep.equal([
      'cluster /secrets create',
      'operator-namespace /events create',
    ]);
  });

  for (const name of ['clean', 'update'] as const) {
    it(`of a ${name} pod are none, and it gets no token`, () => {
      expect(accessOf(serviceAccounts[name], manifests)).to.deep.equal([]);
      const account = find(manifests, 'ServiceAccount', serviceAccounts[name]);
      expect(account['automountServiceAccountToken']).to.be.false;
    });
  }

  it('of a launch pod are none: each provider brings its own', () => {
    expect(accessOf(serviceAccounts.launch, manifests)).to.deep.equal([]);
  });

  it('name no wildcard anywhere', () => {
    const roles = [...ofKind(manifests, 'Role'), ...ofKind(manifests, 'ClusterRole')];
    expect(roles).to.have.length(6);
    expect(JSON.stringify(roles.map((role) => role['rules']))).not.to.contain('*');
  });

  it('are bound to our own ServiceAccounts only', () => {
    const bindings = [...ofKind(manifests, 'RoleBinding'), ...ofKind(manifests, 'ClusterRoleBinding')];
    for (const { subjects } of bindings) {
      for (const subject of subjects) {
        expect(subject).to.include({ kind: 'ServiceAccount', namespace: operatorNamespace });
        expect(Object.values(serviceAccounts)).to.include(subject.name);
      }
    }
  });
});
