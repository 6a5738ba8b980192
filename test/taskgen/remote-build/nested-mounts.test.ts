// Mounts inside mounts, and files of the pod that Tekton writes while the build runs: each has one owner.
import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runBuild, startBuild } from './build.ts';
import { openWorld } from './world.ts';
import type { World } from './world.ts';

const source = '/workspace/source';

describe('the remote script: what is inside a folder that is sent', function () {
  this.timeout(180_000);
  let world: World;
  before(async () => (world = await openWorld()));
  after(() => world.close());

  it('a ConfigMap in it is read there, and is not brought back onto itself', async () => {
    const build = await runBuild(world, {
      script: `cat ${source}/.m2/settings.xml >${source}/made`,
      files: { [`${source}/a`]: '1', [`${source}/.m2/settings.xml`]: 'settings' },
      mounts: [
        { path: source, sync: 'both' },
        { path: `${source}/.m2`, sync: 'in', kind: 'flat', mode: 'ro' },
      ],
      mounted: [source, `${source}/.m2 ro`],
    });
    expect(build.code, build.stderr).to.equal(0);
    expect(build.read(`${source}/made`)).to.equal('settings');
  });

  it('a mount in it that is only sent is not brought back with it, whatever is in its name', async () => {
    const inner = `${source}/my data`;
    const build = await runBuild(world, {
      script: `echo other >"${inner}/a"`,
      files: { [`${inner}/a`]: 'mine' },
      mounts: [
        { path: source, sync: 'both' },
        { path: inner, sync: 'in' },
      ],
      mounted: [source, inner],
    });
    expect(build.code, build.stderr).to.equal(0);
    expect(build.read(`${inner}/a`)).to.equal('mine');
  });

  it('a mount that has no leave to go is not sent with it, and stays as it is', async () => {
    const build = await runBuild(world, {
      script: `ls -A ${source} >/tekton/results/SEEN; mkdir -p ${source}/.npm; echo other >${source}/.npm/.npmrc`,
      files: { [`${source}/a`]: '1', [`${source}/.npm/.npmrc`]: 'token' },
      mounts: [{ path: source, sync: 'both' }],
      mounted: [source, `${source}/.npm`],
      settings: { MP_STAYS: `${source}/.npm` },
    });
    expect(build.code, build.stderr).to.equal(0);
    expect([build.read('tekton/results/SEEN'), build.read(`${source}/.npm/.npmrc`)]).to.deep.equal(['a\n', 'token']);
  });

  it('what Tekton writes of the step meanwhile is not replaced by what it was before', async () => {
    const captured = ['/tekton/results/DIGEST', `${source}/build.log`];
    const build = startBuild(world, {
      script: 'echo said; sleep 2',
      files: Object.fromEntries(captured.map((path) => [path, ''])),
      mounts: [{ path: source, sync: 'both' }],
      settings: { MP_STAYS: captured.join('\n') },
    });
    await build.saw('said');
    for (const path of captured) writeFileSync(join(build.folder, 'volumes', path), 'said');
    const { code, stderr } = await build.ended;
    expect(code, stderr).to.equal(0);
    expect(captured.map((path) => build.read(path))).to.deep.equal(['said', 'said']);
  });
});
