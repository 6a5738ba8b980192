import { expect } from 'chai';
import { request as plainRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { request as secureRequest } from 'node:https';
import { Writable } from 'node:stream';
import { connect } from 'node:net';
import { once } from 'node:events';
import type { Certificate } from '../../../controller/telemetry/endpoint.ts';
import { createLogger } from '../../../controller/telemetry/logger.ts';
import { MetricsServer, type MetricsServerOptions } from '../../../controller/telemetry/metrics-server.ts';
import { selfSignedCertificate } from '../../../controller/telemetry/self-signed-certificate.ts';
import { TokenGate } from '../../../controller/telemetry/token-gate.ts';

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const address = { host: '127.0.0.1', port: 0 };
const allowed = { authorization: 'Bearer good' };

/** One request on its own connection. With `ca` over TLS, verified. */
function ask(port: number, options: RequestOptions & { readonly ca?: string } = {}): Promise<Answer> {
  const send = options.ca === undefined ? plainRequest : secureRequest;
  return new Promise((resolve, reject) => {
    const all = { host: '127.0.0.1', servername: 'localhost', port, path: '/metrics', agent: false, ...options };
    send(all, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
    })
      .on('error', reject)
      .end();
  });
}

function newCertificate(): Certificate {
  return selfSignedCertificate({ names: ['localhost'], notBefore: Date.now() - 60_000, days: 1 });
}

describe('MetricsServer', () => {
  const users = new Map([
    ['good', 'prometheus'],
    ['other', 'tenant'],
  ]);
  const gate = new TokenGate(
    {
      authenticate: (token) => {
        if (token === 'down') return Promise.reject(new Error('API server down'));
        const username = users.get(token);
        return Promise.resolve(username === undefined ? undefined : { username, groups: [] });
      },
      authorize: ({ username }) => Promise.resolve(username === 'prometheus'),
    },
    { monotonic: () => 0 },
  );
  let log: string;
  let server: MetricsServer | undefined;

  async function start(changes: Partial<MetricsServerOptions> = {}): Promise<number> {
    const output = new Writable({
      write(chunk: Buffer, _encoding, done) {
        log += chunk.toString();
        done();
      },
    });
    server = await MetricsServer.start({
      address,
      certificates: undefined,
      gate,
      metrics: { contentType: 'text/plain; version=0.0.4', render: () => Promise.resolve('leader 1\n') },
      logger: createLogger({ level: 'info', output }),
      ...changes,
    });
    return server.port;
  }

  beforeEach(() => {
    log = '';
    server = undefined;
  });
  afterEach(() => server?.close());

  it('serves the metrics over TLS to a user who may read them', async () => {
    const certificate = newCertificate();
    const port = await start({ certificates: { current: () => Promise.resolve(certificate) } });
    const answer = await ask(port, { ca: certificate.cert, headers: allowed });
    expect(answer).to.include({ status: 200, body: 'leader 1\n' });
    expect(answer.headers).to.include({ 'content-type': 'text/plain; version=0.0.4', 'cache-control': 'no-store' });
  });

  it('speaks no plain HTTP on the TLS port', async () => {
    const port = await start({ certificates: { current: () => Promise.resolve(newCertificate()) } });
    const failure = await ask(port, { headers: allowed }).catch((error: unknown) => error);
    expect(failure).to.be.an.instanceOf(Error);
  });

  const refused: readonly (readonly [string, RequestOptions, number])[] = [
    ['no token', {}, 401],
    ["nobody's token", { headers: { authorization: 'Bearer bad' } }, 401],
    ['a user who may not', { headers: { authorization: 'Bearer other' } }, 403],
    ['a token when the API server is away', { headers: { authorization: 'Bearer down' } }, 503],
    ['another path', { headers: allowed, path: '/' }, 404],
    ['a path that only begins alike', { headers: allowed, path: '/metrics/x' }, 404],
    ['POST', { headers: allowed, method: 'POST' }, 405],
  ];
  for (const [title, options, status] of refused) {
    it(`answers ${status} to ${title}, without metrics`, async () => {
      const answer = await ask(await start(), options);
      expect(answer.status).to.equal(status);
      expect(answer.body).not.to.contain('leader');
      expect(answer.headers['www-authenticate']).to.equal(status === 401 ? 'Bearer' : undefined);
    });
  }

  it('says in the log that the API server was away, without the token', async () => {
    await ask(await start(), { headers: { authorization: 'Bearer down' } });
    expect(log).to.contain('API server down').and.not.contain('Bearer');
  });

  it('answers 500 and stays up when the metrics cannot be rendered', async () => {
    const render = (): Promise<string> => Promise.reject(new Error('broken gauge'));
    const port = await start({ metrics: { contentType: 'text/plain', render } });
    const answers = [await ask(port, { headers: allowed }), await ask(port, { headers: allowed })];
    expect(answers.map(({ status }) => status)).to.deep.equal([500, 500]);
    expect(log).to.contain('broken gauge');
    expect(answers[0]?.body).not.to.contain('broken gauge');
  });

  it('takes over a renewed certificate without a restart', async () => {
    let certificate = newCertificate();
    const port = await start({ certificates: { current: () => Promise.resolve(certificate) } });
    certificate = newCertificate();
    await server?.reloadCertificate();
    expect(await ask(port, { ca: certificate.cert, headers: allowed })).to.include({ status: 200 });
    expect(log).to.contain('metrics certificate replaced').and.not.contain('PRIVATE KEY');
  });

  it('keeps the old certificate when the new one is broken', async () => {
    const certificate = newCertificate();
    let broken = false;
    const current = (): Promise<Certificate> =>
      broken ? Promise.reject(new Error('half written')) : Promise.resolve(certificate);
    const port = await start({ certificates: { current } });
    broken = true;
    await server?.reloadCertificate();
    expect(await ask(port, { ca: certificate.cert, headers: allowed })).to.include({ status: 200 });
    expect(log).to.contain('half written');
  });

  it('rejects when its address is taken', async () => {
    const port = await start();
    const second = MetricsServer.start({
      address: { host: '127.0.0.1', port },
      certificates: undefined,
      gate,
      metrics: { contentType: '', render: () => Promise.resolve('') },
      logger: createLogger({ level: 'error' }),
    });
    expect(await second.catch((error: unknown) => String(error))).to.contain('EADDRINUSE');
  });

  it('closes although a client holds a connection open', async () => {
    const port = await start();
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const ended = once(socket, 'close');
    await server?.close();
    await ended;
    server = undefined;
  });
});
