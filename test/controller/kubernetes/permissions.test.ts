// What the list of permissions must not allow.
import { expect } from 'chai';
import { permissions } from '../../../controller/kubernetes/permissions.ts';

const clusterWide = (resource: string): string[] =>
  permissions.filter((it) => it.resource === resource && it.scope === 'cluster').flatMap((it) => [...it.verbs]);

describe('permissions', () => {
  it('nobody else’s Secret can be read or changed', () => {
    expect(clusterWide('secrets')).to.have.members(['create', 'delete']);
  });

  it('TaskRuns of others are patched, never made or deleted', () => {
    expect(clusterWide('taskruns')).to.have.members(['get', 'list', 'watch', 'patch']);
  });

  it('pods are patched and nothing else', () => {
    expect(permissions.filter((it) => it.resource === 'pods').flatMap((it) => [...it.verbs])).to.deep.equal(['patch']);
  });

  it('config, tasks and the lease are looked at in our own namespace only', () => {
    for (const resource of ['configmaps', 'tasks', 'leases']) expect(clusterWide(resource)).to.deep.equal([]);
  });

  it('each resource appears once per scope, each with a reason', () => {
    const keys = permissions.map((it) => `${it.scope} ${it.resource}`);
    expect(new Set(keys).size).to.equal(keys.length);
    expect(permissions.every((it) => it.why !== '')).to.equal(true);
  });
});
