// Provisioning where a one-time password server is installed: the key goes there, the Secret gets a token.
// The server here is a small HTTPS one under the real name and port: what is tested is what the task sends it. otp-hand-over.test.ts
// has the real one.
import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProviderLab } from './provider-lab.ts';
import { startRelay, type Relay } from './relay.ts';
import { otpTokenFile } from './tenant-api.ts';

const name = 'multi-platform-otp-server.multi-platform-controller.svc.cluster.local';

describe('provision-shared-host with a one-time password server', function () {
  this.timeout(60_000);
  let lab: ProviderLab;
  let relay: Relay;
  let server: Server;
  let certificate: string;
  let answer = { status: 200, body: '' };
  const requests: { method: string; url: string; headers: IncomingHttpHeaders; body: string }[] = [];

  before(async () => {
    lab = await ProviderLab.start();
    const folder = mkdtempSync(join(tmpdir(), 'otp-'));
    const [crt, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
    const names = ['-subj', '/CN=otp', '-addext', `subjectAltName=DNS:${name}`];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        ...names,
        '-keyout',
        key,
        '-out',
        crt,
      ],
      { stdio: 'ignore' },
    );
    certificate = readFileSync(crt, 'utf8');
    server = createServer({ cert: certificate, key: readFileSync(key) }, (request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += String(chunk)));
      request.on('end', () => {
        requests.push({ method: request.method!, url: request.url!, headers: request.headers, body });
        response.writeHead(answer.status).end(answer.body);
      });
    });
    rmSync(folder, { recursive: true });
    relay = await startRelay(lab.host, 8444, (inside) => server.emit('connection', inside));
  });
  after(async () => {
    await relay.stop();
    server.closeAllConnections();
    await lab.stop();
  });
  beforeEach(() => requests.splice(0));

  const pod = (): { files: Record<string, string> } => ({
    files: { '/tls/tls.crt': certificate, '/etc/hosts': `127.0.0.1 localhost ${name}\n` },
  });

  it('stores the key with its own token, and puts the exact bytes that builds expect into the Secret', async () => {
    answer = { status: 200, body: 'abcdefghij-ABCDEFGHIJ0' };
    const build = lab.aBuild();
    const { code, log, results } = await lab.provision(build, pod());
    expect(code, log).to.equal(0);
    expect(results).to.deep.equal({ ONE_TIME_KEY: 'true' });
    const values = await lab.api.values('team-a', build.secret);
    const user = values['host']!.split('@')[0];
    expect(values).to.deep.equal({
      otp: 'abcdefghij-ABCDEFGHIJ0',
      'otp-ca': certificate,
      'otp-server': `https://${name}/otp\n`,
      host: `${user}@127.0.0.1\n`,
      'user-dir': `/home/${user}\n`,
    });
    const [request] = requests;
    expect(request).to.include({ method: 'POST', url: '/store-key' });
    // Not the pod's own token, with which one could act as the pod.
    expect(request!.headers).to.include({
      authorization: `Bearer ${lab.api.podFiles[otpTokenFile]}`,
      'x-taskrun-uid': build.params['TASKRUN_UID'],
      'x-taskrun-namespace': 'team-a',
      'x-taskrun-name': build.name,
      'x-taskrun-attempt': '1',
    });
    // The build adds the line feed that a shell's $(…) took away.
    expect(request!.body).to.match(/-----END OPENSSH PRIVATE KEY-----$/);
    expect(lab.logInWith(`${request!.body}\n`, values['host']!.trim(), 'true')).to.include({ code: 0 });
  });

  it('prints neither token nor key', async () => {
    const { log } = await lab.provision(lab.aBuild(), pod());
    expect(log).not.to.contain(answer.body);
    expect(log).not.to.contain('PRIVATE KEY');
  });

  it('fails, without a Secret, when the server refuses or answers something else', async () => {
    for (const refusal of [
      { status: 401, body: '' },
      { status: 200, body: '<html>' },
    ]) {
      answer = refusal;
      const build = lab.aBuild();
      const { results } = await lab.provision(build, pod());
      expect(results['REASON']).to.equal('OtpServerRefused');
      await lab.api.createSecret('team-a', build.secret);
    }
  });
});
