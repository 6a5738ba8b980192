// Whatever happens to the connection or to the script in the pod, no container outlives it, and the exit code says what is known.
import { expect } from 'chai';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { giveSecret, hostSecret, runBuild, startBuild } from './build.ts';
import { imageBuild } from './image-build.ts';
import { openWorld } from './world.ts';
import type { World } from './world.ts';

const endless = { script: 'echo on the host; exec sleep 1000' };
/** The processes of sshd that carry the builder's connection. */
const cutConnection = 'kill -9 $(pgrep -u builder -x sshd)';

describe('the remote script: the connection', function () {
  this.timeout(180_000);
  let world: World;
  beforeEach(async () => (world = await openWorld()));
  afterEach(() => world.close());

  it('is one for all phases: preparing, sending, building, results, folders, the image, clearing', async () => {
    const image = imageBuild('localhost/team/app:1');
    const mounts = [...image.mounts!, { path: '/workspace/cache', sync: 'both' as const }];
    const build = await runBuild(world, { ...image, mounts });
    expect(build.code, build.stderr).to.equal(0);
    expect((await world.run('grep -c "Accepted publickey" /tmp/sshd/log')).stdout).to.equal('1\n');
  });

  it('lost on the host: 75, and the container is stopped', async () => {
    const build = startBuild(world, endless);
    await build.saw('on the host');
    await world.run(cutConnection);
    const { code, stderr } = await build.ended;
    expect(code, stderr).to.equal(75);
    expect(stderr).to.contain('lost the connection').and.to.contain('run it again');
    await nothingLeft();
  });

  it('lost in the pod (its ssh is killed): 75, and the container is stopped', async () => {
    const build = startBuild(world, endless);
    await build.saw('on the host');
    await world.run("kill -9 $(pgrep -f '^ssh: /dev/shm/mp|[s]sh -F /dev/shm/mp')");
    expect((await build.ended).code).to.equal(75);
    await nothingLeft();
  });

  it('lost while files are sent: nothing was built', async () => {
    const build = startBuild(world, {
      script: 'echo ran',
      secret: null,
      mounts: [{ path: '/workspace/source', sync: 'in' }],
    });
    // A file too large to arrive before the line is cut, and of no size here.
    await world.run(`truncate -s 100G ${build.folder.slice(world.root.length)}/volumes/workspace/source/big`);
    giveSecret(build, hostSecret(world));
    while ((await world.onHost('ls mp-*/root/workspace/source/.big*')).code !== 0) await pause(50);
    await world.run(`kill "$(cat /run/sshd/pid)"; ${cutConnection}`);
    const { code, stdout } = await build.ended;
    expect(code).to.equal(75);
    expect(stdout).to.equal('');
  });

  it('lost after the script has ended: asked again, and the result stands', async () => {
    // A podman that returns to a dead connection: the last moment at which a loss can be told from a result.
    writeFileSync(
      join(world.root, 'usr/local/bin/podman'),
      `#!/bin/sh\n/usr/bin/podman "$@"\ncode=$?\n[ "$1" != start ] || ${cutConnection}\nexit $code\n`,
    );
    chmodSync(join(world.root, 'usr/local/bin/podman'), 0o755);
    const build = await runBuild(world, { script: 'echo -n done >/tekton/results/R; exit 7' });
    expect(build.code, build.stderr).to.equal(7);
    expect(build.stderr).to.contain('lost the connection');
    expect(build.read('tekton/results/R')).to.equal('done');
    await nothingLeft();
  });

  it('stopped by TERM: 143, and the container is stopped', async () => {
    const build = startBuild(world, endless);
    await build.saw('on the host');
    process.kill(build.pid, 'SIGTERM');
    const { code, stderr } = await build.ended;
    expect(code, stderr).to.equal(143);
    await nothingLeft();
  });

  it('stopped by TERM to its whole process group, as Tekton forwards it', async () => {
    const build = startBuild(world, { ...endless, ownGroup: true });
    await build.saw('on the host');
    process.kill(-build.pid, 'SIGTERM');
    expect((await build.ended).code).to.equal(143);
    await nothingLeft();
  });

  it('stopped by TERM while it waits for its Secret', async () => {
    const build = startBuild(world, { ...endless, secret: null });
    await build.saw('waiting for a build host');
    process.kill(build.pid, 'SIGTERM');
    expect((await build.ended).code).to.equal(143);
  });

  it('killed without a chance to say goodbye: the host notices and stops the container', async () => {
    const build = startBuild(world, endless);
    await build.saw('on the host');
    process.kill(build.pid, 'SIGKILL');
    await untilNoContainer();
    // The next attempt of the same TaskRun finds what this one left.
    const retry = await runBuild(world, {
      script: 'ls /tekton/results | wc -l >/tekton/results/R',
      settings: { MP_UID: 'uid-again' },
    });
    expect(retry.code, retry.stderr).to.equal(0);
  });

  it('a folder left by an earlier attempt is not met again', async () => {
    await world.onHost(
      'mkdir -p mp-same/root/tekton/results; echo old >mp-same/root/tekton/results/OLD; podman create --name mp-same localhost/builder:1 sleep 1',
    );
    const build = await runBuild(world, { script: 'ls /tekton/results | wc -l', settings: { MP_UID: 'same' } });
    expect(build.code, build.stderr).to.equal(0);
    expect(build.stdout.trim()).to.equal('0');
    await nothingLeft();
  });

  it('a container killed on the host is 137, with a word about memory', async () => {
    const build = startBuild(world, endless);
    await build.saw('on the host');
    await world.onHost('podman kill -a');
    const { code, stderr } = await build.ended;
    expect(code, stderr).to.equal(137);
    expect(stderr).to.contain('running out of memory');
  });

  async function untilNoContainer(): Promise<void> {
    while ((await world.onHost('podman ps -q')).stdout !== '') await pause(100);
  }

  async function nothingLeft(): Promise<void> {
    await untilNoContainer();
    expect((await world.onHost('ls -d mp-*; podman ps -aq; podman volume ls -q')).stdout).to.equal('');
    expect((await world.run('ls -d /dev/shm/mp.*')).stdout).to.equal('');
  }
});
