// The one-time hand-over from end to end, less the cluster: the provision script stores the key at a real key server, the script
// of a generated Task exchanges the token for it, and again after a retry of the build.
import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { rearmPatch, storedKeyName } from '../../controller/model/one-time-key.ts';
import { kubectlFor } from '../cluster/kubectl.ts';
import { serverName } from '../controller/otp-server/otp-client.ts';
import { startKeyServer, type KeyServerProcess } from '../controller/otp-server/key-server-process.ts';
import { hostSecret, runBuild, startBuild } from '../taskgen/remote-build/build.ts';
import { openWorld, type World } from '../taskgen/remote-build/world.ts';
import { type Build, ProviderLab } from './provider-lab.ts';
import { joinSockets, startRelay, type Relay } from './relay.ts';

const operatorNamespace = 'multi-platform-controller';

describe('the one-time hand-over of a key', function () {
  this.timeout(120_000);
  let lab: ProviderLab;
  let world: World;
  let server: KeyServerProcess;
  let certificate: string;
  const relays: Relay[] = [];

  before(async () => {
    [lab, world] = await Promise.all([ProviderLab.start(), openWorld()]);
    server = await startKeyServer(lab.api.kubeconfig, []);
    const made = await lab.api.values(operatorNamespace, 'otp-tls-secrets');
    certificate = made['tls.crt']!;
    const toServer = { network: [`--net=${dirname(world.root)}/ns/net`] };
    for (const machine of [lab.host, toServer])
      relays.push(await startRelay(machine, 443, (inside) => joinSockets(inside, connect(server.port, '127.0.0.1'))));
    const store = (inside: Socket): void => joinSockets(inside, connect(server.storePort, '127.0.0.1'));
    relays.push(await startRelay(lab.host, 8444, store));
    await world.run(`echo '127.0.0.1 ${serverName}' >>/etc/hosts`);
  });
  after(async () => {
    await Promise.all(relays.map((relay) => relay.stop()));
    await server?.kill();
    await Promise.all([lab?.stop(), world?.close()]);
  });

  const provision = async (build: Build): Promise<Record<string, string>> => {
    const files = { '/tls/tls.crt': certificate, '/etc/hosts': `127.0.0.1 localhost ${serverName}\n` };
    const { code, log, results } = await lab.provision(build, { files });
    expect(code, log).to.equal(0);
    expect(results).to.include({ ONE_TIME_KEY: 'true' });
    return lab.api.values(build.namespace, build.secret);
  };
  /** As stock build Tasks do it. */
  const redeemByHand = async (secret: Record<string, string>): Promise<string> => {
    const files = JSON.stringify({
      otp: secret['otp'],
      'otp-ca': secret['otp-ca'],
      'otp-server': secret['otp-server'],
    });
    const script = `mkdir -p /tmp/ssh && cd /tmp/ssh && for key in otp otp-ca otp-server; do jq -j ".[\\"$key\\"]" >$key <<<'${files}'; done
      curl --fail -sS --cacert otp-ca -XPOST -d @otp "$(cat otp-server)"`;
    const { code, stdout, stderr } = await world.run(script);
    return code === 0 ? stdout : `${code} ${stderr}`;
  };
  const rearm = async (build: Build, retries: number): Promise<void> => {
    const name = storedKeyName(build.params['TASKRUN_UID']!);
    const patch = ['--type=merge', '-p', JSON.stringify(rearmPatch(retries))];
    await kubectlFor(lab.api.kubeconfig).run(['patch', 'secret', name, '-n', operatorNamespace, ...patch]);
  };

  it('lets the build log in with what it got for its token, and nobody after it', async () => {
    const build = lab.aBuild();
    const secret = await provision(build);
    expect(Object.keys(secret)).to.have.members(['otp', 'otp-ca', 'otp-server', 'host', 'user-dir']);
    expect(secret['otp']).to.match(/^[0-9A-Za-z-]{22,128}$/);
    const key = await redeemByHand(secret);
    expect(lab.logInWith(`${key}\n`, secret['host']!.trim(), 'true')).to.include({ code: 0 });
    expect(await redeemByHand(secret)).to.match(/^22 .*400/);
    await rearm(build, 1);
    expect(await redeemByHand(secret)).to.equal(key);
    expect(await redeemByHand(secret)).to.match(/^22 .*400/);
  });

  it('a provision that is tried again for a later claim leaves the earlier token worthless', async () => {
    const first = lab.aBuild();
    const before = await provision(first);
    await lab.api.deleteSecret(first.namespace, first.secret);
    const after = await provision({ ...first, params: { ...first.params, ATTEMPT: '2' } });
    expect(await redeemByHand(before)).to.match(/^22 .*400/);
    const key = await redeemByHand(after);
    expect(lab.logInWith(`${key}\n`, after['host']!.trim(), 'true')).to.include({ code: 0 });
  });

  it('serves the script of a generated Task, and a retry that asks before it is armed', async () => {
    const build = lab.aBuild();
    const secret = await provision(build);
    // The same host for the script that stands in its own machine: its user takes the key that was handed over.
    const key = await redeemByHand(secret);
    await rearm(build, 1);
    const publicKey = `printf '%s\\n' '${key}' >/tmp/handed-over && chmod 0600 /tmp/handed-over && ssh-keygen -y -f /tmp/handed-over`;
    const authorized = await world.run(`${publicKey} >>/home/builder/.ssh/authorized_keys`);
    expect(authorized.code, authorized.stderr).to.equal(0);
    const { host, 'user-dir': folder } = hostSecret(world);
    const mounted = { ...secret, host: host!, 'user-dir': folder! };
    const run = await runBuild(world, { script: 'echo built', secret: mounted });
    expect(run.code, run.stderr).to.equal(0);
    expect(run.stdout).to.contain('built');
    const retried = startBuild(world, { script: 'echo built', secret: mounted });
    await retried.saw('asking again for half a minute');
    await rearm(build, 2);
    const { code, stderr } = await retried.ended;
    expect(code, stderr).to.equal(0);
    for (const text of [secret['otp']!, key]) expect(run.stderr + stderr + server.output()).not.to.contain(text);
  });

  describe('with a provision script of the Go controller, which sends no token', () => {
    /** As such scripts do it, less the host. */
    const storeByHand = (key: string): ReturnType<World['run']> => {
      const curl =
        'curl --fail -sS --connect-timeout 5 --max-time 30 --cacert /tmp/tls.crt -XPOST -d "$(cat /tmp/key)"';
      return world.run(`printf %s '${certificate}' >/tmp/tls.crt && printf '%s\\n' '${key}' >/tmp/key
        ${curl} https://${serverName}/store-key`);
    };
    const withServer = async (
      args: readonly string[],
      test: (own: KeyServerProcess) => Promise<void>,
    ): Promise<void> => {
      const usual = server;
      server = await startKeyServer(lab.api.kubeconfig, args);
      try {
        await test(server);
      } finally {
        await server.kill();
        server = usual;
      }
    };
    const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nAA+/==\n-----END OPENSSH PRIVATE KEY-----';

    it('--allow-unauthenticated-store-key takes its key, and the build gets it, once', () =>
      withServer(['--allow-unauthenticated-store-key'], async () => {
        const { code, stdout: otp, stderr } = await storeByHand(key);
        expect(code, stderr).to.equal(0);
        expect(otp).to.match(/^[0-9A-Za-z-]{22,128}$/);
        const secret = { otp, 'otp-ca': certificate, 'otp-server': `https://${serverName}/otp\n` };
        expect(await redeemByHand(secret)).to.equal(key);
        expect(await redeemByHand(secret)).to.match(/^22 .*400/);
      }));

    it('without that flag its key is not taken, and the log of the server says what is missing', () =>
      withServer([], async (own) => {
        const { code, stderr } = await storeByHand(key);
        expect(code).to.equal(22);
        expect(stderr).to.contain('401');
        expect(own.output()).to.contain('scripts that send no token need --allow-unauthenticated-store-key');
      }));
  });

  describe('under a certificate that somebody else issues', () => {
    let folder: string;
    let authority: string;
    let own: KeyServerProcess;

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'issued-'));
      authority = await issue(folder);
      own = server;
      server = await startKeyServer(lab.api.kubeconfig, [`--tls-folder=${folder}`]);
    });
    after(async () => {
      await server.kill();
      server = own;
      rmSync(folder, { recursive: true });
    });

    // OpenShift puts the certificate and its intermediate into tls.crt, cert-manager the certificate and, as its issuer says, more.
    for (const [what, chain] of [
      ['alone, as cert-manager mounts it', (leaf: string) => leaf],
      ['with its authority, as OpenShift mounts it', (leaf: string) => leaf + authority],
    ] as const)
      it(`${what}: keys are stored and handed over`, async () => {
        const before = certificate;
        const leaf = readFileSync(join(folder, 'leaf.crt'), 'utf8');
        certificate = chain(leaf);
        const build = lab.aBuild();
        const secret = await provision(build);
        const key = await redeemByHand(secret);
        expect(lab.logInWith(`${key}\n`, secret['host']!.trim(), 'true')).to.include({ code: 0 });
        // And nobody who shows another certificate is told a token.
        expect(await redeemByHand({ ...secret, 'otp-ca': before })).to.match(/^60 /);
        certificate = before;
      });
  });
});

/** A certificate for the key server in this folder; returns that of its authority. */
async function issue(folder: string): Promise<string> {
  const script = `
    new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    openssl req -x509 $new -subj /CN=issuer -addext basicConstraints=critical,CA:TRUE -keyout ca.key -out ca.crt
    openssl req $new -subj /CN=otp -addext subjectAltName=DNS:${serverName} -keyout tls.key -out leaf.csr
    openssl x509 -req -in leaf.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -copy_extensions copyall -out leaf.crt
    cat leaf.crt ca.crt >tls.crt`;
  await promisify(execFile)('bash', ['-euc', script], { cwd: folder });
  return readFileSync(join(folder, 'ca.crt'), 'utf8');
}
