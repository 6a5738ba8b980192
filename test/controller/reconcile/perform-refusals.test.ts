// Secrets the API server does not let us touch, or that are in the way.
import { expect } from 'chai';
import type { Action } from '../../../controller/model/action.ts';
import { tellRefusal } from '../../../controller/lease/refusal.ts';
import { aProvisionFor, aTaskRun } from '../../support/builders.ts';
import { start } from '../../support/host-builders.ts';
import { apiError } from '../../support/memory-cluster.ts';
import { PerformStand } from './perform-stand.ts';

const remove: Action = { type: 'delete-secret', namespace: 'team-a', name: 'multi-platform-ssh-build' };
const byPolicy =
  'secrets "multi-platform-ssh-build" is forbidden: ValidatingAdmissionPolicy ' +
  "'multi-platform-controller-secrets' with binding 'multi-platform-controller-secrets' denied request: …";

const quota = 'secrets "multi-platform-ssh-build" is forbidden: exceeded quota: all, requested: count/secrets=1';

function refusing(message: string, refused: 'delete' | 'create' = 'delete'): PerformStand {
  const stand = new PerformStand();
  stand.cluster.fault = ({ verb, resource }) =>
    verb === refused && resource === 'secrets' ? { before: apiError('refused', message) } : undefined;
  return stand;
}

describe('perform: what is refused', () => {
  it("a Secret the admission policy says is not ours: it is somebody's, and stays", async () => {
    const stand = refusing(byPolicy);
    await stand.perform([remove]);
    expect(stand.done).to.deep.equal(['delete-secret']);
  });

  it('a Secret we have no right to delete: that is told, and nothing else waits for it', async () => {
    const stand = refusing('User "x" cannot delete resource "secrets"');
    await stand.perform([remove]);
    expect([stand.forbidden, stand.done]).to.deep.equal([['delete-secret'], ['delete-secret']]);
  });

  it('the error Secret of a build for which there is no room: the build is refused all the same, and holds nothing', async () => {
    const stand = refusing(quota, 'create');
    const refused = aTaskRun().forPlatform('linux/arm64').refused('AllHostsFailed', 'all failed');
    await stand.perform(tellRefusal(stand.build(refused), 'all failed'));
    expect(stand.forbidden).to.deep.equal(['create-secret']);
    expect(stand.done).to.deep.equal(['create-secret', 'patch-user-task-run', 'emit-event']);
  });

  it('any other Secret: what follows it waits', async () => {
    const stand = refusing(quota, 'create');
    const error = await stand.failure({ type: 'create-secret', owner: stand.build(), data: { host: 'localhost' } });
    expect([String(error).includes('exceeded quota'), stand.done]).to.deep.equal([true, []]);
  });

  it('to ask for a Secret in a full namespace: whoever reported it is believed, nobody else', async () => {
    const stand = refusing(quota, 'create');
    const check = { type: 'check-secret', owner: stand.build(), present: [remove], missing: [] } as const;
    await stand.perform([{ ...check, wasReported: true }]);
    expect(stand.done.splice(0)).to.deep.equal(['check-secret', 'delete-secret']);
    await stand.perform([check]);
    expect(stand.done).to.deep.equal(['check-secret']);
  });
});

describe('perform: a one-time key', () => {
  const rearm = (stand: PerformStand): Action => ({
    type: 'rearm-token',
    namespace: 'operator',
    owner: stand.build(),
    retries: 2,
  });

  it('is armed for the first run and every retry', async () => {
    const stand = new PerformStand();
    const action = rearm(stand);
    if (action.type !== 'rearm-token') throw new Error('another action');
    const name = `multi-platform-one-time-key-${action.owner.uid}`;
    stand.cluster.put('secrets', 'operator', { metadata: { name } });
    await stand.perform([action]);
    const { annotations } = stand.cluster.find('secrets', 'operator', name)?.metadata ?? {};
    expect(annotations).to.deep.equal({ 'build.appstudio.redhat.com/one-time-key-armed': '3' });
  });

  it('that nobody stored needs nothing', async () => {
    const stand = new PerformStand();
    await stand.perform([rearm(stand)]);
    expect(stand.done).to.deep.equal(['rearm-token']);
  });
});

describe('perform: a TaskRun that is kept for its log', () => {
  it('is labelled as cleaned', async () => {
    const stand = new PerformStand();
    const target = stand.own(aProvisionFor(stand.build()).ended('failed', start));
    await stand.perform([{ type: 'mark-cleaned', target }]);
    const kept = stand.cluster.find('taskruns', target.namespace, target.name);
    expect(kept?.metadata.labels).to.include({ 'build.appstudio.redhat.com/cleaned': 'true' });
  });
});
