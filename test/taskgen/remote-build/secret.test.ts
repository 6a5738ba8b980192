// What the script makes of its Secret: wait for it, refuse a bad one with a sentence and a code, get the key.
import { expect } from 'chai';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { giveSecret, hostSecret, runBuild, startBuild } from './build.ts';
import type { Build } from './build.ts';
import { startKeyServer } from './key-server.ts';
import { openWorld } from './world.ts';
import type { World } from './world.ts';

const annotation = 'build.appstudio.redhat.com';

describe('the remote script: the Secret', function () {
  this.timeout(180_000);
  let world: World;
  before(async () => (world = await openWorld()));
  after(() => world.close());

  it('waits for it and tells why, on change', async () => {
    const build = startBuild(world, { script: 'echo built', secret: null });
    const say = (text: string) => writeFileSync(join(build.folder, 'volumes/mp-pod-info/annotations'), text);
    await build.saw('waiting for a build host for linux/arm64\n');
    say(
      `other="x"\n${annotation}/queue-position="3"\n${annotation}/wait-reason="all \\"linux/arm64\\" hosts are busy\\x1b[31m"\nzz="y"`,
    );
    await build.saw('hosts are busy\\x1b[31m (position 3 in the queue)\n');
    say(`${annotation}/wait-reason="preparing host-1"`);
    await build.saw('waiting for a build host for linux/arm64: preparing host-1\n');
    giveSecret(build, hostSecret(world));
    const { code, stderr } = await build.ended;
    expect(code, stderr).to.equal(0);
    expect(stderr.match(/waiting for a build host/g)).to.have.length(3);
  });

  it('gives up after MP_SECRET_WAIT seconds', async () => {
    const build = await runBuild(world, { script: 'true', secret: null, settings: { MP_SECRET_WAIT: '1' } });
    expect(build.code).to.equal(75);
    expect(build.stderr).to.contain('no build host after 1s');
    expect(build.read('mp-shared/mode')).to.equal('none\n');
  });

  it('prints an error Secret as it is and exits 69', async () => {
    const error = 'all available hosts for the platform have failed: a,b\n\nContext info:\n  Platform: linux/arm64';
    const build = await runBuild(world, { script: 'true', secret: { error } });
    expect(build.code).to.equal(69);
    expect(build.stderr).to.contain(`${error}\n`);
    expect(build.read('mp-shared/mode')).to.equal('none\n');
  });

  it('localhost leaves the script to the local step, as Tekton would run it', async () => {
    const build = await runBuild(world, { script: 'echo "$1"', secret: { host: 'localhost\n' } });
    expect(build.code, build.stderr).to.equal(0);
    expect([build.read('mp-shared/mode'), build.read('mp-shared/script')]).to.deep.equal([
      'local\n',
      '#!/bin/sh\nset -e\necho "$1"\n',
    ]);
  });

  const bad: readonly { what: string; change: Record<string, string | undefined>; code: number; says: string }[] = [
    { what: 'an empty host', change: { host: '' }, code: 78, says: 'host is empty' },
    {
      what: 'a host that is an ssh option',
      change: { host: '-oProxyCommand=touch /tmp/x' },
      code: 78,
      says: 'must be user@address',
    },
    { what: 'a host with shell in it', change: { host: 'u@h;touch /tmp/x' }, code: 78, says: 'must be user@address' },
    { what: 'no user-dir', change: { 'user-dir': undefined }, code: 78, says: 'user-dir' },
    {
      what: 'the user-dir of Windows',
      change: { 'user-dir': 'C:\\\\Users\\\\konflux-builder' },
      code: 78,
      says: 'only hosts with absolute POSIX paths',
    },
    { what: 'neither id_rsa nor otp', change: { id_rsa: undefined }, code: 78, says: 'neither id_rsa nor otp' },
    { what: 'an id_rsa that is no key', change: { id_rsa: 'rubbish' }, code: 78, says: 'no usable private key' },
    {
      what: 'a user-dir that cannot be written',
      change: { 'user-dir': '/proc' },
      code: 78,
      says: 'cannot create /proc/mp-',
    },
    ...['ssh', '0', '22 -oProxyCommand=touch', '65536'].map((port) => ({
      what: `the port ${port}`,
      change: { port },
      code: 78,
      says: `port is '${port}': it must be a number up to 65535`,
    })),
    {
      what: 'an otp without otp-ca',
      change: { otp: 'token', 'otp-server': 'https://127.0.0.1/otp' },
      code: 78,
      says: 'no otp-ca',
    },
  ];
  for (const { what, change, code, says } of bad) {
    it(`${what} is refused with ${code}`, async () => {
      const keys = Object.entries({ ...hostSecret(world), ...change }).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      );
      const build = await runBuild(world, { script: 'echo ran', secret: Object.fromEntries(keys) });
      expect(build.code, build.stderr).to.equal(code);
      expect(build.stderr).to.contain(says);
      expect(build.stdout).to.equal('');
    });
  }

  it('a key the host does not know is refused with 77', async () => {
    await world.run("ssh-keygen -q -t ed25519 -N '' -f /tmp/stranger");
    const id_rsa = readFileSync(join(world.root, 'tmp/stranger'), 'utf8');
    const build = await runBuild(world, { script: 'true', secret: { ...hostSecret(world), id_rsa } });
    expect(build.code).to.equal(77);
    expect(build.stderr).to.contain('refused the key').and.to.contain('Permission denied');
  });

  it('comes to the port in the Secret, as hosts behind a node have it, and expects the host key of that port', async () => {
    const other =
      await world.run(`sed 's/:22$/:2222/; s/pid$/pid-2222/' /tmp/sshd/config >/tmp/sshd/config-2222 && kill "$(cat /run/sshd/pid)" &&
      /usr/sbin/sshd -f /tmp/sshd/config-2222 -E /tmp/sshd/log-2222`);
    expect(other.code, other.stderr).to.equal(0);
    const key = (await world.run("cut -d' ' -f1,2 /tmp/sshd/host.pub")).stdout;
    const secret = { ...hostSecret(world), port: '2222\n' };
    const build: Build = {
      script: 'cp /workspace/source/in /tekton/results/R',
      mounts: [{ path: '/workspace/source', sync: 'both' }],
      files: { 'workspace/source/in': 'sent' },
      secret: { ...secret, known_hosts: `[127.0.0.1]:2222 ${key}` },
    };
    const built = await runBuild(world, build);
    expect(built.code, built.stderr).to.equal(0);
    expect(built.read('tekton/results/R')).to.equal('sent');
    expect((await world.run('grep -c "Accepted publickey" /tmp/sshd/log-2222')).stdout).to.equal('1\n');
    const unknown = await runBuild(world, { ...build, secret: { ...secret, known_hosts: `[127.0.0.1]:2223 ${key}` } });
    expect([unknown.code, unknown.stderr.includes('host key of 127.0.0.1 is not')]).to.deep.equal([77, true]);
    await world.run('kill "$(cat /run/sshd/pid-2222)"; /usr/sbin/sshd -f /tmp/sshd/config -E /tmp/sshd/log');
  });

  it('the right host key in known_hosts is accepted, another one refused with 77', async () => {
    const line = async (file: string) => `127.0.0.1 ${(await world.run(`cut -d' ' -f1,2 ${file}`)).stdout}`;
    const right = await runBuild(world, {
      script: 'true',
      secret: { ...hostSecret(world), known_hosts: await line('/tmp/sshd/host.pub') },
    });
    expect(right.code, right.stderr).to.equal(0);
    const wrong = await runBuild(world, {
      script: 'true',
      secret: { ...hostSecret(world), known_hosts: await line('/tmp/sshd/client.pub') },
    });
    expect(wrong.code, wrong.stderr).to.equal(77);
    expect(wrong.stderr).to.contain('the host key of 127.0.0.1 is not the one');
  });

  it('a uid without a name gets one from libnss-wrapper, or is told what is missing', async function () {
    const library = (await world.run('ls /usr/lib/*/libnss_wrapper.so')).stdout.trim();
    const uid = 1000680000;
    if (library !== '') {
      const build = await runBuild(world, { script: 'true', uid });
      expect(build.code, build.stderr).to.equal(0);
      await world.run(`rm ${library}`);
    }
    const build = await runBuild(world, { script: 'true', uid });
    expect(build.code).to.equal(78);
    expect(build.stderr).to.contain('uid 1000680000 has no name');
  });

  it('a host that is not up yet is tried again', async () => {
    await world.run('kill "$(cat /run/sshd/pid)"');
    const build = startBuild(world, { script: 'echo built' });
    await build.saw('cannot connect to builder@127.0.0.1');
    await world.run('/usr/sbin/sshd -f /tmp/sshd/config');
    const { code, stderr } = await build.ended;
    expect(code, stderr).to.equal(0);
  });

  describe('with a one-time token', () => {
    const withToken = (ca: string, port: number): Record<string, string> => {
      const { host, 'user-dir': folder } = hostSecret(world);
      return {
        host: host!,
        'user-dir': folder!,
        otp: 'token-of-22-characters',
        'otp-ca': ca,
        'otp-server': `https://127.0.0.1:${port}/otp\n`,
      };
    };

    it('fetches the key, past every proxy, and past what a workspace says to curl', async () => {
      const server = await startKeyServer(world, [200]);
      const proxy = 'http://127.0.0.1:1';
      const build = await runBuild(world, {
        script: 'true',
        secret: withToken(server.ca, server.port),
        settings: { https_proxy: proxy, HTTPS_PROXY: proxy, HOME: '/workspace/home' },
        files: { '/workspace/home/.curlrc': 'connect-to = "::127.0.0.1:1"\n' },
      });
      expect(build.code, build.stderr).to.equal(0);
      expect(server.bodies()).to.deep.equal(['token-of-22-characters']);
      expect(build.stderr).not.to.contain('token-of-22');
      await server.close();
    });

    it('asks again when the token is refused or the server fails, for it may be armed again', async () => {
      const server = await startKeyServer(world, [400, 503, 200]);
      const build = await runBuild(world, { script: 'true', secret: withToken(server.ca, server.port) });
      expect(build.code, build.stderr).to.equal(0);
      expect(server.bodies()).to.have.length(3);
      await server.close();
    });

    it('exits 77 when the token stays refused', async () => {
      const server = await startKeyServer(world, [400]);
      const build = await runBuild(world, { script: 'true', secret: withToken(server.ca, server.port) });
      expect(build.code).to.equal(77);
      expect(build.stderr).to.contain('used already or has expired');
      await server.close();
    });

    it('gives the token to no server it cannot trust', async () => {
      const server = await startKeyServer(world, [200]);
      const stranger = await startKeyServer(world, [200]);
      const build = await runBuild(world, { script: 'true', secret: withToken(stranger.ca, server.port) });
      expect(build.code).to.equal(77);
      expect(build.stderr).to.contain('cannot be trusted');
      expect(server.bodies()).to.deep.equal([]);
      await Promise.all([server.close(), stranger.close()]);
    });
  });
});
