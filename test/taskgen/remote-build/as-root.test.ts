// taskgen --host-rootful: podman as root of the host, through sudo. Root's storage outlives the build, so nothing of a build may stay in it,
// however the build ends.
import { expect } from 'chai';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { hostSecret, runBuild, startBuild } from './build.ts';
import type { Build, RunningBuild } from './build.ts';
import { imageBuild, LocalStep } from './image-build.ts';
import { openWorld } from './world.ts';
import type { World } from './world.ts';

const asRoot = (build: Build): Build => ({ ...build, asRoot: true });
const registry = '127.0.0.1:5001';

describe('the remote script: podman as root of the host', function () {
  this.timeout(180_000);
  let world: World;
  before(async () => {
    world = await openWorld();
    await must(
      'podman import -q --change "ENV PATH=/bin" --change "ENV BUILDAH_ISOLATION=chroot" /tmp/builder.tar localhost/builder:1',
    );
  });
  after(() => world.close());

  async function must(script: string): Promise<string> {
    const { code, stdout, stderr } = await world.run(script);
    expect(code, stderr).to.equal(0);
    return stdout;
  }

  const allow = (commands: string) =>
    must(`echo 'builder ALL=(ALL) NOPASSWD: ${commands}' >/etc/sudoers.d/builder && chmod 440 /etc/sudoers.d/builder`);

  /** A registry with the builder image; answers its digest. */
  async function serveBuilder(): Promise<string> {
    const config = `{"version":"0.1","storage":{"filesystem":{"rootdirectory":"/tmp/open"}},"http":{"addr":"${registry}"}}`;
    writeFileSync(join(world.root, 'tmp/open.yaml'), config);
    const server = world.spawn(['docker-registry', 'serve', '/tmp/open.yaml']);
    await once(server.stderr!, 'data');
    const insecure = `[[registry]]\\nlocation = "${registry}"\\ninsecure = true\\n`;
    await must(
      `mkdir -p /etc/containers/registries.conf.d && printf '${insecure}' >/etc/containers/registries.conf.d/open.conf`,
    );
    await must(
      `for n in $(seq 100); do (exec 3<>/dev/tcp/${registry.replace(':', '/')}) 2>/dev/null && exit; sleep 0.1; done; exit 1`,
    );
    // Another image than the one that the host keeps.
    const label = `podman import -q --change "ENV PATH=/bin" --change "LABEL of=registry" /tmp/builder.tar ${registry}/builder:1`;
    const push = `${label} >/dev/null && podman push -q --digestfile /tmp/digest ${registry}/builder:1 && cat /tmp/digest`;
    const { code, stdout, stderr } = await world.onHost(push);
    expect(code, stderr).to.equal(0);
    return stdout;
  }

  /** In root's storage there is what the host had; of the job folder and the processes nothing is left. */
  async function onlyWhatTheHostHad(): Promise<void> {
    const left = `podman ps -aq; podman volume ls -q; podman images --format '{{.Repository}}:{{.Tag}}'; ls -A /home/builder | grep ^mp- || :; pgrep -a conmon || :`;
    let seen = '';
    // What was cut off is cleared by the host itself, a moment later.
    for (let n = 0; n < 100; n += 1) {
      seen = await must(left);
      if (seen === 'localhost/builder:1\n') return;
      await pause(200);
    }
    expect(seen).to.equal('localhost/builder:1\n');
  }

  for (const [what, rule] of [
    ['no rule', undefined],
    ['a rule for other words of it', '/usr/bin/podman build *'],
  ] as const)
    it(`is refused where sudo has ${what}, with the key, its value and the other way out`, async () => {
      if (rule !== undefined) await allow(rule);
      const build = await runBuild(world, asRoot({ script: 'echo ran' }));
      expect(build.code, build.stderr).to.equal(78);
      expect(build.stderr)
        .to.match(/sudo lets builder not run podman on this host \(.*password.*\)/)
        .and.to.contain('set sudo-commands of the platform in the ConfigMap host-config to /usr/bin/podman');
      expect(build.stdout).to.equal('');
      await onlyWhatTheHostHad();
    });

  describe('where sudo allows it', () => {
    let digest = '';
    before(async () => {
      await allow('/usr/bin/podman');
      digest = await serveBuilder();
    });

    it('is root, owns what was sent, and everything it made comes back, whatever its mode', async () => {
      const script = [
        'stat -c %u . in; read -r _ first count </proc/self/uid_map; echo "$first $count"',
        'mkdir -m 0700 deep && echo one >deep/secret && chmod 0600 deep/secret',
        'echo two >unreadable && chmod 0 unreadable; rm in',
        'echo -n result >/tekton/results/R',
      ];
      const build = await runBuild(
        world,
        asRoot({
          script: script.join('\n'),
          mounts: [{ path: '/workspace/source', sync: 'both' }],
          files: { 'workspace/source/in': 'x' },
          settings: { MP_WORKDIR: '/workspace/source' },
        }),
      );
      expect(build.code, build.stderr).to.equal(0);
      expect(build.stdout).to.equal('0\n0\n0 4294967295\n');
      expect(build.stderr).to.match(/rootless false, storage overlay in \/var\/lib\/containers\/storage, \d+ MiB free/);
      expect([
        build.read('workspace/source/deep/secret'),
        build.read('workspace/source/unreadable'),
        build.read('tekton/results/R'),
      ]).to.deep.equal(['one\n', 'two\n', 'result']);
      await onlyWhatTheHostHad();
    });

    it('the user of the step owns what was sent, too, and may leave results', async () => {
      const build = await runBuild(
        world,
        asRoot({
          script: 'id -u; echo more >>in; echo -n result >/tekton/results/R',
          mounts: [{ path: '/workspace/source', sync: 'both' }],
          files: { 'workspace/source/in': 'x\n' },
          settings: { MP_WORKDIR: '/workspace/source', MP_PODMAN_ARGS: '--user=1234:1234' },
        }),
      );
      expect(build.code, build.stderr).to.equal(0);
      expect([build.stdout, build.read('workspace/source/in'), build.read('tekton/results/R')]).to.deep.equal([
        '1234\n',
        'x\nmore\n',
        'result',
      ]);
      await onlyWhatTheHostHad();
    });

    it('the image it builds comes back; on the host neither that nor its volume stays', async () => {
      const local = new LocalStep(world);
      const built = await runBuild(world, asRoot(imageBuild('registry.example/team/app:1')));
      expect(built.code, built.stderr).to.equal(0);
      const loaded = await local.run(built, 'MP_STORAGE_DRIVER=vfs');
      expect(loaded.code, loaded.stderr).to.equal(0);
      expect(await local.proof('registry.example/team/app:1')).to.equal('made-by-run\n');
      await onlyWhatTheHostHad();
    });

    for (const way of ['its tag', 'its digest'])
      it(`an image that was pulled by ${way} goes with the last build that uses it`, async () => {
        const image = way === 'its tag' ? `${registry}/builder:1` : `${registry}/builder@${digest}`;
        const build = asRoot({
          script: 'until [ -e /workspace/source/go ]; do sleep 0.1; done',
          mounts: [{ path: '/workspace/source', sync: 'in' }],
          settings: { MP_IMAGE: image },
        });
        const [one, other] = [startBuild(world, build), startBuild(world, build)];
        await Promise.all([one, other].map((each) => each.saw('running the script')));
        const go = ({ folder }: RunningBuild) =>
          must(`touch /home/builder/mp-uid-${basename(folder)}/root/workspace/source/go`);
        await go(one);
        expect((await one.ended).code).to.equal(0);
        expect(await must('podman ps -q | wc -l; podman images -q | sort -u | wc -l')).to.equal('1\n2\n');
        await go(other);
        expect((await other.ended).code).to.equal(0);
        await onlyWhatTheHostHad();
      });

    it('a failed script leaves nothing', async () => {
      const build = await runBuild(
        world,
        asRoot({ script: 'touch /workspace/source/x; exit 9', mounts: [{ path: '/workspace/source', sync: 'both' }] }),
      );
      expect(build.code, build.stderr).to.equal(9);
      expect(build.has('workspace/source/x')).to.equal(true);
      await onlyWhatTheHostHad();
    });

    const endless = asRoot({
      script: 'touch /workspace/source/of-root; echo on the host; exec sleep 1000',
      mounts: [{ path: '/workspace/source', sync: 'both' }],
    });

    it('a cancelled build leaves nothing', async () => {
      const build = startBuild(world, endless);
      await build.saw('on the host');
      process.kill(build.pid, 'SIGTERM');
      expect((await build.ended).code).to.equal(143);
      await onlyWhatTheHostHad();
    });

    it('nor does one whose connection is lost', async () => {
      const build = startBuild(world, endless);
      await build.saw('on the host');
      await world.run('kill -9 $(pgrep -u builder -x sshd)');
      expect((await build.ended).code).to.equal(75);
      await onlyWhatTheHostHad();
    });

    it('of one whose pod is gone at once, only files of the user stay, which clean-up removes with its home', async () => {
      const build = startBuild(world, { ...endless, ownGroup: true });
      await build.saw('on the host');
      process.kill(-build.pid, 'SIGKILL');
      await build.ended;
      await world.run("kill -9 $(pgrep -f '^ssh: /dev/shm/mp|[s]sh -F /dev/shm/mp')");
      for (let n = 0; n < 100 && (await must('podman ps -aq')) !== ''; n += 1) await pause(200);
      for (let n = 0; n < 100 && (await world.onHost('rm -rf mp-*')).code !== 0; n += 1) await pause(200);
      await onlyWhatTheHostHad();
    });

    it('detached, it goes on without a connection', async () => {
      const build = startBuild(world, {
        ...asRoot({ script: 'echo begun; sleep 3; echo -n kept >/tekton/results/R' }),
        settings: { MP_DETACHED: 'true' },
      });
      await build.saw('begun');
      await world.run('kill -9 $(pgrep -u builder -x sshd)');
      const { code, stderr } = await build.ended;
      expect(code, stderr).to.equal(0);
      expect(build.read('tekton/results/R')).to.equal('kept');
      await onlyWhatTheHostHad();
    });
  });

  it('needs no sudo where the user is root', async () => {
    await must(
      'rm -f /etc/sudoers.d/builder; install -d -m 0700 /root/.ssh /home/root; install -m 0600 /tmp/sshd/client.pub /root/.ssh/authorized_keys',
    );
    const build = await runBuild(world, asRoot({ script: 'id -u', secret: hostSecret(world, 'root') }));
    expect(build.code, build.stderr).to.equal(0);
    expect(build.stdout).to.equal('0\n');
    expect(await must('ls -A /home/root')).to.equal('');
    await onlyWhatTheHostHad();
  });
});
