// Builder images that a host keeps for all its builds: care brings them, a build uses them without a pull, and nobody but root changes them.
import { expect } from 'chai';
import { ProviderLab, type Build } from './provider-lab.ts';

const image = '127.0.0.1:5000/builder:1';
const other = '127.0.0.1:5000/other:1';
const stores = '/var/lib/multi-platform-images';

describe('builder images kept on a host', function () {
  this.timeout(180_000);
  let lab: ProviderLab;
  before(async () => {
    lab = await ProviderLab.start();
    lab.host.read(`mkdir -p /tmp/registry /etc/containers/registries.conf.d
      printf '[engine]\\nruntime = "runc"\\ncgroup_manager = "cgroupfs"\\n[containers]\\nnetns = "host"\\n' >/etc/containers/containers.conf
      printf '[[registry]]\\nlocation = "127.0.0.1:5000"\\ninsecure = true\\n' >/etc/containers/registries.conf.d/tests.conf
      echo '{"default":[{"type":"insecureAcceptAnything"}]}' >/etc/containers/policy.json
      printf 'version: 0.1\\nstorage: {filesystem: {rootdirectory: /tmp/registry}}\\nhttp: {addr: "127.0.0.1:5000"}\\n' >/tmp/registry.yaml
      setsid docker-registry serve /tmp/registry.yaml >/dev/null 2>&1 </dev/null &
      until (exec 3<>/dev/tcp/127.0.0.1/5000) 2>/dev/null; do sleep 0.1; done`);
    anImage(image, 'one');
    anImage(other, 'other');
  });
  after(() => lab.stop());

  /** Owners and modes that plain files of root's could not show to another user, and programs with rights of root's. */
  function anImage(name: string, says: string): void {
    lab.host
      .read(`root=$(mktemp -d) && cd $root && mkdir -p bin etc var/secret && cp /bin/busybox bin/ && ln -s busybox bin/sh
      echo ${says} >etc/says; chmod 600 etc/says; echo mine >var/secret/file; chown -R 1000:1000 var/secret; chmod 700 var/secret; mkdir dev; mknod dev/full c 1 7
      cp /bin/setpriv bin/ && setcap cap_setuid,cap_setgid=ep bin/setpriv; cp /bin/busybox bin/rooted && chmod 4755 bin/rooted
      chmod 755 $root && tar --xattrs --xattrs-include=security.capability -C $root -c . | podman import -q - ${name} >/dev/null && podman push -q ${name} && podman rmi ${name} >/dev/null && rm -rf $root`);
  }

  const keep = (...images: string[]) => lab.update({ env: { BUILDER_IMAGES: images.join('\n') } });

  async function aBuild(): Promise<Build> {
    const build = lab.aBuild();
    const { code, log } = await lab.provision(build);
    expect(code, log).to.equal(0);
    return build;
  }

  async function said(build: Build, command: string): Promise<string> {
    const { stdout, stderr } = await lab.logIn(build, command);
    return `${stdout}${stderr}`.trim();
  }

  const inside = (name: string, command: string) => `podman run --rm --pull=never ${name} sh -c '${command}' 2>&1`;

  it('are there for a fresh user: no pull, root and other owners as the image has them', async () => {
    const { code, results, log } = await keep('# what our Tasks build in', image, '', other);
    expect(code, log).to.equal(0);
    expect(results['MESSAGE']).to.contain(', 2 builder images kept, ');
    const build = await aBuild();
    const look =
      'id -u; cat /etc/says; stat -c "%u %a" /etc/says /var/secret/file /var/secret; echo new >/etc/says; cat /etc/says';
    expect(await said(build, inside(image, look))).to.equal('0\none\n0 600\n1000 644\n1000 700\nnew');
    expect(await said(build, inside(image, 'cat /etc/says'))).to.equal('one');
    await lab.clean(build);
  });

  it('can be changed by nobody but root', async () => {
    const build = await aBuild();
    const writable = `find ${stores} ! -type l \\( -writable -o -perm /022 \\) | head -n 3; find ${stores} ! -type l ! -readable | head -n 3`;
    expect(await said(build, writable)).to.equal('');
    const attack = `podman rmi --force ${image}; podman tag ${image} ${other}; podman unshare rm -rf ${stores}/1; podman unshare sh -c 'echo x >${stores}/current'`;
    await said(build, attack);
    const second = await aBuild();
    expect(await said(second, inside(image, 'cat /etc/says'))).to.equal('one');
    expect(await said(second, inside(other, 'cat /etc/says'))).to.equal('other');
    await lab.clean(build);
    await lab.clean(second);
  });

  it('give a build no rights on the host itself: nothing of them has a capability, a setuid bit or another owner there', async () => {
    const programs = lab.host.read(`ls ${stores}/*/overlay/*/diff/bin/setpriv`);
    expect(programs.split('\n')).to.have.length(2);
    const build = await aBuild();
    const becomeRoot = `for program in ${stores}/*/overlay/*/diff/bin/setpriv; do $program --reuid=0 --clear-groups id -u; done 2>/dev/null`;
    expect(await said(build, becomeRoot)).to.equal('');
    expect(lab.host.read(`getcap -r ${stores}; find ${stores} -perm /6000 -o ! -uid 0 -o ! -gid 0`)).to.equal('');
    await lab.clean(build);
  });

  it('stay what they were for a build that runs while they are renewed', async () => {
    const build = await aBuild();
    anImage(image, 'two');
    expect((await keep(image)).code).to.equal(0);
    expect(await said(build, inside(image, 'cat /etc/says'))).to.equal('one');
    const later = await aBuild();
    expect(await said(later, inside(image, 'cat /etc/says'))).to.equal('two');
    expect(await said(later, inside(other, 'cat /etc/says'))).to.contain('image not known');
    await lab.clean(build);
    await lab.clean(later);
    expect((await keep(image)).code).to.equal(0);
    expect(lab.host.read(`ls ${stores}`)).to.equal('2\ncurrent');
  });

  it('that did not change make no new store', async () => {
    expect((await keep(image)).code).to.equal(0);
    expect(lab.host.read(`cat ${stores}/current`)).to.equal('2');
  });

  it('stay when one cannot be pulled, and care says which', async () => {
    const { code, results, log } = await keep(image, '127.0.0.1:5000/nobody:1');
    expect(code, log).to.equal(1);
    expect(results).to.deep.equal({
      REASON: 'ImagesNotKept',
      MESSAGE: 'root@127.0.0.1: 127.0.0.1:5000/nobody:1 cannot be pulled; builds use what was kept before',
    });
    expect(lab.host.read(`ls ${stores}`)).to.equal('2\ncurrent');
  });

  const unsafe: readonly (readonly [what: string, make: string, undo: string])[] = [
    ['a store that others may write', `chmod o+w ${stores}/2`, `chmod o-w ${stores}/2`],
    ['a store of somebody else', `chown daemon ${stores}`, `chown root ${stores}`],
    [
      'a store by a symbolic link',
      `mv ${stores}/2 /tmp/2; ln -s /tmp/2 ${stores}/2`,
      `rm ${stores}/2; mv /tmp/2 ${stores}/2`,
    ],
    ['a record that is no number', `echo ../../../tmp >${stores}/current`, `echo 2 >${stores}/current`],
    [
      'a host without fuse-overlayfs',
      'mv /usr/bin/fuse-overlayfs /usr/bin/away',
      'mv /usr/bin/away /usr/bin/fuse-overlayfs',
    ],
    [
      "an admin's own place for users' images",
      `echo 'rootless_storage_path = "/tmp/x"' >>/etc/containers/storage.conf`,
      `sed -i '$d' /etc/containers/storage.conf`,
    ],
  ];
  for (const [what, make, undo] of unsafe) {
    it(`are not offered: ${what}`, async () => {
      lab.host.read(`touch /etc/containers/storage.conf; ${make}`);
      const build = await aBuild();
      lab.host.read(undo);
      expect(await said(build, 'cat .config/containers/storage.conf')).to.contain('No such file');
      await lab.clean(build);
    });
  }

  it('are offered again when the same attempt is provisioned again, and never over a file of somebody else', async () => {
    const build = await aBuild();
    const file = `/home/${await lab.userOf(build)}/.config/containers/storage.conf`;
    expect((await lab.provision(build)).log).to.contain('SecretExists');
    expect(lab.host.read(`head -n 1 ${file}`)).to.match(/^# multi-platform:/);
    lab.host.read(`echo own >${file}`);
    await lab.provision(build);
    expect(lab.host.read(`cat ${file}`)).to.equal('own');
    await lab.clean(build);
  });

  it('that are no longer listed go', async () => {
    expect((await lab.update()).code).to.equal(0);
    expect(lab.host.read(`ls ${stores}`)).to.equal('');
    const build = await aBuild();
    expect(await said(build, 'ls .config')).to.contain('No such file');
    await lab.clean(build);
  });

  it('need fuse-overlayfs, which builds can use, and a list that names images', async () => {
    lab.host.read('mv /usr/bin/fuse-overlayfs /usr/bin/away');
    expect((await keep(image)).results['MESSAGE']).to.contain('the host has no fuse-overlayfs or no podman');
    lab.host.read('mv /usr/bin/away /usr/bin/fuse-overlayfs; chmod 600 /dev/fuse');
    expect((await keep(image)).results['MESSAGE']).to.contain('cannot open /dev/fuse: modprobe fuse && chmod 666');
    lab.host.read('chmod 666 /dev/fuse');
    expect((await keep('--root=/x')).results['REASON']).to.equal('InvalidParameter');
  });
});
