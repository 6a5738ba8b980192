import { expect } from 'chai';
import { ApiError } from '../../../controller/kubernetes/api-errors.ts';
import type { Action } from '../../../controller/model/action.ts';
import type { UserTaskRun } from '../../../controller/model/task-run.ts';
import { aCleanupFor, aProvisionFor, factsOf, operatorNamespace } from '../../support/builders.ts';
import { apiError } from '../../support/memory-cluster.ts';
import { PerformStand, provisionFor } from './perform-stand.ts';

describe('perform: order and outcome', () => {
  it('does one thing after another, and says so only when it is done', async () => {
    const stand = new PerformStand();
    const build = stand.build();
    await stand.perform([
      provisionFor(build),
      { type: 'delete-secret', namespace: 'team-a', name: 'multi-platform-ssh-build' },
      { type: 'patch-user-task-run', target: build, change: { finalizer: 'remove' } },
    ]);
    expect(stand.asked()).to.deep.equal(['create taskruns', 'delete secrets', 'patch taskruns']);
    expect(stand.done).to.deep.equal(['create-task-run', 'delete-secret', 'patch-user-task-run']);
  });

  it('stops at the first failure: what follows is neither done nor said', async () => {
    const stand = new PerformStand();
    const build = stand.build();
    stand.cluster.fault = ({ verb }) => (verb === 'delete' ? { before: apiError('unavailable', 'away') } : undefined);
    const error = await stand.failure(
      provisionFor(build),
      { type: 'delete-secret', namespace: 'team-a', name: 'x' },
      { type: 'patch-user-task-run', target: build, change: { finalizer: 'remove' } },
    );
    expect(error).to.be.instanceOf(ApiError).and.to.have.property('kind', 'unavailable');
    expect(stand.done).to.deep.equal(['create-task-run']);
    expect(stand.asked()).to.deep.equal(['create taskruns', 'delete secrets']);
  });

  it('every answer goes to the cache', async () => {
    const stand = new PerformStand();
    const build = stand.build();
    const cleanup = stand.own(aCleanupFor(build));
    await stand.perform([
      { type: 'patch-user-task-run', target: build, change: { labels: { x: 'y' } } },
      { type: 'cancel-task-run', target: cleanup },
    ]);
    expect(stand.written).to.deep.equal(['build', cleanup.name]);
  });

  it('a patch that changes nothing asks nothing', async () => {
    const stand = new PerformStand();
    await stand.perform([{ type: 'patch-user-task-run', target: stand.build(), change: { finalizer: 'add' } }]);
    expect(stand.asked()).to.deep.equal([]);
  });
});

describe('perform: done already is done', () => {
  it('a TaskRun of ours that exists is read into the cache', async () => {
    const stand = new PerformStand();
    const build = stand.build();
    await stand.perform([provisionFor(build)]);
    await stand.perform([provisionFor(build)]);
    expect(stand.asked()).to.deep.equal(['create taskruns', 'create taskruns', 'read taskruns']);
    expect(stand.done).to.have.length(2);
    expect(stand.written).to.have.length(2);
  });

  it('a TaskRun of that name that works for another build is refused, and said so', async () => {
    const stand = new PerformStand();
    const build = stand.build();
    const action = provisionFor(build);
    const metadata = { ...action.manifest.metadata, labels: {} };
    stand.cluster.put('taskruns', operatorNamespace, { ...action.manifest, metadata });
    const error = await stand.failure(action);
    expect(String(error)).to.match(/exists and works for another build: delete it/);
    expect(stand.done).to.deep.equal([]);
  });

  it('a Secret that exists is never overwritten', async () => {
    const stand = new PerformStand();
    const owner = stand.build();
    const data = { host: 'c29tZWJvZHk=' };
    stand.cluster.put('secrets', 'team-a', { metadata: { name: 'multi-platform-ssh-build' }, data });
    await stand.perform([{ type: 'create-secret', owner, data: { error: 'no' } }]);
    expect(stand.cluster.find('secrets', 'team-a', 'multi-platform-ssh-build')?.['data']).to.deep.equal(data);
    expect(stand.done).to.deep.equal(['create-secret']);
  });

  const gone = async (act: (stand: PerformStand) => Action): Promise<readonly string[]> => {
    const stand = new PerformStand();
    const action = act(stand);
    for (const { metadata } of stand.cluster.all('taskruns'))
      stand.cluster.change(
        'taskruns',
        metadata.namespace ?? '',
        metadata.name,
        (it) => delete it.metadata['finalizers'],
      );
    for (const { metadata } of stand.cluster.all('taskruns'))
      stand.cluster.remove('taskruns', metadata.namespace ?? '', metadata.name);
    await stand.perform([action]);
    return stand.done;
  };
  const onGone: readonly (readonly [string, (stand: PerformStand) => Action])[] = [
    ['deleting', (stand) => ({ type: 'delete-task-run', target: stand.own(aProvisionFor(stand.build())) })],
    ['cancelling', (stand) => ({ type: 'cancel-task-run', target: stand.own(aProvisionFor(stand.build())) })],
    [
      'dropping its finalizer',
      (stand) => ({ type: 'drop-own-finalizer', target: stand.own(aCleanupFor(stand.build())) }),
    ],
    ['releasing', (stand) => ({ type: 'patch-user-task-run', target: stand.build(), change: { finalizer: 'remove' } })],
    ['annotating its pod', (stand) => ({ type: 'annotate-pod', about: stand.build(), annotations: { x: 'y' } })],
    ['deleting its Secret', () => ({ type: 'delete-secret', namespace: 'team-a', name: 'x' })],
  ];
  for (const [what, act] of onGone) {
    it(`${what} when it is gone`, async () => expect(await gone(act)).to.have.length(1));
  }
});

