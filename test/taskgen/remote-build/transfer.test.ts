// Ways of the image other than an OCI layout: as one stream, or by a push from the host. Whatever is cut half-way leaves nobody waiting.
import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runBuild, startBuild } from './build.ts';
import type { Build } from './build.ts';
import { credential, password, registry, startGuardedRegistry, tracesOfPassword } from './guarded-registry.ts';
import { imageBuild, LocalStep } from './image-build.ts';
import { openWorld } from './world.ts';
import type { World } from './world.ts';

const image = `${registry}/team/app:v1.2`;
const build = imageBuild(image);
const by = (transfer: string, settings: Readonly<Record<string, string>> = {}): Build => ({
  ...build,
  settings: { ...build.settings, MP_TRANSFER: transfer, ...settings },
});
const withPush = { MP_REGISTRY_AUTH: 'push', MP_REGISTRY_PUSH_FILE: '/data/auth', MP_TLS_VERIFY: 'false' };
const pushing: Build = { ...by('registry', withPush), files: { ...build.files, 'data/auth': credential } };

describe('the remote script: other ways of the image', function () {
  this.timeout(180_000);
  let world: World;
  let local: LocalStep;
  before(async () => {
    world = await openWorld();
    local = new LocalStep(world);
    await startGuardedRegistry(world);
  });
  after(() => world.close());
  afterEach(() => local.forget());

  for (const far of [false, true]) {
    it(`--transfer stream brings it without a copy on the host${far ? ', compressed when the host is far away' : ''}`, async () => {
      const built = await runBuild(world, by('stream', far ? { MP_COMPRESS: 'always' } : {}));
      expect(built.code, built.stderr).to.equal(0);
      expect(built.stderr).to.match(/ export=\d+\.\d\ds\/\d+\.\dMB fetch=\S+\/\d/);
      expect(built.has('mp-shared/image')).to.equal(false);
      const loaded = await local.run(built, 'MP_STORAGE_DRIVER=vfs');
      expect(loaded.code, loaded.stderr).to.equal(0);
      expect(await local.images()).to.equal(`${image}\n`);
      expect(await local.proof(image)).to.equal('made-by-run\n');
      expect(built.has('mp-shared/image.tar')).to.equal(false);
      await nothingLeft();
    });
  }

  it('a failed script streams nothing, and its exit code arrives', async () => {
    const built = await runBuild(world, { ...by('stream'), script: 'exit 9' });
    expect(built.code, built.stderr).to.equal(9);
    expect(built.read('mp-shared/mode')).to.equal('none\n');
    await nothingLeft();
  });

  it('a script that makes no image is told so', async () => {
    const built = await runBuild(world, { ...by('stream'), script: 'echo -n kept >/tekton/results/R' });
    expect(built.code, built.stderr).to.equal(74);
    expect(built.stderr).to.contain(`the image ${image} could not be exported`);
    expect(built.read('tekton/results/R')).to.equal('kept');
    await nothingLeft();
  });

  it('a stream whose reader is killed ends the build with 75', async () => {
    const built = startBuild(world, { ...by('stream'), script: 'echo on the host; exec sleep 1000' });
    await built.saw('on the host');
    const reader = String.raw`pgrep -u root -f '^ssh .*mp_host_stream "[$]@"'`;
    await world.run(`until pid=$(${reader}); do sleep 0.1; done; kill -9 $pid`);
    const { code, stderr } = await built.ended;
    expect(code, stderr).to.equal(75);
    expect(stderr).to.contain('the stream of the image from builder@127.0.0.1 broke off');
    await nothingLeft();
  });

  it('a stopped build leaves no reader behind', async () => {
    const built = startBuild(world, { ...by('stream'), script: 'echo on the host; exec sleep 1000' });
    await built.saw('on the host');
    process.kill(built.pid, 'SIGTERM');
    expect((await built.ended).code).to.equal(143);
    await nothingLeft();
  });

  it('--transfer registry pushes from the host, and the cluster takes exactly that image', async () => {
    const built = await runBuild(world, pushing);
    expect(built.code, built.stderr).to.equal(0);
    const digest = built.read('mp-shared/image-digest').trim();
    expect(built.stderr).to.contain(`pushed from the host: ${image}, ${digest}`);
    expect(built.stderr).to.match(/ export=\d+\.\d\ds\/[\d.]+MB /);
    expect(built.has('mp-shared/image')).to.equal(false);

    writeFileSync(join(world.root, 'tmp/pod-auth'), credential);
    const variables = 'MP_STORAGE_DRIVER=vfs MP_TLS_VERIFY=false REGISTRY_AUTH_FILE=/tmp/pod-auth';
    const loaded = await local.run(built, variables);
    expect(loaded.code, loaded.stderr).to.equal(0);
    expect(await local.images()).to.contain(`${image}\n`);
    expect(await local.proof(image)).to.equal('made-by-run\n');
    const inspected = await local.inStorage(
      `skopeo inspect --authfile /tmp/pod-auth --tls-verify=false --format '{{.Digest}}' docker://${image}`,
    );
    expect(inspected.stdout.trim(), inspected.stderr).to.equal(digest);
    await world.run('rm /tmp/pod-auth');
    await nothingLeft();
  });

  it('the image is not pulled where no later step looks for it', async () => {
    const built = await runBuild(world, pushing);
    const done = await local.run(built, 'MP_STORAGE_DRIVER=vfs MP_LOAD=false');
    expect([done.code, done.stderr]).to.deep.equal([
      0,
      `build-local: the host pushed ${image}, ${built.read('mp-shared/image-digest').trim()}; no later step needs it here\n`,
    ]);
  });

  it('the credential is nowhere on the host: no file, no argument, no variable, no log; before, during and after', async () => {
    const built = startBuild(world, { ...pushing, script: `echo on the host; sleep 3\n${build.script}` });
    await built.saw('on the host');
    expect(await tracesOfPassword(world)).to.equal('');
    const { code, stdout, stderr } = await built.ended;
    expect(code, stderr).to.equal(0);
    expect(stdout + stderr).not.to.contain(password);
    expect(await tracesOfPassword(world)).to.equal('');
  });

  it('a script that pushes itself finds the credential, by the names that tools look for', async () => {
    const script = [
      build.script,
      'buildah push -q --tls-verify=false "$IMAGE" docker://127.0.0.1:5000/team/own:1',
      'echo "$(ls -l "$REGISTRY_AUTH_FILE" | cut -c1-10) $DOCKER_CONFIG" >/tekton/results/R',
    ].join('\n');
    const built = await runBuild(world, {
      ...by('none', { ...withPush, MP_RESULT_IMAGE: '' }),
      script,
      files: { ...build.files, 'data/auth': credential },
    });
    expect(built.code, built.stderr).to.equal(0);
    expect(built.read('tekton/results/R')).to.equal('-rw------- /mp-credential\n');
    expect(await tracesOfPassword(world)).to.equal('');
  });

  it('a script that fails leaves the credential unused, and nobody who holds it', async () => {
    const built = await runBuild(world, { ...pushing, script: 'exit 9' });
    expect(built.code, built.stderr).to.equal(9);
    await nothingLeft();
  });

  it('a detached build pushes too, also after a lost connection', async () => {
    const detached = { ...pushing, settings: { ...pushing.settings, MP_DETACHED: 'true' } };
    const built = startBuild(world, { ...detached, script: `echo on the host; sleep 3\n${build.script}` });
    await built.saw('on the host');
    await world.run('kill -9 $(pgrep -u builder -x sshd)');
    const { code, stderr } = await built.ended;
    expect(code, stderr).to.equal(0);
    expect(stderr).to.contain('the build goes on there').and.to.contain('pushed from the host');
    await nothingLeft();
  });

  it('a wrong password ends in the words of the registry, and in 74', async () => {
    const wrong = JSON.stringify({ auths: { [registry]: { auth: Buffer.from('builder:no').toString('base64') } } });
    const built = await runBuild(world, { ...pushing, files: { ...build.files, 'data/auth': wrong } });
    expect(built.code, built.stderr).to.equal(74);
    expect(built.stderr)
      .to.contain('could not be exported')
      .and.to.match(/unauthorized|authentication required/i);
  });

  it('a credential that is not there is missed before anything is sent', async () => {
    const built = await runBuild(world, by('registry', { MP_REGISTRY_AUTH: 'push' }));
    expect(built.code, built.stderr).to.equal(78);
    expect(built.stderr).to.contain('missing at /mp-registry-push/.dockerconfigjson').and.not.to.contain('connect');
  });

  it('a stream and a detached build exclude each other', async () => {
    const built = await runBuild(world, by('stream', { MP_DETACHED: 'true' }));
    expect([built.code, /use oci/.test(built.stderr)]).to.deep.equal([78, true]);
  });

  async function nothingLeft(): Promise<void> {
    const left = 'ls -d mp-*; podman ps -aq; podman volume ls -q; pgrep -u builder -x cat; pgrep -u builder -x gzip';
    expect((await world.onHost(left)).stdout).to.equal('');
    expect(await tracesOfPassword(world)).to.equal('');
  }
});
