// A key server under attack: floods, sloth and size on the loopback network. After each the next honest request is served.
import { expect } from 'chai';
import { request } from 'node:https';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { startChaosProxy } from '../../support/chaos-proxy.ts';
import { openSocket, openTls, serverName } from './otp-client.ts';
import type { KeyServerProcess } from './key-server-process.ts';
import { buildHeaders, OtpLab } from './otp-lab.ts';

const maxConnections = 64;
const perSource = 16;
/** Where honest builds come from here. */
const honest = '127.0.0.77';

describe('a key server under attack', function () {
  this.timeout(180_000);
  let lab: OtpLab;
  let server: KeyServerProcess;
  let builds = 0;

  before(async () => {
    lab = await OtpLab.start();
    server = await lab.startServer([
      `--max-connections=${maxConnections}`,
      `--max-connections-per-source=${perSource}`,
      '--max-requests-per-second-and-source=2',
    ]);
  });
  afterEach(async () => {
    const uid = `00000000-0000-4000-8000-${String(++builds).padStart(12, '0')}`;
    const from = `127.0.1.${builds}`;
    const headers = { ...lab.bearer(), 'x-taskrun-uid': uid, 'x-taskrun-namespace': 'a', 'x-taskrun-name': 'b' };
    const stored = await lab.ask(server, '/store-key', {
      body: 'key',
      from,
      headers: { ...headers, 'x-taskrun-attempt': '1' },
    });
    expect(stored.status).to.equal(200);
    expect(await lab.ask(server, '/otp', { body: stored.body, from })).to.include({ status: 200, body: 'key' });
  });
  after(() => lab?.stop());

  /** However each of them ends. */
  const closed = async (sockets: readonly Socket[]): Promise<void> => {
    const open = sockets.filter((socket) => !socket.closed);
    await Promise.all(open.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
  };

  it('serves others while one address opens all it can, and closes what says nothing', async () => {
    const sockets = await Promise.all(Array.from({ length: 300 }, () => openSocket(server.port)));
    const { status } = await lab.ask(server, '/otp', { body: 'x', from: honest });
    expect(status).to.equal(400);
    await closed(sockets);
  });

  it('lives through 10,000 connections of many addresses', async () => {
    let opened = 0;
    const attack = async (worker: number): Promise<void> => {
      for (let count = 0; count < 100; count += 1) {
        const socket = await openSocket(server.port, `127.0.2.${worker}`).catch(() => undefined);
        opened += socket === undefined ? 0 : 1;
        socket?.destroy();
      }
    };
    await Promise.all(Array.from({ length: 100 }, (_, worker) => attack(worker + 1)));
    expect(opened).to.be.greaterThan(9_000);
  });

  it('holds no more connections than it may, and takes new ones when these have timed out', async () => {
    const sockets = await Promise.all(
      Array.from({ length: 2 * maxConnections }, (_, index) => openSocket(server.port, `127.0.3.${index + 1}`)),
    );
    const dropped = sockets.slice(maxConnections);
    await closed(dropped);
    expect(sockets.slice(0, maxConnections - 2).every((socket) => !socket.closed)).to.be.true;
    await closed(sockets);
  });

  it('takes keys at the port for provision pods while builds hold every connection at theirs, and gives none away there', async () => {
    const flood = Array.from({ length: 4 * maxConnections }, (_, index) => `127.0.4.${1 + (index % 100)}`);
    const sockets = await Promise.all(flood.map((from) => openSocket(server.port, from).catch(() => undefined)));
    const at = { port: server.storePort, from: honest };
    const uid = '00000000-0000-4000-8000-00000000f00d';
    const headers = { ...lab.bearer(), ...buildHeaders(uid) };
    const stored = await lab.ask(server, '/store-key', { ...at, body: 'key', headers });
    expect(stored.status).to.equal(200);
    expect(await lab.ask(server, '/otp', { ...at, body: stored.body })).to.include({ status: 404, body: '' });
    await closed(sockets.flatMap((socket) => socket ?? []));
    expect(await lab.redeem(server, stored.body)).to.include({ status: 200, body: 'key' });
  });

  it('asks who a provision pod is while strangers wait for an answer about themselves at the other entrance', async () => {
    const proxy = await startChaosProxy(lab.api);
    proxy.add({ resource: 'tokenreviews', times: 4, mischief: { type: 'silence' } });
    const kept = await lab.startServer([], await lab.api.writeKubeconfig({ url: proxy.url }));
    const stranger = (nth: number) =>
      lab.ask(kept, '/store-key', { body: 'key', headers: { authorization: `Bearer stranger-${nth}` } });
    const strangers = Promise.all([0, 1, 2, 3].map(stranger));
    while (proxy.count({ resource: 'tokenreviews' }) < 4) await sleep(10);
    expect((await stranger(4)).status).to.equal(429);
    const headers = { ...lab.bearer(), ...buildHeaders('00000000-0000-4000-8000-00000000beef') };
    const stored = await lab.ask(kept, '/store-key', { port: kept.storePort, body: 'key', headers });
    expect(stored.status, stored.body).to.equal(200);
    expect((await strangers).map(({ status }) => status)).to.deep.equal([503, 503, 503, 503]);
    await kept.stop();
    await proxy.stop();
  });

  it('waits for neither slow headers nor slow bodies', async () => {
    const slow = async (start: string): Promise<Socket> => {
      const socket = await openTls(server.port, lab.ca);
      socket.write(start);
      const drip = setInterval(() => socket.write('a'), 500);
      socket.once('close', () => clearInterval(drip));
      socket.resume();
      return socket;
    };
    const sockets = await Promise.all([
      slow('POST /otp HTTP/1.1\r\nHost: x\r\nX-Slow: '),
      slow('POST /otp HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n'),
      slow('POST /otp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n'),
      openTls(server.port, lab.ca),
    ]);
    await closed(sockets);
  });

  it('refuses a body of 1 GiB before it is sent', async () => {
    const sent = request({
      host: '127.0.0.1',
      port: server.port,
      path: '/otp',
      method: 'POST',
      ca: lab.ca,
      servername: serverName,
      agent: false,
      headers: { 'content-length': 2 ** 30, expect: '100-continue' },
    });
    sent.on('error', () => undefined);
    let asked = false;
    sent.on('continue', () => (asked = true));
    sent.flushHeaders();
    const status = await new Promise<number | undefined>((resolve) =>
      sent.on('response', (response) => resolve(response.statusCode)),
    );
    expect([status, asked]).to.deep.equal([413, false]);
    sent.destroy();
  });

  it('stops reading a body without end', async () => {
    const socket = await openTls(server.port, lab.ca);
    socket.write('POST /otp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = `4000\r\n${'a'.repeat(0x4000)}\r\n`;
    let answer = '';
    let written = 0;
    socket.on('data', (text: Buffer) => (answer += text.toString()));
    while (!socket.closed && !socket.destroyed && written < 64 * 2 ** 20) {
      written += chunk.length;
      await new Promise<void>((resolve) => socket.write(chunk, () => resolve()));
    }
    await closed([socket]);
    expect(written).to.be.lessThan(16 * 2 ** 20);
    expect(answer === '' || answer.startsWith('HTTP/1.1 413')).to.be.true;
  });

  it('refuses what is no HTTP, no TLS, and headers without end', async () => {
    const plain = await openSocket(server.port);
    plain.write('GET /otp HTTP/1.1\r\nHost: x\r\n\r\n');
    const rubbish = await openTls(server.port, lab.ca);
    rubbish.write('\u0000\u0001\u0002\r\n\r\n');
    const endless = await openTls(server.port, lab.ca);
    endless.write(`POST /otp HTTP/1.1\r\nX-Long: ${'a'.repeat(64 * 1024)}\r\n\r\n`);
    for (const socket of [plain, rubbish, endless]) socket.resume();
    await closed([plain, rubbish, endless]);
  });

  it('counts the requests of each address: too many get 429 and are told when to come again', async () => {
    const from = '127.0.0.66';
    const answers = await Promise.all(Array.from({ length: 12 }, () => lab.ask(server, '/otp', { body: 'x', from })));
    const more = await Promise.all(Array.from({ length: 12 }, () => lab.ask(server, '/otp', { body: 'x', from })));
    const refused = [...answers, ...more].filter(({ status }) => status === 429);
    // A burst of 20 is free, and some came back while we asked.
    expect(refused.length).to.be.within(1, 4);
    for (const { headers } of refused) expect(headers['retry-after']).to.equal('1');
    expect((await lab.ask(server, '/otp', { body: 'x', from: honest })).status).to.equal(400);
  });

  it('speaks TLS 1.2 and 1.3, and nothing older', async () => {
    const versions = ['TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
    const spoken = await Promise.all(
      versions.map((version) => {
        // A client that would speak the older one, if the server did.
        const ciphers = 'DEFAULT@SECLEVEL=0';
        const wanted = { minVersion: version, maxVersion: version, ciphers };
        const to = { port: server.port, host: '127.0.0.1', localAddress: honest };
        const socket = connect(Object.assign(to, wanted, { ca: lab.ca, servername: serverName }));
        return new Promise<boolean>((resolve) => {
          socket.once('secureConnect', () => resolve(true)).once('error', () => resolve(false));
        }).finally(() => socket.destroy());
      }),
    );
    expect(spoken).to.deep.equal([false, true, true]);
  });
});