describe('perform: stale views', () => {
  it('a build of that name that is another one is not touched: conflict', async () => {
    const stand = new PerformStand();
    const target = { ...stand.build(), uid: 'an-older-one' };
    const error = await stand.failure({ type: 'patch-user-task-run', target, change: { labels: { x: 'y' } } });
    expect(error).to.have.property('kind', 'conflict');
    expect(stand.done).to.deep.equal([]);
  });

  it('facts that changed meanwhile: conflict', async () => {
    const stand = new PerformStand();
    const target = stand.build();
    await stand.perform([
      { type: 'patch-user-task-run', target, change: { facts: { ...factsOf(target), ready: true } } },
    ]);
    const error = await stand.failure({ type: 'patch-user-task-run', target, change: { facts: null } });
    expect(error).to.have.property('kind', 'conflict');
  });

  it('a TaskRun of ours that is another one is not deleted', async () => {
    const stand = new PerformStand();
    const target = stand.own(aProvisionFor(stand.build()));
    await stand.perform([{ type: 'delete-task-run', target: { ...target, uid: 'an-older-one' } }]);
    expect(stand.cluster.find('taskruns', operatorNamespace, target.name)).to.not.equal(undefined);
    expect(stand.deleted).to.deep.equal(['an-older-one']);
  });
});

describe('perform: the Secret of a build', () => {
  const check = (owner: UserTaskRun): Action => ({
    type: 'check-secret',
    owner,
    present: [{ type: 'delete-secret', namespace: 'team-a', name: 'present' }],
    missing: [{ type: 'create-secret', owner, data: { error: 'missing' } }],
  });

  it('is looked for without reading it', async () => {
    const stand = new PerformStand();
    const owner = stand.build();
    stand.cluster.put('secrets', 'team-a', { metadata: { name: 'multi-platform-ssh-build' } });
    await stand.perform([check(owner)]);
    expect(stand.asked()).to.deep.equal(['create secrets (dry run)', 'delete secrets']);
  });

  it('is missing: nothing was stored by looking', async () => {
    const stand = new PerformStand();
    const owner = stand.build();
    await stand.perform([check(owner)]);
    expect(stand.asked()).to.deep.equal(['create secrets (dry run)', 'create secrets']);
  });

  it('of our making is owned by the build and carries our label', async () => {
    const stand = new PerformStand();
    const owner = stand.build();
    await stand.perform([{ type: 'create-secret', owner, data: { host: 'localhost' } }]);
    const secret = stand.cluster.find('secrets', 'team-a', 'multi-platform-ssh-build');
    expect(secret).to.deep.include({ type: 'Opaque', data: { host: 'bG9jYWxob3N0' } });
    expect(secret?.metadata.labels).to.deep.equal({ 'build.appstudio.redhat.com/multi-platform-secret': 'true' });
    expect(secret?.metadata.ownerReferences).to.deep.equal([
      { apiVersion: 'tekton.dev/v1', kind: 'TaskRun', name: 'build', uid: owner.uid },
    ]);
  });
});
