// A builder image that needs a credential: it reaches the host for the pull, through no argument and no file that stays.
import { expect } from 'chai';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runBuild } from './build.ts';
import { openWorld } from './world.ts';
import type { World } from './world.ts';

const registry = '127.0.0.1:5000';
const image = `${registry}/private/builder:1`;
const auth = Buffer.from('puller:s3cret-word').toString('base64');
const credential = JSON.stringify({ auths: { [registry]: { auth } } });

async function startRegistry(world: World): Promise<void> {
  const config = `
version: 0.1
storage: {filesystem: {rootdirectory: /tmp/registry/data}}
auth: {htpasswd: {realm: tests, path: /tmp/registry/users}}
http: {addr: "${registry}"}
`;
  await world.run(`mkdir -p /tmp/registry/data /etc/containers/registries.conf.d
    perl -e 'print "puller:", crypt("s3cret-word", "\\$2b\\$05\\$abcdefghijklmnopqrstuu"), "\\n"' >/tmp/registry/users
    printf '[[registry]]\\nlocation = "${registry}"\\ninsecure = true\\n' >/etc/containers/registries.conf.d/tests.conf`);
  writeFileSync(join(world.root, 'tmp/registry/config.yaml'), config);
  const server = world.spawn(['docker-registry', 'serve', '/tmp/registry/config.yaml']);
  await once(server.stderr!, 'data');
  const login = `podman login --authfile /tmp/pushing -u puller -p s3cret-word ${registry}`;
  const pushed = await world.onHost(
    `for n in $(seq 50); do ${login} && break; sleep 0.1; done
     podman push -q --authfile /tmp/pushing localhost/builder:1 ${image} && rm /tmp/pushing`,
  );
  expect(pushed.code, pushed.stderr).to.equal(0);
}

describe('the remote script: a builder image behind a login', function () {
  this.timeout(180_000);
  let world: World;
  before(async () => {
    world = await openWorld();
    await startRegistry(world);
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
    expect(build.stderr).not.to.contain('s3cret').and.not.to.contain(auth);
    const found = await world.run(
      `grep -rlE 's3cret-word|${auth}' /home /tmp/podman* /run/user /run/containers /var/tmp`,
    );
    expect(found.stdout).to.equal('');
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
