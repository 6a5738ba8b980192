// A builder image that needs a credential: it reaches the host for the pull, through no argument and no file that stays.
import { expect } from 'chai';
import { runBuild } from './build.ts';
import { auth, credential, password, registry, startGuardedRegistry, tracesOfPassword } from './guarded-registry.ts';
import { openWorld } from './world.ts';
import type { World } from './world.ts';

const image = `${registry}/private/builder:1`;

async function pushBuilder(world: World): Promise<void> {
  const login = `podman login --authfile /tmp/pushing -u builder -p ${password} ${registry}`;
  const pushed = await world.onHost(
    `${login} && podman push -q --authfile /tmp/pushing localhost/builder:1 ${image} && rm /tmp/pushing`,
  );
  expect(pushed.code, pushed.stderr).to.equal(0);
}

describe('the remote script: a builder image behind a login', function () {
  this.timeout(180_000);
  let world: World;
  before(async () => {
    world = await openWorld();
    await startGuardedRegistry(world);
    await pushBuilder(world);
  });
  after(() => world.close());

  it('is pulled with the credential, of which nothing stays on the host', async () => {
    const build = await runBuild(world, {
      script: 'echo built >/tekton/results/R; sleep 1',
      files: { 'data/auth': credential },
      settings: { MP_IMAGE: image, MP_REGISTRY_AUTH: 'pull', MP_REGISTRY_AUTH_FILE: '/data/auth' },
    });
    expect(build.code, build.stderr).to.equal(0);
    expect(build.read('tekton/results/R')).to.equal('built\n');
    expect(build.stderr).to.match(/phase pull took \d+\.\d\ds, (\d+\.\dMB)\n[^]* pull=\d+\.\d\ds\/\1 /);
    expect(build.stderr).not.to.contain(password).and.not.to.contain(auth);
    expect(await tracesOfPassword(world)).to.equal('');
  });

  it('without the credential the build ends, and says which image', async () => {
    await world.onHost(`podman rmi ${image}`);
    const build = await runBuild(world, { script: 'true', settings: { MP_IMAGE: image } });
    expect(build.code, build.stderr).to.equal(125);
    expect(build.stderr).to.contain(`the builder image ${image} cannot be pulled on this host`);
  });

  it('a credential that is not there is missed by the name of its file', async () => {
    const build = await runBuild(world, { script: 'true', settings: { MP_IMAGE: image, MP_REGISTRY_AUTH: 'pull' } });
    expect(build.code, build.stderr).to.equal(78);
    expect(build.stderr).to.contain('missing at /mp-registry-auth/.dockerconfigjson');
  });
});
