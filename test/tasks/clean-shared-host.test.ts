// Cleanup on a real host: whatever a build left, nothing of it stays, and nothing else goes.
import { expect } from 'chai';
import { ProviderLab, type Build } from './provider-lab.ts';

describe('clean-shared-host', function () {
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

  async function aResident(changed: Record<string, string> = {}): Promise<Resident> {
    const build = lab.aBuild(changed);
    const { code, log } = await lab.provision(build);
    expect(code, log).to.equal(0);
    const user = await lab.userOf(build);
    const uid = Number(lab.host.read(`id -u ${user}`));
    return { build, user, uid, subuid: Number(lab.host.read(`sed -n 's/^${user}:\\([0-9]*\\):.*/\\1/p' /etc/subuid`)) };
  }

  /** Every trace of a user on the host, the empty string when there is none. */
  function traces({ user, uid, subuid }: Resident): string {
    const range = `-uid ${uid} -o -uid +${subuid - 1} -uid -${subuid + 65536}`;
    return lab.host.read(`
      getent passwd ${user}; getent group ${user}; getent shadow ${user}; grep ${user} /etc/subuid /etc/subgid /proc/self/mounts
      for dir in / /tmp /var/tmp /dev/shm /dev/mqueue /run /home /var/spool/cron /var/lib/containers; do
        find $dir -xdev \\( ${range} -o -name '*${user}*' \\) -not -path '*/multi-platform/tombstones/*' -not -path '*/multi-platform/locks/*' 2>/dev/null
      done
      awk '$1 == "Uid:" && ($2 == ${uid} || $2 >= ${subuid} && $2 < ${subuid + 65536}) { print FILENAME }' /proc/[0-9]*/status 2>/dev/null
      awk '$0 ~ " ${uid} " { print FILENAME, $0 }' /proc/sysvipc/* || true`);
  }

  it('removes the user with its home, settings, processes and files everywhere', async () => {
    const resident = await aResident({ SUDO_COMMANDS: '/usr/bin/id' });
    const dirty = await lab.logIn(
      resident.build,
      `set -e
      for dir in /tmp /var/tmp /dev/shm /run/lock; do mkdir -p $dir/deep/$$/er; echo x >$dir/deep/$$/er/file; chmod 000 $dir/deep; done
      echo x >"/tmp/a name with
      line feed"
      podman unshare sh -c 'echo x >/tmp/of-a-container; chown 1000:1000 /tmp/of-a-container; chmod 600 /tmp/of-a-container'
      podman unshare chown -R 5:5 build
      ipcmk -M 4096 -S 2 -Q >/dev/null
      nohup sleep 1000 >/dev/null 2>&1 &
      (setsid sh -c 'trap "" TERM HUP; while :; do sleep 100; done' >/dev/null 2>&1 &)
      setsid podman unshare setpriv --reuid=7 --regid=7 --clear-groups sleep 1000 >/dev/null 2>&1 &
      while ! pgrep -u ${resident.subuid + 6} sleep >/dev/null; do sleep 0.1; done`,
    );
    expect(dirty.code, dirty.stderr).to.equal(0);
    lab.host.read(`install -o ${resident.uid} -m 600 /etc/hostname /var/spool/cron/crontabs/${resident.user}`);
    expect(traces(resident).split('\n').length).to.be.greaterThan(30);
    const { code, log } = await lab.clean(resident.build);
    expect(code, log).to.equal(0);
    expect(traces(resident)).to.equal('');
  });

  it('ends processes that fork faster than anyone can count', async () => {
    const resident = await aResident();
    await lab.logIn(
      resident.build,
      `echo 'trap "" TERM; sleep 0.05; setsid sh "$0" & setsid sh "$0" & exit' >fork.sh; ulimit -u 60; setsid sh fork.sh >/dev/null 2>&1 &`,
    );
    const { code, log } = await lab.clean(resident.build);
    expect(code, log).to.equal(0);
    expect(traces(resident)).to.equal('');
  });

  it('lets nobody in any more, whatever a process does to keep the key in place', async () => {
    const resident = await aResident();
    const values = await lab.api.values('team-a', resident.build.secret);
    const keep = 'trap "" TERM; while :; do mkdir -p ~/.ssh; cp /tmp/kept ~/.ssh/authorized_keys; sleep 0.05; done';
    await lab.logIn(resident.build, `cp .ssh/authorized_keys /tmp/kept; setsid sh -c '${keep}' >/dev/null 2>&1 &`);
    expect(await lab.clean(resident.build)).to.include({ code: 0 });
    expect(traces(resident)).to.equal('');
    expect(lab.logInWith(values['id_rsa']!, `${resident.user}@127.0.0.1`, 'true').stderr).to.contain(
      'Permission denied',
    );
  });

  it('leaves neighbours alone, their processes and what symbolic links point to', async () => {
    const [leaving, neighbour] = [await aResident(), await aResident()];
    await lab.logIn(neighbour.build, 'echo kept >/tmp/neighbour; nohup sleep 1000 >/dev/null 2>&1 &');
    await lab.logIn(
      leaving.build,
      'ln -s /tmp/neighbour /tmp/link; mkdir /tmp/dir; ln -s /etc /tmp/dir/etc; rm -r build; ln -s / build',
    );
    expect(await lab.clean(leaving.build)).to.include({ code: 0 });
    expect(traces(leaving)).to.equal('');
    expect(lab.host.read(`cat /tmp/neighbour; pgrep -u ${neighbour.user} -c sleep; test -e /etc/passwd`)).to.equal(
      'kept\n1',
    );
    expect(await lab.logIn(neighbour.build, 'true')).to.include({ code: 0 });
  });

  it('unmounts what is mounted below the home', async () => {
    const resident = await aResident();
    lab.host.read(
      `mkdir '/home/${resident.user}/a b'; mount -t tmpfs tmpfs '/home/${resident.user}/a b'; mkdir '/home/${resident.user}/a b/c'; mount --bind /etc '/home/${resident.user}/a b/c'`,
    );
    const { code, log } = await lab.clean(resident.build);
    expect(code, log).to.equal(0);
    expect(traces(resident)).to.equal('');
    expect(lab.host.read('ls /etc | wc -l')).not.to.equal('0');
  });

  it('removes what the system keeps for its uids: journals and the memory of programs that crashed', async () => {
    const resident = await aResident();
    const { uid, subuid } = resident;
    const core = (owner: number, pid: number): string =>
      `/var/lib/systemd/coredump/core.a\\x20b.c.${owner}.0123456789abcdef0123456789abcdef.${pid}.1700000000000000.zst`;
    const journal = (name: string): string => `/var/log/journal/0123/${name}`;
    const theirs = [
      core(uid + 1, uid),
      core(subuid - 1, 7),
      journal(`user-${uid}1.journal`),
      journal('system.journal'),
    ];
    const ours = [
      core(uid, 9),
      core(subuid + 5, 9),
      journal(`user-${uid}.journal`),
      journal(`user-${uid}@1-2.journal`),
    ];
    const quoted = [...theirs, ...ours].map((path) => `'${path}'`).join(' ');
    lab.host.read(`mkdir -p /var/lib/systemd/coredump /var/log/journal/0123; touch ${quoted}`);
    const { code, log } = await lab.clean(resident.build);
    expect(code, log).to.equal(0);
    const left = lab.host.read('find /var/lib/systemd/coredump/core.* /var/log/journal/0123 -type f').split('\n');
    expect(left.sort()).to.deep.equal(theirs.sort());
    lab.host.read('rm -r /var/lib/systemd/coredump/core.* /var/log/journal/0123');
  });

  it('is success when it was done already, and when there never was a user', async () => {
    const resident = await aResident();
    expect([(await lab.clean(resident.build)).code, (await lab.clean(resident.build)).code]).to.deep.equal([0, 0]);
    expect(await lab.clean(lab.aBuild())).to.include({ code: 0 });
  });

  it('finds the rest by the remembered uid when an earlier run was cut after the account had gone', async () => {
    const resident = await aResident();
    await lab.logIn(resident.build, 'echo x >/tmp/rest');
    lab.host.read(`userdel -f ${resident.user}`);
    expect(await lab.clean(resident.build)).to.include({ code: 0 });
    expect(traces(resident)).to.equal('');
  });

  it('touches no file of a newer user with the same uid', async () => {
    const resident = await aResident();
    lab.host.read(
      `userdel -rf ${resident.user}; useradd -u ${resident.uid} newcomer; setpriv --reuid=${resident.uid} --clear-groups touch /tmp/newcomer`,
    );
    expect(await lab.clean(resident.build)).to.include({ code: 0 });
    expect(lab.host.read('stat -c %U /tmp/newcomer')).to.equal('newcomer');
    lab.host.read('rm /tmp/newcomer; userdel newcomer');
  });

  it('ends no container of a newer user that has the subordinate ids now', async () => {
    const resident = await aResident();
    const ids = lab.host.read(`sed -n 's/^${resident.user}://p' /etc/subuid`);
    const first = Number(ids.split(':')[0]);
    lab.host.read(
      `userdel -f ${resident.user}; useradd -u ${resident.uid + 1000} newcomer; sed -i '/^newcomer:/d' /etc/subuid; echo newcomer:${ids} >>/etc/subuid`,
    );
    lab.host.read(`setpriv --reuid=${first + 5} --clear-groups sleep 1000 >/dev/null 2>&1 & true`);
    expect(await lab.clean(resident.build)).to.include({ code: 0 });
    expect(lab.host.read(`pgrep -u ${first + 5} -x sleep | wc -l`)).to.equal('1');
    lab.host.read(`pkill -KILL -u ${first + 5}; userdel newcomer; sed -i '/^newcomer:/d' /etc/subuid`);
  });

  it('removes a user that an older system made', async () => {
    const build = lab.aBuild({ TASKRUN_UID: '' });
    const user = `u-${lab.host.read(`echo '${build.name}team-a' | md5sum | cut -c-28`)}`;
    lab.host.read(`useradd -m ${user}; echo '${user} ALL=(ALL) NOPASSWD: /bin/true' >/etc/sudoers.d/${user}`);
    const resident = { build, user, uid: Number(lab.host.read(`id -u ${user}`)), subuid: 1 << 30 };
    expect(await lab.clean(build)).to.include({ code: 0 });
    expect(traces(resident)).to.equal('');
  });

  it('lets a TaskRun of the same name come again where no uid tells them apart', async () => {
    const build = lab.aBuild({ TASKRUN_UID: '' });
    await lab.provision(build);
    await lab.clean(build);
    await lab.api.deleteSecret('team-a', build.secret);
    expect(await lab.provision(build)).to.include({ code: 0 });
  });

  it('cleans up one attempt while another lives on the same host', async () => {
    const first = await aResident();
    const build = lab.aBuild({ ...first.build.params, ATTEMPT: '2', SECRET_NAME: `${first.build.secret}-2` });
    await lab.provision(build);
    await lab.clean(first.build);
    expect(traces(first)).to.equal('');
    expect(await lab.logIn(build, 'true')).to.include({ code: 0 });
  });

  it('takes away eight users while eight others come', async () => {
    const leaving = await Promise.all(Array.from({ length: 8 }, () => aResident()));
    const coming = leaving.map(() => lab.aBuild());
    const outcomes = await Promise.all([
      ...leaving.map(({ build }) => lab.clean(build)),
      ...coming.map((build) => lab.provision(build)),
    ]);
    expect(outcomes.map(({ code, results }) => results['MESSAGE'] ?? code)).to.deep.equal(Array(16).fill(0));
    for (const resident of leaving) expect(lab.host.run(`getent passwd ${resident.user}`).code).to.equal(2);
    for (const build of coming) expect(await lab.logIn(build, 'true')).to.include({ code: 0 });
  });

  // systemd cannot be first process here, so its two commands are recorded: what is tested is that they are asked for.
  it('starts and ends the user manager where systemd runs', async () => {
    lab.host.read(`mkdir -p /run/systemd/system; for name in loginctl systemctl; do
      printf '#!/bin/sh\\necho "$(basename $0) $*" | tee -a /tmp/asked\\n' >/usr/local/bin/$name; chmod 755 /usr/local/bin/$name; done`);
    const resident = await aResident();
    expect(await lab.clean(resident.build)).to.include({ code: 0 });
    expect(lab.host.read('cat /tmp/asked').split('\n')).to.deep.equal([
      `loginctl enable-linger ${resident.user}`,
      `systemctl set-property --runtime user-${resident.uid}.slice TasksMax=32768`,
      `loginctl disable-linger ${resident.user}`,
      `loginctl terminate-user ${resident.user}`,
    ]);
    lab.host.read('rm -r /run/systemd /usr/local/bin/loginctl /usr/local/bin/systemctl /tmp/asked');
  });

  it('comes through an account that becomes root by sudo', async () => {
    const resident = await aResident({ USER: 'deployer' });
    expect(await lab.clean(resident.build)).to.include({ code: 0 });
    expect(traces(resident)).to.equal('');
  });

  it('fails when the host does not answer, so that it is tried again', async () => {
    const { code, results } = await lab.clean(lab.aBuild({ HOST: lab.host.silentAddress }));
    expect(code).to.equal(1);
    expect(results['REASON']).to.equal('HostUnreachable');
  });

  it('forgets tombstones and locks after a day', async () => {
    await lab.clean(lab.aBuild());
    lab.host.read('cd /var/lib/multi-platform && touch -d "25 hours ago" tombstones/* locks/*');
    const build = lab.aBuild();
    await lab.clean(build);
    expect(lab.host.read('cd /var/lib/multi-platform && ls tombstones | wc -l; ls locks | wc -l')).to.equal('1\n1');
  });
});
