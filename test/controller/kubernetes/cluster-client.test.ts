// Every answer the controller decides by, from a real API server.
import { expect } from 'chai';
import { ApiError } from '../../../controller/kubernetes/api-errors.ts';
import type { ApiErrorKind } from '../../../controller/kubernetes/api-errors.ts';
import type { Cluster, JsonPatchOperation } from '../../../controller/kubernetes/cluster.ts';
import { isRemoved } from '../../../controller/kubernetes/removed-object.ts';
import { startApiServer } from '../../support/api-server.ts';
import type { ApiServer } from '../../support/api-server.ts';
import { connect } from './connect.ts';
import type { Connected } from './connect.ts';

const namespace = 'x';
const taskRun = (name: string, finalizers: string[] = []): Parameters<Cluster['create']>[2] => ({
  metadata: { name, finalizers },
  spec: { taskSpec: { steps: [{ name: 's', image: 'i' }] } },
});

async function failure(promise: Promise<unknown>): Promise<ApiError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('it succeeded');
}

describe('cluster client on a real API server', function () {
  this.timeout(60_000);
  let server: ApiServer;
  let admin: Connected;
  let cluster: Cluster;

  before(async () => {
    server = await startApiServer();
    admin = connect(server.kubeconfig);
    cluster = admin.cluster;
    await server.createNamespace(namespace);
    await server.createNamespace('ending');
    await server.ask('DELETE', '/api/v1/namespaces/ending');
    await cluster.create('configmaps', namespace, { metadata: { name: 'there', labels: { a: 'b' } } });
  });

  after(async () => {
    await admin?.transport.close();
    await server?.stop();
  });

  const jsonPatch = (...operations: JsonPatchOperation[]) =>
    cluster.patch('configmaps', namespace, 'there', { type: 'json', operations });

  const table: readonly [string, () => Promise<unknown>, ApiErrorKind, number][] = [
    ['reading what is not there', () => cluster.read('configmaps', namespace, 'no'), 'gone', 404],
    [
      'creating what is there',
      () => cluster.create('configmaps', namespace, { metadata: { name: 'there' } }),
      'exists',
      409,
    ],
    [
      'a dry-run create of what is there',
      () => cluster.create('configmaps', namespace, { metadata: { name: 'there' } }, { dryRun: true }),
      'exists',
      409,
    ],
    [
      'creating in a namespace that is not there',
      () => cluster.create('secrets', 'no', { metadata: { name: 'a' } }),
      'gone',
      404,
    ],
    [
      'creating in a namespace that is being deleted',
      () => cluster.create('secrets', 'ending', { metadata: { name: 'a' } }),
      'gone',
      403,
    ],
    [
      'a JSON Patch whose test fails',
      () => jsonPatch({ op: 'test', path: '/metadata/uid', value: 'other' }),
      'conflict',
      422,
    ],
    [
      'a JSON Patch that tests a field that is not there',
      () => jsonPatch({ op: 'test', path: '/metadata/labels/no', value: 'x' }),
      'conflict',
      422,
    ],
    [
      'a JSON Patch that removes what is not there',
      () => jsonPatch({ op: 'remove', path: '/metadata/labels/no' }),
      'conflict',
      422,
    ],
    [
      'a JSON Patch with an invalid result',
      () => jsonPatch({ op: 'add', path: '/metadata/labels', value: { '!': 'x' } }),
      'invalid',
      422,
    ],
    [
      'a JSON Patch with a result of the wrong type',
      () => jsonPatch({ op: 'add', path: '/metadata/labels', value: 5 }),
      'invalid',
      422,
    ],
    [
      'a patch of what is not there',
      () => cluster.patch('configmaps', namespace, 'no', { type: 'merge', body: {} }),
      'gone',
      404,
    ],
    [
      'a merge patch with an old version',
      () =>
        cluster.patch('configmaps', namespace, 'there', {
          type: 'merge',
          body: { metadata: { resourceVersion: '1' }, data: { a: 'b' } },
        }),
      'conflict',
      409,
    ],
    [
      'a TaskRun the definition refuses',
      () => cluster.create('taskruns', namespace, { metadata: { name: 't' }, spec: { timeout: 5 } }),
      'invalid',
      422,
    ],
    ['deleting what is not there', () => cluster.delete('configmaps', namespace, 'no'), 'gone', 404],
    [
      'deleting another object of that name',
      () => cluster.delete('configmaps', namespace, 'there', { uid: 'other' }),
      'gone',
      409,
    ],
  ];
  for (const [what, request, kind, code] of table) {
    it(`${what} is '${kind}' (${code})`, async () => {
      const error = await failure(request());
      expect([error.kind, error.code, error.ambiguous]).to.deep.equal([kind, code, false]);
    });
  }

  it("what a user may not do is 'refused'", async () => {
    const stranger = connect(await server.writeKubeconfig({ user: 'stranger' }));
    expect((await failure(stranger.cluster.read('secrets', namespace, 'a'))).kind).to.equal('refused');
    await stranger.transport.close();
  });

  it('a dry-run create stores nothing', async () => {
    await cluster.create('secrets', namespace, { metadata: { name: 'dry' } }, { dryRun: true });
    expect((await failure(cluster.read('secrets', namespace, 'dry'))).kind).to.equal('gone');
  });

  it('a patch may test any text', async () => {
    const path = '/metadata/annotations';
    for (const value of ['<a href="x">&amp;</a>', 'one\u2028two\u2029', '\0\b\f\n\r\t\u001b\u007f', '\\u003c / é 😀']) {
      await jsonPatch({ op: 'add', path, value: { text: value } });
      const { metadata } = await jsonPatch({ op: 'test', path: `${path}/text`, value }, { op: 'remove', path });
      expect(metadata.annotations).to.equal(undefined);
    }
  });

  it('a JSON Patch with tests on uid and on touched fields applies while other fields change', async () => {
    const { metadata } = await cluster.create('configmaps', namespace, {
      metadata: { name: 'busy', labels: { mine: '1' } },
    });
    await cluster.patch('configmaps', namespace, 'busy', { type: 'merge', body: { data: { others: 'write' } } });
    const operations: JsonPatchOperation[] = [
      { op: 'test', path: '/metadata/uid', value: metadata.uid },
      { op: 'test', path: '/metadata/labels/mine', value: '1' },
      { op: 'replace', path: '/metadata/labels/mine', value: '2' },
    ];
    const patched = await cluster.patch('configmaps', namespace, 'busy', { type: 'json', operations });
    expect(patched.metadata.labels).to.deep.equal({ mine: '2' });
    expect(patched['data']).to.deep.equal({ others: 'write' });
    const again = await failure(cluster.patch('configmaps', namespace, 'busy', { type: 'json', operations }));
    expect(again.kind).to.equal('conflict');
  });

  it('a delete answers undefined when it is gone, and the object when a finalizer holds it', async () => {
    await cluster.create('taskruns', namespace, taskRun('free'));
    const { metadata } = await cluster.create('taskruns', namespace, taskRun('held', ['test.dev/held']));
    expect(await cluster.delete('taskruns', namespace, 'free')).to.equal(undefined);
    const held = await cluster.delete('taskruns', namespace, 'held', { uid: metadata.uid });
    expect(held?.metadata.deletionTimestamp).to.be.a('string');
    expect(held !== undefined && isRemoved(held)).to.equal(false);
  });

  it('the answer to taking the last finalizer off a deleted object shows an object that is gone', async () => {
    const operations: JsonPatchOperation[] = [{ op: 'remove', path: '/metadata/finalizers' }];
    const last = await cluster.patch('taskruns', namespace, 'held', { type: 'json', operations });
    expect(isRemoved(last)).to.equal(true);
    expect((await failure(cluster.read('taskruns', namespace, 'held'))).kind).to.equal('gone');
  });

  it('a lease is replaced under its version only', async () => {
    const lease = await cluster.create('leases', namespace, { metadata: { name: 'l' }, spec: { holderIdentity: 'a' } });
    const replaced = await cluster.replace('leases', namespace, 'l', {
      metadata: { ...lease.metadata },
      spec: { holderIdentity: 'b' },
    });
    expect(replaced['spec']).to.deep.equal({ holderIdentity: 'b' });
    const stale = cluster.replace('leases', namespace, 'l', {
      metadata: { ...lease.metadata },
      spec: { holderIdentity: 'c' },
    });
    expect((await failure(stale)).kind).to.equal('conflict');
  });

  it('a replaced lease that was deleted meanwhile is not made again', async () => {
    const lease = await cluster.create('leases', namespace, { metadata: { name: 'm' } });
    await cluster.delete('leases', namespace, 'm');
    const error = await failure(cluster.replace('leases', namespace, 'm', { metadata: { ...lease.metadata } }));
    expect(error.kind).to.be.oneOf(['conflict', 'gone']);
  });

  it('reviews answer with their status', async () => {
    const status = await cluster.review('subjectaccessreviews', {
      user: 'nobody',
      nonResourceAttributes: { path: '/metrics', verb: 'get' },
    });
    expect(status['allowed']).to.equal(false);
    const token = await cluster.review('tokenreviews', { token: 'no token of anybody' });
    expect(token['authenticated'] ?? false).to.equal(false);
  });

  it('every request is counted with its verb, resource and answer', async () => {
    const counted = connect(server.kubeconfig);
    await failure(counted.cluster.read('pods', namespace, 'no'));
    await counted.cluster.create('pods', namespace, {
      metadata: { name: 'p' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    });
    await counted.cluster.patch('pods', namespace, 'p', {
      type: 'merge',
      body: { metadata: { annotations: { a: 'b' } } },
    });
    await counted.cluster.delete('pods', namespace, 'p');
    const seen = counted.records.map(({ verb, resource, code }) => `${verb} ${resource} ${code}`);
    expect(seen).to.deep.equal(['get pods 404', 'create pods 201', 'patch pods 200', 'delete pods 200']);
    expect(counted.records.every((it) => it.seconds > 0)).to.equal(true);
    await counted.transport.close();
  });
});
