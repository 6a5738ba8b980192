// What the generator and the people around may set: how long the container may run, which variables stay, what is compressed.
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { giveSecret, hostSecret, runBuild, startBuild } from './build.ts';
import { openWorld } from './world.ts';
import type { World } from './world.ts';

const connection = join(import.meta.dirname, '../../../taskgen/remote-build/60-connection.sh');

describe('the remote script: limits and choices', function () {
  this.timeout(180_000);
  let world: World;
  before(async () => (world = await openWorld()));
  after(() => world.close());

  it('a script that runs longer than MP_TIMEOUT is ended on the host, and told so', async () => {
    const build = await runBuild(world, { script: 'sleep 1000', settings: { MP_TIMEOUT: '2' } });
    expect(build.code, build.stderr).not.to.equal(0);
    expect(build.stderr).to.contain('the script was ended after 2s, its time limit on the host');
    expect((await world.onHost('podman ps -aq')).stdout).to.equal('');
  });

  it('a host that is no Linux is refused with a sentence', async () => {
    const uname = '#!/bin/sh\n[ "$*" != -s ] || exec echo Darwin\nexec /usr/bin/uname "$@"\n';
    writeFileSync(join(world.root, 'usr/local/bin/uname'), uname, { mode: 0o755 });
    const build = await runBuild(world, { script: 'true' });
    rmSync(join(world.root, 'usr/local/bin/uname'));
    expect([build.code, build.stderr.includes('this host runs Darwin; builds need Linux')]).to.deep.equal([78, true]);
  });

  it('the log says what kind of podman the host has, and how much room', async () => {
    const build = startBuild(world, { script: 'exec sleep 1000' });
    await build.saw(' for files');
    process.kill(build.pid, 'SIGTERM');
    const { stderr } = await build.ended;
    expect(stderr).to.match(
      /podman \d\S*, rootless true, storage overlay in \/home\/builder\/\S+, \d+ MiB free there, \d+ for files\n/,
    );
  });

  it('of the time of the step what it waited for a host is gone', async () => {
    const build = startBuild(world, { script: 'exec sleep 1000', settings: { MP_TIMEOUT: '6' }, secret: null });
    await build.saw('waiting');
    await pause(5000);
    giveSecret(build, hostSecret(world));
    const { stderr } = await build.ended;
    expect(stderr).to.match(/the script was ended after [12]s, its time limit on the host/);
  });

  it('variables that match MP_DROP stay in the pod', async () => {
    const build = await runBuild(world, {
      script: 'env >/tekton/results/ENV',
      env: { KEPT: '1', SECRET_TOKEN: 'x', OTHER_TOKEN: 'y' },
      settings: { MP_DROP: 'SECRET_*\n*ER_TOKEN' },
    });
    expect(build.code, build.stderr).to.equal(0);
    expect(build.read('tekton/results/ENV')).to.contain('KEPT=1').and.not.to.contain('TOKEN');
  });

  for (const choice of ['auto', 'always', 'never'])
    it(`with MP_COMPRESS=${choice} files arrive as they are`, async () => {
      const build = await runBuild(world, {
        script: 'cp /workspace/source/in /workspace/source/out',
        mounts: [{ path: '/workspace/source', sync: 'both' }],
        files: { 'workspace/source/in': 'same '.repeat(10_000) },
        settings: { MP_COMPRESS: choice },
      });
      expect(build.code, build.stderr).to.equal(0);
      expect(build.read('workspace/source/out')).to.equal('same '.repeat(10_000));
      // Nothing on this machine is far away.
      expect(build.stderr).not.to.contain('far away');
      const sent = Number(/send=[\d.]+s\/([\d.]+)kB/.exec(build.stderr)?.[1]);
      if (choice === 'always') expect(sent).to.be.below(30);
      else expect(sent).to.be.above(50);
    });

  it('a setting that is none is refused by its name', async () => {
    for (const name of ['MP_COMPRESS', 'MP_TIMEOUT']) {
      const build = await runBuild(world, { script: 'true', settings: { [name]: 'perhaps' } });
      expect(build.code, build.stderr).to.equal(78);
      expect(build.stderr).to.contain(`${name} is 'perhaps'`);
    }
  });

  it('a host is far when the kernel waits long for its answers', () => {
    const head = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
    const row = (remote: string, state: string, timeout: number): string =>
      `   1: 0100007F:D3A4 ${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 4959026 3 00000000b81feaf6 ${timeout} 4 25 15 -1\n`;
    const isFar = (table: string): boolean =>
      spawnSync('bash', ['-c', `. ${connection}; mp_is_far`], { input: head + table }).status === 0;
    expect(isFar(row('0100007F:0016', '01', 20))).to.equal(false);
    expect(isFar(row('0100007F:0016', '01', 29))).to.equal(true);
    expect(isFar(row('0100007F:01BB', '01', 90))).to.equal(false);
    expect(isFar(row('0100007F:0016', '0A', 90))).to.equal(false);
    expect(isFar('')).to.equal(false);
  });
});
