// Trouble between us and a real API server, request by request.
import { expect } from 'chai';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { ApiError } from '../../../controller/kubernetes/api-errors.ts';
import type { Patch } from '../../../controller/kubernetes/cluster.ts';
import { startApiServer } from '../../support/api-server.ts';
import type { ApiServer } from '../../support/api-server.ts';
import { startChaosProxy } from '../../support/chaos-proxy.ts';
import type { ChaosProxy } from '../../support/chaos-proxy.ts';
import type { Mischief } from '../../support/chaos-rules.ts';
import { connect } from './connect.ts';
import type { Connected } from './connect.ts';

const namespace = 'x';

async function outcome(promise: Promise<unknown>): Promise<ApiError | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}

interface Answered {
  readonly response: { readonly headers: readonly Buffer[] };
}

function isAnswered(message: unknown): message is Answered {
  return typeof message === 'object' && message !== null && 'response' in message;
}

/** Of the answer a message of undici's diagnostics tells about; its headers are names and values by turns. */
function encodingOf(message: unknown): string {
  const texts = isAnswered(message) ? message.response.headers.map((it) => it.toString().toLowerCase()) : [];
  return texts[texts.indexOf('content-encoding') + 1] ?? '';
}

describe('transport through a proxy that misbehaves', function () {
  this.timeout(60_000);
  let server: ApiServer;
  let proxy: ChaosProxy;
  let kubeconfig: string;
  let connected: Connected;
  let made = 0;

  before(async () => {
    server = await startApiServer();
    await server.createNamespace(namespace);
  });

  beforeEach(async () => {
    proxy = await startChaosProxy(server);
    kubeconfig = await server.writeKubeconfig({ url: proxy.url });
    connected = connect(kubeconfig);
  });

  afterEach(async () => {
    await connected.transport.close();
    await proxy.stop();
  });

  after(async () => server?.stop());

  const once = (mischief: Mischief): void => void proxy.add({ times: 1, mischief });
  const create = async (): Promise<string> => {
    made += 1;
    const name = `made-${made}`;
    await connected.cluster.create('configmaps', namespace, { metadata: { name } });
    return name;
  };

  const repeated: readonly [string, Mischief][] = [
    ['a broken connection', { type: 'cut' }],
    ['an answer that got lost', { type: 'lose-answer' }],
    ['a 500', { type: 'answer', status: 500 }],
    ['a 503', { type: 'answer', status: 503 }],
    ['a 429 with Retry-After', { type: 'answer', status: 429, headers: { 'retry-after': '0' } }],
    ['a 401', { type: 'answer', status: 401 }],
  ];
  for (const [what, mischief] of repeated) {
    it(`a read survives ${what}`, async () => {
      const name = await create();
      once(mischief);
      expect((await connected.cluster.read('configmaps', namespace, name)).metadata.name).to.equal(name);
      expect(proxy.count({ verb: 'get' })).to.equal(2);
    });
  }

  it('a create is sent again after 429 and 503 with Retry-After: the server has not looked at it', async () => {
    once({ type: 'answer', status: 429, headers: { 'retry-after': '0' } });
    once({ type: 'answer', status: 503, headers: { 'retry-after': '0' } });
    await create();
    expect(proxy.count({ verb: 'create' })).to.equal(3);
  });

  const ambiguous: readonly [string, Mischief][] = [
    ['a connection that broke', { type: 'cut' }],
    ['an answer that got lost', { type: 'lose-answer' }],
    ['a 500 without Retry-After', { type: 'answer', status: 500 }],
    ['a 504', { type: 'answer', status: 504 }],
  ];
  for (const [what, mischief] of ambiguous) {
    it(`a create is never sent twice: after ${what} it may have taken effect`, async () => {
      once(mischief);
      const error = await outcome(create());
      expect(error?.ambiguous).to.equal(true);
      expect(proxy.count({ verb: 'create' })).to.equal(1);
    });
  }

  it('a JSON Patch with a test is sent again after a lost answer, and then says that it no longer applies', async () => {
    const name = await create();
    const claim: Patch = {
      type: 'json',
      operations: [
        { op: 'test', path: '/data', value: null },
        { op: 'add', path: '/data', value: { claimed: 'by us' } },
      ],
    };
    once({ type: 'lose-answer' });
    const error = await outcome(connected.cluster.patch('configmaps', namespace, name, claim));
    expect([error?.kind, error?.ambiguous]).to.deep.equal(['conflict', true]);
    expect((await connected.cluster.read('configmaps', namespace, name))['data']).to.deep.equal({ claimed: 'by us' });
  });

  it('a merge patch is not sent again after a lost answer', async () => {
    const name = await create();
    once({ type: 'lose-answer' });
    const error = await outcome(connected.cluster.patch('configmaps', namespace, name, { type: 'merge', body: {} }));
    expect([error?.kind, error?.ambiguous]).to.deep.equal(['unavailable', true]);
    expect(proxy.count({ verb: 'patch' })).to.equal(1);
  });

  it('a server that is not reachable leaves no doubt: nothing was sent', async () => {
    proxy.down();
    const error = await outcome(create());
    expect([error?.kind, error?.ambiguous]).to.deep.equal(['unavailable', false]);
    expect(proxy.requests).to.deep.equal([]);
  });

  it('a mutation has a deadline', async () => {
    const hasty = connect(kubeconfig, { limits: { mutationDeadline: 100 } });
    once({ type: 'silence' });
    const error = await outcome(hasty.cluster.create('configmaps', namespace, { metadata: { name: 'late' } }));
    expect([error?.kind, error?.ambiguous]).to.deep.equal(['timeout', true]);
    expect(hasty.records.map((it) => it.code)).to.deep.equal(['timeout']);
    await hasty.transport.close();
  });

  it('a Retry-After beyond the deadline is told instead of waited for', async () => {
    once({ type: 'answer', status: 429, headers: { 'retry-after': '20' } });
    const error = await outcome(create());
    expect([error?.kind, error?.retryAfter]).to.deep.equal(['throttled', 20_000]);
    expect(proxy.count({ verb: 'create' })).to.equal(1);
  });

  it('without leadership no mutation leaves the process, but reads, reviews and the election itself do', async () => {
    const standby = connect(kubeconfig, { mayMutate: () => 0 });
    const { cluster } = standby;
    const refused = await Promise.all([
      outcome(cluster.create('secrets', namespace, { metadata: { name: 'a' } })),
      outcome(cluster.patch('pods', namespace, 'a', { type: 'merge', body: {} })),
      outcome(cluster.delete('taskruns', namespace, 'a')),
    ]);
    expect(refused.map((it) => it?.kind)).to.deep.equal(['fenced', 'fenced', 'fenced']);
    expect(proxy.requests).to.deep.equal([]);
    await cluster.create('leases', namespace, { metadata: { name: 'election' } });
    await cluster.review('tokenreviews', { token: 'x' });
    await cluster.read('leases', namespace, 'election');
    await standby.transport.close();
  });

  it('a mutation waits no longer than leadership is certain', async () => {
    const leader = connect(kubeconfig, { mayMutate: () => 50, limits: { mutationDeadline: 60_000 } });
    once({ type: 'silence' });
    const error = await outcome(leader.cluster.create('secrets', namespace, { metadata: { name: 'short' } }));
    expect([error?.kind, error?.ambiguous]).to.deep.equal(['timeout', true]);
    await leader.transport.close();
  });

  it('fifty reads at once and fifty after another share a few connections', async () => {
    const name = await create();
    const read = async (): Promise<unknown> => connected.cluster.read('configmaps', namespace, name);
    await Promise.all(Array.from({ length: 50 }, read));
    for (let i = 0; i < 50; i += 1) await read();
    expect(proxy.connections).to.be.at.most(16);
  });

  it('a renewal of the leader Lease does not stand behind a hundred requests that nobody answers', async () => {
    proxy.add({ resource: 'configmaps', mischief: { type: 'silence' } });
    const stuck = Array.from({ length: 100 }, () => outcome(connected.cluster.read('configmaps', namespace, 'any')));
    await connected.cluster.create('leases', namespace, {
      metadata: { name: 'leader' },
      spec: { holderIdentity: 'us' },
    });
    const lease = await connected.cluster.read('leases', namespace, 'leader');
    const spec = { holderIdentity: 'us', leaseTransitions: 1 };
    await connected.cluster.replace('leases', namespace, 'leader', { metadata: { ...lease.metadata }, spec });
    await connected.transport.close();
    const kinds = new Set((await Promise.all(stuck)).map((it) => it?.kind));
    expect([...kinds]).to.deep.equal(['unavailable']);
  });

  it('a long list comes packed and is unpacked', async () => {
    const encodings: string[] = [];
    const note = (message: unknown): void => void encodings.push(encodingOf(message));
    subscribe('undici:request:headers', note);
    for (let i = 0; i < 3; i += 1) {
      const name = await create();
      const text = { type: 'merge', body: { data: { text: 'ä'.repeat(50_000) } } } as const;
      await connected.cluster.patch('configmaps', namespace, name, text);
    }
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const answer = await connected.transport.request({
      verb: 'list',
      resource: 'configmaps',
      path,
      repeatable: true,
      fenced: false,
    });
    unsubscribe('undici:request:headers', note);
    expect(encodings.at(-1)).to.equal('gzip');
    const list: { items: { data?: { text?: string } }[] } = JSON.parse(answer);
    expect(list.items.filter((it) => it.data?.text === 'ä'.repeat(50_000))).to.have.length(3);
  });

  it('a removal leaves its connection open for the next request', async () => {
    const name = await create();
    const before = proxy.connections;
    for (let i = 0; i < 20; i += 1)
      await connected.cluster.delete('configmaps', namespace, name).catch(() => undefined);
    await connected.cluster.read('configmaps', namespace, await create());
    expect(proxy.connections - before).to.be.at.most(1);
  });
});
