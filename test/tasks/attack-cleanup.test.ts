// What a hostile build does to its neighbours on a host, and what it leaves so that it outlives it or so that the host cannot
// be cleaned: neighbours keep theirs, and all of it goes.
import { expect } from 'chai';
import { ProviderLab, type Build } from './provider-lab.ts';

describe('attack: a build on its host', function () {
  this.timeout(120_000);
  let lab: ProviderLab;
  before(async () => {
    lab = await ProviderLab.start();
  });
  after(() => lab.stop());

  interface Resident {
    readonly build: Build;
    readonly user: string;
    readonly uid: number;
    readonly subuid: number;
  }

  async function aResident(): Promise<Resident> {
    const build = lab.aBuild();
    const { code, log } = await lab.provision(build);
    expect(code, log).to.equal(0);
    const user = await lab.userOf(build);
    const uid = Number(lab.host.read(`id -u ${user}`));
    return { build, user, uid, subuid: Number(lab.host.read(`sed -n 's/^${user}:\\([0-9]*\\):.*/\\1/p' /etc/subuid`)) };
  }

  async function onHost(resident: Resident, script: string): Promise<string> {
    const { code, stdout, stderr } = await lab.logIn(resident.build, script);
    expect(code, stderr).to.equal(0);
    return stdout.trimEnd();
  }

  /** Every file, process and mount of it, wherever. */
  const traces = ({ user, uid, subuid }: Resident): string =>
    lab.host.read(`
      getent passwd ${user}; grep ${user} /proc/self/mounts
      for dir in / /tmp /var/tmp /dev/shm /dev/mqueue /run /home /var/spool/cron /var/lib/multi-platform; do
        find $dir -xdev \\( -uid ${uid} -o -uid +${subuid - 1} -uid -${subuid + 65536} -o -name '*${user}*' \\) \\
          -not -path '*/tombstones/*' -not -path '*/locks/*' 2>/dev/null | head -n 20
      done
      awk '$1 == "Uid:" && ($2 == ${uid} || $2 >= ${subuid} && $2 < ${subuid + 65536}) { print FILENAME }' /proc/[0-9]*/status 2>/dev/null || true`);

  async function expectGone(resident: Resident): Promise<void> {
    const { code, log } = await lab.clean(resident.build);
    expect(code, log.slice(-2000)).to.equal(0);
    expect(traces(resident)).to.equal('');
  }

  it('home, key, private files, environment and processes of a neighbour are out of its reach', async () => {
    const [victim, attacker] = [await aResident(), await aResident()];
    const pid = await onHost(
      victim,
      `echo precious >build/file; install -m 600 /dev/null /tmp/of-${victim.uid}
      TOKEN=precious nohup sleep 1000 >/dev/null 2>&1 & echo $!`,
    );
    const home = `/home/${victim.user}`;
    const attempts = [
      `ls ${home}`,
      `cat ${home}/build/file`,
      `cat ${home}/.ssh/authorized_keys`,
      `touch ${home}/.ssh/authorized_keys`,
      `cat /tmp/of-${victim.uid}`,
      `rm -f /tmp/of-${victim.uid}`,
      `mv /tmp/of-${victim.uid} /tmp/mine`,
      `cat /proc/${pid}/environ`,
      `ls /proc/${pid}/cwd/`,
      `ls /proc/${pid}/fd`,
      `kill ${pid}`,
      `podman unshare cat ${home}/build/file`,
      `podman unshare chown 0 /tmp/of-${victim.uid}`,
      `ls /var/lib/multi-platform`,
      `crontab -u ${victim.user} -l`,
      `su ${victim.user} -c true`,
      `sudo -n true`,
    ];
    const could = await onHost(
      attacker,
      attempts
        .map((it) => `(${it}) </dev/null >/dev/null 2>&1 && echo '${it}'`)
        .join('\n')
        .concat('\ntrue'),
    );
    expect(could).to.equal('');
    await expectGone(attacker);
    expect(await onHost(victim, `cat build/file; ps -o comm= -p ${pid}; ls /tmp/of-${victim.uid}`)).to.equal(
      `precious\nsleep\n/tmp/of-${victim.uid}`,
    );
    await expectGone(victim);
  });

  it('setuid programs, names like options, deep folders and 100,000 files', async () => {
    const resident = await aResident();
    await onHost(
      resident,
      `set -e
      for dir in /tmp /var/tmp /dev/shm ~; do
        cp /bin/bash "$dir/run-me-${resident.uid}"; chmod 6755 "$dir/run-me-${resident.uid}"
        mkdir -p -- "$dir/-rf ${resident.uid}/\\$(reboot)/"$'\\xff\\n;*'; chmod 0 -- "$dir/-rf ${resident.uid}"
      done
      mkdir /tmp/many-${resident.uid}; cd /tmp/many-${resident.uid}; seq -f 'a file %.0f' 60000 | xargs -d '\\n' touch
      mkdir ~/build/many; cd ~/build/many; seq 40000 | xargs touch
      cd /tmp; for i in $(seq 60); do d=$(printf '%0200d' $i); mkdir $d; cd -P ./$d; done`,
    );
    await expectGone(resident);
  });

  it('nothing of it can be made immutable, and what root made immutable is told, not overlooked', async () => {
    const resident = await aResident();
    expect(await onHost(resident, 'echo x >kept; chattr +i kept 2>&1 || true')).to.match(/Operation not permitted/);
    // As a careless sudo command would.
    lab.host.read(`chattr +i /home/${resident.user}/kept`);
    expect((await lab.clean(resident.build)).results).to.include({ REASON: 'FilesLeft' });
    lab.host.read(`chattr -i /home/${resident.user}/kept`);
    await expectGone(resident);
  });

  it('a crontab and an at job: what they start does not come back', async () => {
    const resident = await aResident();
    const { user, uid } = resident;
    lab.host.read(`install -o ${uid} -m 600 /dev/null /var/spool/cron/crontabs/${user}
      install -d /var/spool/cron/atjobs; install -o ${uid} -m 700 /dev/null /var/spool/cron/atjobs/a0001`);
    // A cron that never sleeps: as long as there is a job it starts it.
    lab.host.read(`(while [ -e /var/spool/cron/crontabs/${user} ] || [ -e /var/spool/cron/atjobs/a0001 ]; do
      setpriv --reuid=${uid} --regid=${uid} --clear-groups sh -c 'touch /tmp/by-cron-$$; sleep 0.1'; done) >/dev/null 2>&1 &`);
    await expectGone(resident);
  });

  it('a full disk with no file to spare: it is cleaned all the same, containers included', async () => {
    const resident = await aResident();
    // The usual machine: one file system for all of it.
    lab.host.read(`cp -a /var/lib/multi-platform /home/state && mount --bind /home/state /var/lib/multi-platform`);
    await onHost(
      resident,
      `(setsid podman unshare setpriv --reuid=7 --regid=7 --clear-groups sleep 1000 >/dev/null 2>&1 &)
      while ! pgrep -u ${resident.subuid + 6} sleep >/dev/null; do sleep 0.1; done`,
    );
    const [blocks, inodes] = lab.host.read(`df --output=used,iused /home | tail -n 1`).trim().split(/ +/).map(Number);
    lab.host.read(`mount -o remount,size=$((${blocks} + 512))k,nr_inodes=$((${inodes} + 50)) /home`);
    // As one that care has forgotten: the lock has to be made anew, and cannot be.
    lab.host.read('rm -f /var/lib/multi-platform/locks/*');
    await lab.logIn(resident.build, 'cat /dev/zero >build/full; seq 100 | xargs touch; true');
    expect(lab.host.run('touch /var/lib/multi-platform/x').stderr).to.contain('No space left');
    await expectGone(resident);
    lab.host.read('mount -o remount,size=50%,nr_inodes=0 /home');
    expect(await lab.provision(resident.build)).to.deep.include({ code: 1 });
    lab.host.read('umount /var/lib/multi-platform; rm -r /home/state');
  });

  it('a mount with a line feed at the end of its name', async () => {
    const resident = await aResident();
    lab.host.read(
      `mkdir /home/${resident.user}/$'odd \\\\ \\n'; mount -t tmpfs tmpfs /home/${resident.user}/$'odd \\\\ \\n'`,
    );
    await expectGone(resident);
  });

  it('a mount behind a symbolic link of somebody else: root unmounts nothing there, fusermount does as the user', async () => {
    const resident = await aResident();
    const { uid } = resident;
    lab.host.read(`mkdir -p /tmp/trap/home
      exec 3<>/dev/fuse; mount -i -t fuse none /tmp/trap/home -o fd=3,rootmode=40000,user_id=${uid},group_id=${uid}; exec 3<&-
      printf '#!/bin/sh\\necho "$(id -u) $*" >/dev/shm/asked\\n' >/usr/local/bin/fusermount3; chmod 755 /usr/local/bin/fusermount3; install -m 666 /dev/null /dev/shm/asked`);
    await expectGone(resident);
    expect(lab.host.read('cat /dev/shm/asked')).to.equal(`${uid} -u -z -- /tmp/trap/home`);
    expect(lab.host.read('grep -c /tmp/trap/home /proc/self/mounts')).to.equal('1');
    lab.host.read('umount -l /tmp/trap/home; rm -r /tmp/trap /usr/local/bin/fusermount3 /dev/shm/asked');
  });

  it('a daemon that left its session, ignores every signal it can, and starts itself anew', async () => {
    const resident = await aResident();
    await onHost(
      resident,
      `cat >again.sh <<'END'
trap '' TERM HUP INT QUIT
(trap '' TERM HUP; while :; do sleep 0.05; kill -0 $$ 2>/dev/null || exec setsid bash ~/again.sh; done) &
while :; do sleep 1; done
END
      cp again.sh /dev/shm/again-${resident.uid}; mkdir -p ~/.config/systemd/user; ln -s ~/again.sh ~/.config/systemd/user/again.service
      (setsid nohup bash again.sh >/dev/null 2>&1 &)`,
    );
    await expectGone(resident);
  });
});
