// How podman of a build's account stores images: layers stacked where the host can, and the admin's own plan where there is one.
import { expect } from 'chai';
import { ProviderLab } from './provider-lab.ts';

describe("storage of a build's images", function () {
  this.timeout(120_000);
  let lab: ProviderLab;
  before(async () => {
    lab = await ProviderLab.start();
    // What the machine of the test has installed is not the question.
    lab.host.read('rm -f /etc/containers/storage.conf /usr/share/containers/storage.conf');
  });
  after(() => lab.stop());

  /** What its podman uses, and what the account is given, on a host that was prepared by the text. */
  async function storageWith(prepare: string, undo: string): Promise<{ driver: string; config: string }> {
    lab.host.read(prepare);
    try {
      const build = lab.aBuild();
      const { code, log } = await lab.provision(build);
      expect(code, log).to.equal(0);
      const driver = await lab.logIn(
        build,
        'podman info --format "{{.Store.GraphDriverName}} {{.Store.GraphOptions}}"',
      );
      const config = await lab.logIn(build, 'ls -A; cat .config/containers/storage.conf 2>/dev/null');
      await lab.clean(build);
      return { driver: driver.stdout.trim(), config: config.stdout };
    } finally {
      lab.host.read(undo);
    }
  }

  it('layers are stacked by the kernel, and nothing is left of the try', async () => {
    const { driver, config } = await storageWith('true', 'true');
    expect(driver).to.equal('overlay map[]');
    expect(config).to.contain('[storage]\ndriver = "overlay"\n');
    expect(config).not.to.contain('.stack');
  });

  it('by fuse-overlayfs where the kernel does not do it for accounts without root', async () => {
    const { driver } = await storageWith('mount --bind /bin/false /usr/bin/unshare', 'umount /usr/bin/unshare');
    expect(driver).to.contain('overlay map[overlay.mount_program:');
    expect(driver).to.contain('fuse-overlayfs');
  });

  it('podman does as it likes where neither works', async () => {
    const { config } = await storageWith(
      'mount --bind /bin/false /usr/bin/unshare; mv /usr/bin/fuse-overlayfs /usr/bin/away',
      'umount /usr/bin/unshare; mv /usr/bin/away /usr/bin/fuse-overlayfs',
    );
    expect(config).not.to.match(/storage\]|\.stack/);
  });

  for (const file of ['/etc/containers/storage.conf', '/usr/share/containers/storage.conf']) {
    it(`${file} of the admin's holds`, async () => {
      const admins = `printf '[storage]\\ndriver = "vfs"\\nrunroot = "/run/containers"\\ngraphroot = "/var/lib/containers/storage"\\n'`;
      const { driver, config } = await storageWith(`${admins} >${file}`, `rm ${file}`);
      expect(driver).to.match(/^vfs /);
      expect(config).not.to.contain('storage]');
    });
  }

  it('an account that has images already keeps its way of storing them', async () => {
    const build = lab.aBuild();
    await lab.provision(build);
    await lab.logIn(build, 'rm .config/containers/storage.conf; podman info >/dev/null');
    await lab.api.deleteSecret('team-a', build.secret);
    expect((await lab.provision(build)).code).to.equal(0);
    expect((await lab.logIn(build, 'ls .config/containers; podman info >/dev/null')).stdout).to.equal('');
    await lab.clean(build);
  });
});
