// A detached build goes on while there is no connection; what it said and left is all there in the end.
import { expect } from 'chai';
import { setTimeout as pause } from 'node:timers/promises';
import { runBuild, startBuild } from './build.ts';
import { openWorld } from './world.ts';
import type { World } from './world.ts';

const settings = { MP_DETACHED: 'true' };
const cutConnection = 'kill -9 $(pgrep -u builder -x sshd)';
const counting = 'for n in $(seq 1 60); do echo "line $n"; sleep 0.1; done; echo done >/tekton/results/R; exit 7';

describe('the remote script: detached', function () {
  this.timeout(180_000);
  let world: World;
  beforeEach(async () => (world = await openWorld()));
  afterEach(() => world.close());

  it('says and brings back what an attached one does', async () => {
    const build = await runBuild(world, { settings, script: 'echo out; echo err >&2; echo 1 >/tekton/results/R' });
    expect(build.code, build.stderr).to.equal(0);
    expect(build.stdout).to.contain('out\n').and.to.contain('err\n');
    expect(build.read('tekton/results/R')).to.equal('1\n');
    await nothingLeft();
  });

  it('survives the loss of its connection, again and again, and no line is missing or doubled', async () => {
    const build = startBuild(world, { settings, script: counting });
    for (const line of ['line 5\n', 'line 25\n']) {
      await build.saw(line);
      await world.run(cutConnection);
    }
    const { code, stdout, stderr } = await build.ended;
    expect(code, stderr).to.equal(7);
    expect(stdout).to.equal(Array.from({ length: 60 }, (_, n) => `line ${n + 1}\n`).join(''));
    expect(stderr.match(/lost the connection .*; the build goes on there/g)).to.have.length(2);
    expect(build.read('tekton/results/R')).to.equal('done\n');
    await nothingLeft();
  });

  it('stopped by a signal: the container is stopped as well', async () => {
    const build = startBuild(world, { settings, script: 'echo on the host; exec sleep 1000' });
    await build.saw('on the host');
    process.kill(build.pid, 'SIGTERM');
    expect((await build.ended).code).to.equal(143);
    await nothingLeft();
  });

  it('never heard of again: the host gives it up after a while', async () => {
    const build = startBuild(world, { settings, script: 'echo on the host; exec sleep 1000' });
    await build.saw('on the host');
    process.kill(build.pid, 'SIGKILL');
    await world.run(cutConnection);
    await pause(1000);
    expect((await world.onHost('podman ps -q')).stdout).not.to.equal('');
    await world.onHost('touch -d "4 minutes ago" mp-*/heard');
    while ((await world.onHost('podman ps -q')).stdout !== '') await pause(200);
    expect((await world.onHost('ls mp-*/lost')).code).to.equal(0);
  });

  async function nothingLeft(): Promise<void> {
    while ((await world.onHost('podman ps -q')).stdout !== '') await pause(100);
    expect((await world.onHost('ls -d mp-*; podman ps -aq; podman volume ls -q')).stdout).to.equal('');
  }
});
