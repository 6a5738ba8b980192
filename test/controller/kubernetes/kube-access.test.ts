// Every way of proving who we are, against a real API server; and what happens when a credential is replaced.
import { expect } from 'chai';
import { createServer, type IncomingMessage } from 'node:http';
import { connect as connectTo } from 'node:net';
import type { Duplex } from 'node:stream';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiError } from '../../../controller/kubernetes/api-errors.ts';
import { KubeAccess, loadKubeConfig } from '../../../controller/kubernetes/kube-access.ts';
import { startApiServer } from '../../support/api-server.ts';
import type { ApiServer } from '../../support/api-server.ts';
import { CertificateAuthority } from '../../support/certificate-authority.ts';
import { connect } from './connect.ts';

describe('access to the API server', function () {
  this.timeout(60_000);
  let server: ApiServer;
  let folder: string;
  let token: string;

  before(async () => {
    server = await startApiServer();
    folder = await mkdtemp(join(tmpdir(), 'kube-access-'));
    const account = '/api/v1/namespaces/default/serviceaccounts';
    await server.ask('POST', account, { metadata: { name: 'us' } });
    await server.ask('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: 'us' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', namespace: 'default', name: 'us' }],
    });
    const made: { status: { token: string } } = await server.ask('POST', `${account}/us/token`, { spec: {} });
    token = made.status.token;
    await server.ask('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'there' } });
  });

  after(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** A kubeconfig with that user, and the CA of the server unless said otherwise. */
  const kubeconfig = async (user: object, ca = join(folder, 'ca.crt'), more: object = {}): Promise<string> => {
    await writeFile(join(folder, 'ca.crt'), server.authority.certificate);
    const file = join(folder, 'kubeconfig');
    const config = {
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server: `${server.url}/`, 'certificate-authority': ca, ...more } }],
      users: [{ name: 'u', user }],
    };
    await writeFile(file, JSON.stringify(config));
    return file;
  };

  const reads = async (file: string, times = 1): Promise<string[]> => {
    const connected = connect(file);
    try {
      for (let i = 0; i < times; i += 1) await connected.cluster.read('configmaps', 'default', 'there');
    } finally {
      await connected.transport.close();
    }
    return connected.records.map((it) => it.code);
  };

  /** Prints a token the way an exec plugin does, and counts its calls. */
  const plugin = async (source: string): Promise<object> => {
    const script = join(folder, 'plugin.sh');
    const answer = '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}';
    await writeFile(script, `#!/bin/sh\necho call >> '${folder}/calls'\nprintf '${answer}' "$(cat '${source}')"\n`, {
      mode: 0o755,
    });
    await writeFile(join(folder, 'calls'), '');
    return { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: script, interactiveMode: 'Never' } };
  };
  const calls = async (): Promise<number> => (await readFile(join(folder, 'calls'), 'utf8')).split('\n').length - 1;

  it('a client certificate', async () => {
    expect(await reads(server.kubeconfig)).to.deep.equal(['200']);
  });

  it('a token in the kubeconfig', async () => {
    expect(await reads(await kubeconfig({ token }))).to.deep.equal(['200']);
  });

  it('a token file, whose line feed at the end does no harm', async () => {
    await writeFile(join(folder, 'token'), `${token}\n`);
    const user = { 'auth-provider': { name: 'tokenFile', config: { tokenFile: join(folder, 'token') } } };
    expect(await reads(await kubeconfig(user))).to.deep.equal(['200']);
  });

  it('a tokenFile, which the library drops, is refused with what to write instead', async () => {
    const file = await kubeconfig({ tokenFile: join(folder, 'token') });
    expect(() => loadKubeConfig(file)).to.throw("tokenFile of user 'u' is not read; write auth-provider:");
  });

  it('a token file that is replaced is read again when the old token is refused', async () => {
    let monotonic = 0;
    await writeFile(join(folder, 'token'), 'expired');
    const user = { 'auth-provider': { name: 'tokenFile', config: { tokenFile: join(folder, 'token') } } };
    const file = await kubeconfig(user);
    const access = new KubeAccess(
      () => loadKubeConfig(file),
      () => monotonic,
    );
    const connected = connect(file, { access });
    await access.credentials();
    await writeFile(join(folder, 'token'), token);
    monotonic += 10_000;
    await connected.cluster.read('configmaps', 'default', 'there');
    expect(connected.records.map((it) => it.code)).to.deep.equal(['401', '200']);
    await connected.transport.close();
  });

  it('through a proxy named in the kubeconfig', async () => {
    const asked: string[] = [];
    const proxy = createServer().on('connect', (request: IncomingMessage, client: Duplex) => {
      asked.push(request.url ?? '');
      const { hostname, port } = new URL(`http://${request.url}`);
      const upstream = connectTo(Number(port), hostname, () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        upstream.pipe(client).pipe(upstream);
      });
      client.on('error', () => upstream.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const address = proxy.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const file = await kubeconfig({ token }, undefined, { 'proxy-url': `http://127.0.0.1:${port}` });
    expect(await reads(file, 2)).to.deep.equal(['200', '200']);
    expect([...new Set(asked)]).to.deep.equal([new URL(server.url).host]);
    await new Promise((resolve) => proxy.close(resolve));
  });

  it('a proxy of another kind is refused with what to do', async () => {
    const connected = connect(await kubeconfig({ token }, undefined, { 'proxy-url': 'socks5://127.0.0.1:1' }));
    const error: unknown = await connected.cluster.read('configmaps', 'default', 'there').catch((it: unknown) => it);
    expect(error)
      .to.be.instanceOf(ApiError)
      .with.property('message')
      .that.matches(/use an http:\/\/ or https:\/\/ proxy/);
    await connected.transport.close();
  });

  it('an exec plugin, asked once for many requests', async () => {
    await writeFile(join(folder, 'secret'), token);
    expect(await reads(await kubeconfig(await plugin(join(folder, 'secret'))), 5)).to.deep.equal(
      Array.from({ length: 5 }, () => '200'),
    );
    expect(await calls()).to.equal(1);
  });

  it('after a 401 everything is read anew, once, and the request sent again', async () => {
    let monotonic = 0;
    await writeFile(join(folder, 'secret'), 'expired');
    const file = await kubeconfig(await plugin(join(folder, 'secret')));
    const access = new KubeAccess(
      () => loadKubeConfig(file),
      () => monotonic,
    );
    const connected = connect(file, { access });
    await access.credentials();
    await writeFile(join(folder, 'secret'), token);
    monotonic += 10_000;
    await connected.cluster.read('configmaps', 'default', 'there');
    expect(connected.records.map((it) => it.code)).to.deep.equal(['401', '200']);
    expect(await calls()).to.equal(2);
    await connected.transport.close();
  });

  it('a credential that stays refused is not asked for on every request', async () => {
    await writeFile(join(folder, 'secret'), 'wrong');
    const connected = connect(await kubeconfig(await plugin(join(folder, 'secret'))));
    for (let i = 0; i < 5; i += 1) {
      const error: unknown = await connected.cluster.read('configmaps', 'default', 'there').catch((it: unknown) => it);
      expect(error).to.be.instanceOf(ApiError).with.property('kind', 'refused');
    }
    expect(await calls()).to.equal(1);
    await connected.transport.close();
  });

  it('a CA file that is replaced is used for new connections without a restart', async () => {
    let monotonic = 0;
    const other = await mkdtemp(join(folder, 'other-'));
    const ca = join(folder, 'rotating.crt');
    await writeFile(ca, (await CertificateAuthority.create(other)).certificate);
    const file = await kubeconfig({ token }, ca);
    const access = new KubeAccess(
      () => loadKubeConfig(file),
      () => monotonic,
    );
    const connected = connect(file, { access });
    const refused: unknown = await connected.cluster.read('configmaps', 'default', 'there').catch((it: unknown) => it);
    expect(refused).to.be.instanceOf(ApiError).with.property('kind', 'unavailable');
    expect(refused).to.have.property('ambiguous', false);
    await writeFile(ca, server.authority.certificate);
    monotonic += 61_000;
    await connected.cluster.read('configmaps', 'default', 'there');
    await connected.transport.close();
  });

  it('a context without a cluster is refused with what to do', async () => {
    const file = join(folder, 'empty');
    await writeFile(file, JSON.stringify({ 'current-context': 'missing', contexts: [], clusters: [], users: [] }));
    expect(
      () =>
        new KubeAccess(
          () => loadKubeConfig(file),
          () => 0,
        ),
    ).to.throw(/current-context 'missing'.*--kubeconfig or KUBECONFIG/);
  });

  it('a kubeconfig that is not there is named, with what to do', () => {
    const file = join(folder, 'nowhere');
    expect(() => loadKubeConfig(file)).to.throw(
      /^kubeconfig \S+nowhere cannot be used: ENOENT.*; name another with --kubeconfig/,
    );
  });

  describe('where nothing says which cluster', () => {
    const { HOME, KUBECONFIG } = process.env;
    beforeEach(() => {
      process.env['HOME'] = folder;
      delete process.env['KUBECONFIG'];
    });
    afterEach(() => {
      for (const [name, value] of Object.entries({ HOME, KUBECONFIG }))
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
    });

    it('there is none: nobody waits for a server on this machine', () => {
      expect(() => loadKubeConfig(undefined)).to.throw(/^no cluster to work on: .* with --kubeconfig$/);
    });
  });
});
