// What surrounds the endpoints of a key server: its certificate, probes, metrics, and what it makes of wrong settings.
import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { request as ask } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { X509Certificate } from 'node:crypto';
import type { Certificate } from '../../../controller/telemetry/endpoint.ts';
import { selfSignedCertificate } from '../../../controller/telemetry/self-signed-certificate.ts';
import { kubectlFor } from '../../cluster/kubectl.ts';
import { openTls, serverName } from './otp-client.ts';
import type { KeyServerProcess } from './key-server-process.ts';
import { operatorNamespace, OtpLab, tokenOf } from './otp-lab.ts';

const program = join(import.meta.dirname, '../../../controller/otp-server/main.ts');

describe('a key server', function () {
  this.timeout(120_000);
  let lab: OtpLab;
  before(async () => (lab = await OtpLab.start()));
  afterEach(() => lab.stopServers());
  after(() => lab?.stop());

  describe('whose certificate is mounted', () => {
    let folders = 0;
    let made = 0;
    // Two of one name could not be told apart in a list of trusted ones.
    const newCertificate = (): Certificate =>
      selfSignedCertificate({ names: [`version-${++made}`, serverName], notBefore: Date.now() - 60_000, days: 1 });
    const fingerprintOf = ({ cert }: Certificate): string => new X509Certificate(cert).fingerprint256;
    /** As the kubelet does: a folder for each version, and a link that is moved from one to the next. */
    const mount = (folder: string, { cert, key }: Certificate): void => {
      const version = join(folder, `..${++folders}`);
      mkdirSync(version, { recursive: true });
      writeFileSync(join(version, 'tls.crt'), cert);
      writeFileSync(join(version, 'tls.key'), key);
      const data = join(folder, '..data');
      symlinkSync(version, `${data}_tmp`);
      renameSync(`${data}_tmp`, data);
      for (const name of ['tls.crt', 'tls.key'])
        if (folders === 1) symlinkSync(join('..data', name), join(folder, name));
    };

    it('takes over a new one under load; no request fails, and open connections stay', async () => {
      const folder = join(lab.folder, 'tls');
      const [first, second] = [newCertificate(), newCertificate()];
      mount(folder, first);
      const server = await lab.startServer([`--tls-folder=${folder}`, '--max-requests-per-second-and-source=1000']);
      const ca = [first.cert, second.cert].join('');
      const old = await openTls(server.port, ca);
      const askOnIt = async (): Promise<string> => {
        old.write('POST /otp HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx');
        const [answer]: unknown[] = await once(old, 'data');
        return String(answer).split('\r\n', 1)[0] ?? '';
      };
      let seen = '';
      mount(folder, second);
      while (seen !== fingerprintOf(second)) {
        const answers = await Promise.all(Array.from({ length: 4 }, () => lab.ask(server, '/otp', { ca, body: 'x' })));
        for (const { status } of answers) expect(status).to.equal(400);
        seen = answers[0]?.fingerprint ?? '';
        expect(await askOnIt()).to.equal('HTTP/1.1 400 Bad Request');
        await sleep(250);
      }
      expect(old.destroyed).to.be.false;
      expect(old.getPeerCertificate().fingerprint256).to.equal(fingerprintOf(first));
      old.destroy();
      expect(server.output()).to.contain('certificate replaced').and.not.to.contain('PRIVATE KEY');
    });

    it('keeps the one it has when the new one is half written', async () => {
      const folder = join(lab.folder, 'broken-tls');
      mkdirSync(folder);
      const [first, second] = [newCertificate(), newCertificate()];
      writeFileSync(join(folder, 'tls.crt'), first.cert);
      writeFileSync(join(folder, 'tls.key'), first.key);
      const server = await lab.startServer([`--tls-folder=${folder}`]);
      writeFileSync(join(folder, 'tls.crt'), second.cert);
      while (!server.output().includes('the certificate could not be read')) await sleep(50);
      const { fingerprint } = await lab.ask(server, '/otp', { ca: first.cert, body: 'x' });
      expect(fingerprint).to.equal(fingerprintOf(first));
    });

    it('waits for it, unready, when it is not there yet and nobody said that it may make one', async () => {
      const folder = join(lab.folder, 'late-tls');
      mkdirSync(folder);
      const server = await lab.spawnServer([`--tls-folder=${folder}`, '--make-certificate=false']);
      while (!server.output().includes('waiting for the certificate')) await sleep(20);
      expect((await fetch(`http://127.0.0.1:${server.healthPort}/readyz`)).status).to.equal(503);
      const certificate = newCertificate();
      writeFileSync(join(folder, 'tls.key'), certificate.key);
      writeFileSync(join(folder, 'tls.crt'), certificate.cert);
      await server.untilReady();
      expect((await lab.ask(server, '/otp', { ca: certificate.cert, body: 'x' })).status).to.equal(400);
    });
  });

  it('makes a certificate for its Service names, and the next one shows the same', async () => {
    const certificates = [await lab.startServer(), await lab.startServer()].map((server) => lab.ask(server, '/otp'));
    const [one, other] = await Promise.all(certificates);
    expect(one?.fingerprint).to.equal(other?.fingerprint);
    expect(new X509Certificate(lab.ca).subjectAltName?.split(', ')).to.deep.equal([
      'DNS:multi-platform-otp-server.multi-platform-controller.svc',
      `DNS:${serverName}`,
      'DNS:multi-platform-otp-server.multi-platform-controller',
      'DNS:multi-platform-otp-server',
    ]);
  });

  it('is told apart from healthy and ready when it stops', async () => {
    const server = await lab.startServer(['--stop-delay=2s']);
    const statusOf = async (path: string): Promise<number> =>
      (await fetch(`http://127.0.0.1:${server.healthPort}${path}`)).status;
    expect([await statusOf('/healthz'), await statusOf('/readyz')]).to.deep.equal([200, 200]);
    const stopped = server.stop();
    while ((await statusOf('/readyz')) === 200) await sleep(10);
    expect(await statusOf('/healthz')).to.equal(200);
    // Those who do not know yet are served.
    expect((await lab.ask(server, '/otp', { body: 'x' })).status).to.equal(400);
    expect(await stopped).to.equal(0);
  });

  describe('metrics', () => {
    const scrape = (server: KeyServerProcess, token?: string): Promise<{ status: number; body: string }> =>
      new Promise((resolve, reject) => {
        const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
        const options = { host: '127.0.0.1', port: server.metricsPort, path: '/metrics', rejectUnauthorized: false };
        ask({ ...options, headers, agent: false }, (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        })
          .on('error', reject)
          .end();
      });

    it('are shown to whoever may read metrics, and count what happened', async () => {
      await kubectlFor(lab.api.kubeconfig).run([
        'create',
        'clusterrole',
        'scraper',
        '--verb=get',
        '--non-resource-url=/metrics',
      ]);
      const subject = `--serviceaccount=${operatorNamespace}:stranger`;
      await kubectlFor(lab.api.kubeconfig).run([
        'create',
        'clusterrolebinding',
        'scraper',
        '--clusterrole=scraper',
        subject,
      ]);
      const server = await lab.startServer();
      const { body: token } = await lab.store(server, 'metrics', 'key');
      await lab.redeem(server, token);
      await lab.redeem(server, token);
      const allowed = await tokenOf(lab.api, 'stranger', []);
      const statuses = [
        await scrape(server),
        await scrape(server, 'x'),
        await scrape(server, await tokenOf(lab.api, 'multi-platform-provision', [])),
      ];
      expect(statuses.map(({ status }) => status)).to.deep.equal([401, 401, 403]);
      const { status, body } = await scrape(server, allowed);
      expect(status).to.equal(200);
      for (const line of [
        'multi_platform_otp_server_requests_total{path="/store-key",code="200"} 1',
        'multi_platform_otp_server_requests_total{path="/otp",code="200"} 1',
        'multi_platform_otp_server_requests_total{path="/otp",code="400"} 1',
        'multi_platform_otp_server_tokens_refused_total{reason="spent"} 1',
      ])
        expect(body).to.contain(line);
      expect(body)
        .to.match(/^multi_platform_otp_server_stored_keys \d+$/m)
        .and.not.to.contain(token);
    });
  });

  describe('that lets anybody store keys', () => {
    it('takes them from scripts that send no token, but not as those of a build', async () => {
      const server = await lab.startServer(['--allow-unauthenticated-store-key']);
      const headers = {
        'x-taskrun-uid': 'taken',
        'x-taskrun-namespace': 'a',
        'x-taskrun-name': 'b',
        'x-taskrun-attempt': '9',
      };
      const { status, body: token } = await lab.ask(server, '/store-key', { body: 'key', headers });
      expect(status).to.equal(200);
      expect(await lab.stored('taken')).to.equal(undefined);
      expect(await lab.redeem(server, token)).to.include({ status: 200, body: 'key' });
    });

    it('still refuses a token that is no good', async () => {
      const server = await lab.startServer(['--allow-unauthenticated-store-key']);
      const answer = await lab.ask(server, '/store-key', { body: 'key', headers: lab.bearer('stranger') });
      expect(answer.status).to.equal(403);
    });
  });

  const wrong: readonly (readonly [string, string])[] = [
    ['--log-level=loud', "--log-level: 'loud'"],
    ['--listen-address=8443', "--listen-address: '8443'"],
    ['--keep-keys=forever', "'forever' is not a time"],
    ['--max-connections=0', "'0' is not a number"],
    ['--make-certificate=maybe', 'neither true nor false'],
    ['--kubeconfig=/nonexistent', '/nonexistent'],
    ['--no-such-flag', '--no-such-flag'],
  ];
  for (const [flag, sentence] of wrong) {
    it(`ends with a sentence when started with ${flag}`, async () => {
      const args = [
        program,
        `--kubeconfig=${lab.kubeconfig}`,
        '--metrics-bind-address=0',
        '--health-probe-bind-address=0',
        '--tls-folder=/nonexistent',
        '--make-certificate',
        flag,
      ];
      const said = await new Promise<{ code: unknown; text: string }>((resolve) => {
        execFile(process.execPath, args, { timeout: 20_000 }, (error, _stdout, text) =>
          resolve({ code: error?.code, text }),
        );
      });
      expect(said.code).to.equal(1);
      expect(said.text).to.contain(sentence);
    });
  }
});
