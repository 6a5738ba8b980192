// The image: built on the host by the builder image's own buildah, brought back, and loaded where the later steps look for it.
import { expect } from 'chai';
import { hostSecret, runBuild } from './build.ts';
import { imageBuild, LocalStep } from './image-build.ts';
import { openWorld } from './world.ts';
import type { World } from './world.ts';

const image = 'registry.example:5000/team/app:v1.2';
const build = imageBuild(image);

describe('the remote script: the image', function () {
  this.timeout(180_000);
  let world: World;
  let local: LocalStep;
  before(async () => {
    world = await openWorld();
    local = new LocalStep(world);
  });
  after(() => world.close());

  for (const driver of ['', 'vfs']) {
    it(`is built with RUN steps, comes back and is loaded under its name (storage driver '${driver}')`, async () => {
      const script = build.script.replace('buildah', driver === '' ? 'buildah' : `buildah --storage-driver ${driver}`);
      const built = await runBuild(world, {
        ...build,
        script,
        settings: { ...build.settings, MP_STORAGE_DRIVER: driver },
      });
      expect(built.code, built.stderr).to.equal(0);
      expect([built.read('mp-shared/mode'), built.read('mp-shared/image-ref')]).to.deep.equal([
        'image\n',
        `${image}\n`,
      ]);
      const [, size = ''] = /phase export took \d+\.\d\ds, (\d+\.\dMB)\n/.exec(built.stderr) ?? [];
      expect(built.stderr).to.match(new RegExp(` export=\\S+s/${size} fetch=\\S+s/\\d+\\.\\dMB `));

      const loaded = await local.run(built, 'MP_STORAGE_DRIVER=vfs');
      expect(loaded.code, loaded.stderr).to.equal(0);
      expect(loaded.stderr).to.match(new RegExp(`phase load took \\d+\\.\\d\\ds, ${size}\n`));
      expect(await local.images()).to.equal(`${image}\n`);
      expect(await local.proof(image)).to.equal('made-by-run\n');
      expect(built.has('mp-shared/image')).to.equal(false);
      await local.forget();
    });
  }

  it('is loaded by podman where the image of the step has no buildah, and not at all where it has neither', async () => {
    const built = await runBuild(world, build);
    const hide = (...tools: string[]) => tools.map((tool) => `mount --bind /dev/null /usr/bin/${tool}; `).join('');
    const neither = await local.run(built, 'MP_STORAGE_DRIVER=vfs', { prelude: hide('buildah', 'podman') });
    expect([neither.code, neither.stderr]).to.deep.equal([
      1,
      `build-local: this image has neither buildah nor podman to load ${image} with\n`,
    ]);
    const loaded = await local.run(built, 'MP_STORAGE_DRIVER=vfs', { prelude: hide('buildah') });
    expect(loaded.code, loaded.stderr).to.equal(0);
    expect(
      (await local.inStorage("podman --storage-driver vfs images --format '{{.Repository}}:{{.Tag}}'")).stdout,
    ).to.equal(`${image}\n`);
    await local.forget();
  });

  it('a failed script exports nothing', async () => {
    const built = await runBuild(world, { ...build, script: `${build.script}\nexit 9` });
    expect(built.code).to.equal(9);
    expect([built.read('mp-shared/mode'), built.has('mp-shared/image')]).to.deep.equal(['none\n', false]);
  });

  it('a script that ends well without making the image is told so', async () => {
    const built = await runBuild(world, { ...build, script: 'echo -n kept >/tekton/results/R' });
    expect(built.code).to.equal(74);
    expect(built.stderr).to.contain(`the image ${image} could not be exported`);
    expect(built.stderr).to.contain('the script left these images (taskgen --image-param says which comes back):');
    expect(built.read('tekton/results/R')).to.equal('kept');
  });

  it('a script that gives the image another name is told which names there are', async () => {
    const built = await runBuild(world, { ...build, script: build.script.replace('$IMAGE', '$IMAGE-dev') });
    expect(built.code).to.equal(74);
    expect(built.stderr).to.contain('the script left these images (taskgen --image-param says which comes back):');
    expect(built.stderr).to.match(new RegExp(`^${image.replace(/:[^:]*$/, '')} +\\S+-dev `, 'm'));
  });

  it('with MP_TRANSFER=none nothing is exported', async () => {
    const built = await runBuild(world, { ...build, settings: { ...build.settings, MP_TRANSFER: 'none' } });
    expect(built.code, built.stderr).to.equal(0);
    expect([built.read('mp-shared/mode'), built.has('mp-shared/image')]).to.deep.equal(['none\n', false]);
  });

  it('the local step runs the script when the host is localhost, and passes its exit code on', async () => {
    const script = 'echo "$# $2 ${MP_STORAGE_DRIVER-unset}" >/tekton/results/R; exit 5';
    const built = await runBuild(world, { script, secret: { host: 'localhost' } });
    const done = await local.run(built, 'MP_STORAGE_DRIVER=vfs', { args: "a 'two words'" });
    expect(done.code, done.stderr).to.equal(5);
    expect(built.read('tekton/results/R')).to.equal('2 two words unset\n');
  });

  describe('the builder image', () => {
    const fresh = (): Record<string, string> => hostSecret(world, 'fresh');
    before(async () => {
      const made = await world.run(
        [
          'set -e',
          "useradd -m -s /bin/bash -p '*' fresh",
          'cp -r /home/builder/.ssh /home/fresh && chown -R fresh: /home/fresh/.ssh',
          'printf \'unqualified-search-registries = []\\n[[registry]]\\nlocation = "127.0.0.1:5000"\\ninsecure = true\\n\' >/etc/containers/registries.conf',
          "printf 'version: 0.1\\nstorage:\\n  filesystem:\\n    rootdirectory: /tmp/registry\\nhttp:\\n  addr: 127.0.0.1:5000\\n' >/tmp/registry.yaml",
          'docker-registry serve /tmp/registry.yaml >/dev/null 2>&1 &',
          'su - builder -c "podman import -q --arch s390x /tmp/builder.tar localhost/foreign:1"',
          'until (exec 3<>/dev/tcp/127.0.0.1/5000) 2>/dev/null; do sleep 0.1; done',
          'su - builder -c "podman push -q localhost/builder:1 127.0.0.1:5000/builder:1"',
        ].join('\n'),
      );
      expect(made.code, made.stderr).to.equal(0);
    });

    it('is pulled by a user who has none, with its own time, while files are sent', async () => {
      const built = await runBuild(world, {
        ...build,
        secret: fresh(),
        settings: { ...build.settings, MP_IMAGE: '127.0.0.1:5000/builder:1' },
      });
      expect(built.code, built.stderr).to.equal(0);
      expect(built.stderr)
        .to.match(/pulling the builder image 127\.0\.0\.1:5000\/builder:1\n/)
        .and.to.match(/ phase pull took \d/)
        .and.to.match(/ pull=\d/);
    });

    // What update-host and provision-shared-host leave for a user, with something wrong with it.
    const offers: readonly (readonly [what: string, conf: string])[] = [
      ['a store that is gone', 'additionalimagestores = ["/nowhere/1"]'],
      ['a way to mount it that fails', '[storage.options.overlay]\nmount_program = "/bin/false"'],
    ];
    for (const [what, conf] of offers) {
      it(`is pulled when what the host offers does not work: ${what}`, async () => {
        const text = `# multi-platform: images\n[storage]\ndriver = "overlay"\n[storage.options]\n${conf}\n`;
        const given = await world.run(`su - fresh -c "podman rmi -af; podman unshare rm -rf .local" >/dev/null 2>&1
          su - fresh -c 'mkdir -p .config/containers && printf "%s" "$1" >.config/containers/storage.conf' fresh '${text}'`);
        expect(given.code, given.stderr).to.equal(0);
        const built = await runBuild(world, {
          ...build,
          secret: fresh(),
          settings: { ...build.settings, MP_IMAGE: '127.0.0.1:5000/builder:1' },
        });
        expect(built.code, built.stderr).to.equal(0);
        expect(built.stderr).to.contain('the builder images that this host keeps cannot be used');
        expect((await world.run('ls /home/fresh/.config/containers /home/fresh/mp-*')).stdout).not.to.contain(
          'storage.conf',
        );
      });
    }

    it('for another architecture is refused with a sentence', async () => {
      const built = await runBuild(world, { script: 'true', settings: { MP_IMAGE: 'localhost/foreign:1' } });
      expect(built.code).to.equal(78);
      expect(built.stderr).to.contain('localhost/foreign:1 is for linux/s390x, this host is linux/');
    });

    it('that does not exist ends the build with 125', async () => {
      const built = await runBuild(world, { script: 'true', settings: { MP_IMAGE: '127.0.0.1:5000/nobody:1' } });
      expect(built.code).to.equal(125);
      expect(built.stderr).to.contain('127.0.0.1:5000/nobody:1 cannot be pulled on this host');
    });
  });
});
