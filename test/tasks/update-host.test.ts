// Periodic care of a host: it removes what cleanup never reached, and never anything that may still be in use.
import { expect } from 'chai';
import { ProviderLab, type Build } from './provider-lab.ts';

describe('update-host', function () {
  this.timeout(120_000);
  let lab: ProviderLab;
  before(async () => {
    lab = await ProviderLab.start();
  });
  after(() => lab.stop());
  // Care looks at all users of the host, so each test begins with none.
  afterEach(() => {
    lab.host.read(`for user in $(getent passwd | grep -o '^u-[^:]*'); do
        pkill -KILL -u $user; while pgrep -u $user >/dev/null; do sleep 0.1; done; userdel -rf $user 2>/dev/null; done
      rm -rf /var/lib/multi-platform/* /tmp/* /usr/local/sbin/*; podman rmi --all --force >/dev/null`);
  });

  async function aUser(): Promise<{ build: Build; user: string }> {
    const build = lab.aBuild();
    await lab.provision(build);
    return { build, user: await lab.userOf(build) };
  }

  /** Stands in for the real one, which has no network here. */
  function aPackageManager(name: string, script: string): void {
    const path = `/usr/local/sbin/${name}`;
    lab.host.read(`printf '%s\\n' '#!/bin/sh' '${script}' >${path} && chmod 755 ${path}`);
  }

  function aDanglingImage(): void {
    const made = lab.host.run(
      'cd /tmp && mkdir i && tar -C i -c . | podman import - kept && for n in 1 2; do echo $n >i/f; tar -C i -c . | podman import - moving; done',
    );
    expect(made.code, made.stderr).to.equal(0);
  }

  const age = (user: string): string =>
    lab.host.read(`find /home/${user} /var/lib/multi-platform/users/${user} -exec touch -h -d '25 hours ago' {} +`);

  it('reports podman, free space and users', async () => {
    await aUser();
    const { code, results } = await lab.update();
    expect(code).to.equal(0);
    expect(results).to.have.all.keys('MESSAGE');
    expect(results['MESSAGE']).to.match(
      /^podman \d+\.\d+\.\d+, \d+ MiB free in \/home, 1 build users, 0 stale users removed$/,
    );
  });

  it('removes users left for a day, and no other', async () => {
    const [stale, fresh, busy, touched, human] = [await aUser(), await aUser(), await aUser(), await aUser(), 'u-turn'];
    lab.host.read(`useradd -m ${human}; touch -d '25 hours ago' /home/${human}`);
    await lab.logIn(busy.build, 'nohup sleep 1000 >/dev/null 2>&1 &');
    for (const { user } of [stale, busy, touched]) age(user);
    await lab.logIn(touched.build, 'touch build/new');
    expect((await lab.update()).results['REASON']).to.equal('HostBusy');
    const left = [stale, fresh, busy, touched].map(
      ({ user }) => lab.host.run(`getent passwd ${user} && ls /home/${user}`).code,
    );
    expect(left).to.deep.equal([2, 0, 0, 0]);
    expect(lab.host.run(`id ${human}`).code).to.equal(0);
    // Looking at a user does not make it younger.
    lab.host.read(`pkill -u ${busy.user}; while pgrep -u ${busy.user}; do sleep 0.1; done`);
    expect((await lab.update()).results['MESSAGE']).to.contain('2 build users, 1 stale users removed');
  });

  it('changes nothing else while a build runs, and says so', async () => {
    const { build, user } = await aUser();
    aDanglingImage();
    aPackageManager('dnf', 'touch /tmp/dnf-ran');
    await lab.logIn(build, 'nohup sleep 1000 >/dev/null 2>&1 & echo mine >build/file');
    const { code, results } = await lab.update();
    expect(code).to.equal(1);
    expect(results).to.deep.equal({
      REASON: 'HostBusy',
      MESSAGE: 'root@127.0.0.1: 1 build users are active: images and packages were left alone',
    });
    expect(lab.host.read('podman images --quiet --filter dangling=true | wc -l')).to.equal('1');
    expect(lab.host.run('ls /tmp/dnf-ran').code).not.to.equal(0);
    expect(lab.host.read(`pgrep -u ${user} sleep && cat /home/${user}/build/file`)).to.match(/^\d+\nmine$/);
  });

  it('sees a build also by a container of it that runs under a subordinate id', async () => {
    const { user } = await aUser();
    const first = lab.host.read(`sed -n 's/^${user}:\\([0-9]*\\):.*/\\1/p' /etc/subuid`);
    lab.host.read(`setpriv --reuid=${Number(first) + 5} --clear-groups sleep 1000 >/dev/null 2>&1 & true`);
    expect((await lab.update()).results['REASON']).to.equal('HostBusy');
    lab.host.read(`pkill -KILL -u ${Number(first) + 5}`);
  });

  it('removes a user of whom only such processes are left as stay after every build', async () => {
    const { build, user } = await aUser();
    await lab.logIn(build, 'podman unshare true');
    lab.host.read(`while pgrep -u ${user} -x sshd; do sleep 0.1; done`);
    expect(lab.host.read(`pgrep -u ${user} -l`)).to.match(/^\d+ (?:catatonit|podman pause)$/);
    age(user);
    expect((await lab.update()).results['MESSAGE']).to.contain('0 build users, 1 stale users removed');
    expect(lab.host.run(`getent passwd ${user}`).code).to.equal(2);
  });

  it('leaves a user alone that is provisioned or cleaned at this moment', async () => {
    const { user } = await aUser();
    age(user);
    const lock = `/var/lib/multi-platform/locks/${user}`;
    lab.host.read(`flock ${lock} sleep 1000 >/dev/null 2>&1 & while flock -n ${lock} true; do sleep 0.1; done`);
    expect((await lab.update()).results['MESSAGE']).to.contain('1 build users, 0 stale users removed');
    lab.host.read(`pkill -f '^sleep 1000'; flock ${lock} true`);
    expect((await lab.update()).results['MESSAGE']).to.contain('0 build users, 1 stale users removed');
  });

  it('runs once at a time on a host', async () => {
    aPackageManager('dnf', 'touch /tmp/begun; while [ ! -e /tmp/go-on ]; do sleep 0.1; done');
    const first = lab.update();
    // Not by trying the lock: whoever tries has it for a moment.
    lab.host.read('while [ ! -e /tmp/begun ]; do sleep 0.1; done');
    const second = await lab.update();
    lab.host.read('touch /tmp/go-on');
    expect(second.results).to.deep.equal({
      REASON: 'HostBusy',
      MESSAGE: 'root@127.0.0.1: an earlier update of the host is not over yet',
    });
    expect((await first).code).to.equal(0);
  });

  it('takes the age an admin set', async () => {
    const { user } = await aUser();
    lab.host.read(`find /home/${user} /var/lib/multi-platform/users/${user} -exec touch -h -d '3 hours ago' {} +`);
    expect((await lab.update()).results['MESSAGE']).to.contain('0 stale users removed');
    expect((await lab.update({ env: { STALE_HOURS: '2' } })).results['MESSAGE']).to.contain('1 stale users removed');
  });

  it('removes the rest of a cleanup that was cut after the account had gone', async () => {
    const { build, user } = await aUser();
    await lab.logIn(build, 'echo x >/tmp/rest');
    lab.host.read(`userdel -f ${user}`);
    age(user);
    expect((await lab.update()).results['MESSAGE']).to.contain('0 build users, 1 stale users removed');
    expect(lab.host.read('ls /tmp /home /var/lib/multi-platform/users')).not.to.match(/rest|u-/);
  });

  it('removes dangling images of root, and keeps the others', async () => {
    aDanglingImage();
    await lab.update();
    expect(lab.host.read('podman images --format "{{.Repository}}" | sort')).to.equal(
      'localhost/kept\nlocalhost/moving',
    );
  });

  it('fails with NoSpace when too little is left', async () => {
    const { code, results } = await lab.update({ env: { MIN_FREE_MB: '99999999' } });
    expect(code).to.equal(1);
    expect(results['REASON']).to.equal('NoSpace');
  });

  it('says which packages manager failed, after all the other care', async () => {
    const { user } = await aUser();
    age(user);
    // Without a network apt cannot reach any source.
    lab.host.read(
      "rm -f /etc/apt/sources.list.d/* /etc/apt/apt.conf.d/*proxy*; echo 'deb http://10.99.0.1:1/debian x main' >/etc/apt/sources.list",
    );
    const { code, results } = await lab.update({ env: { UPDATE_PACKAGES: 'apt' } });
    expect(code).to.equal(1);
    expect(results['REASON']).to.equal('PackageUpdateFailed');
    expect(lab.host.run(`getent passwd ${user}`).code).to.equal(2);
  });

  const managers: readonly (readonly [string, string, readonly string[]])[] = [
    ['dnf', 'dnf', ['dnf update -y']],
    [
      'apt',
      'apt-get dpkg',
      [
        'dpkg --force-confdef --force-confold --configure -a',
        'apt-get … -o APT::Update::Error-Mode=any update',
        'apt-get … -y upgrade',
      ],
    ],
    ['none', 'dnf apt-get dpkg', []],
  ];
  for (const [setting, programs, calls] of managers) {
    it(`updates packages with ${setting}: ${calls.join(', ') || 'not at all'}`, async () => {
      for (const program of programs.split(' ')) aPackageManager(program, `echo "${program} $*" >>/tmp/calls`);
      const { code, log } = await lab.update({ env: { UPDATE_PACKAGES: setting } });
      expect(code, log).to.equal(0);
      const seen = lab.host.read('touch /tmp/calls; cat /tmp/calls').replaceAll(/-q .*force-confold/g, '…');
      expect(seen).to.equal(calls.join('\n'));
    });
  }

  it('waits for another program that holds the lock of the packages', async () => {
    aPackageManager('apt-get', 'true');
    aPackageManager('dpkg', 'mkdir /tmp/held 2>/dev/null || exit 0; exit 2');
    const { code, log } = await lab.update({ env: { UPDATE_PACKAGES: 'apt' } });
    expect(code, log).to.equal(0);
    lab.host.read('rmdir /tmp/held');
  });

  it('does without a packages manager that is not there', async () => {
    lab.host.read('mv /usr/bin/apt-get /usr/bin/apt-get.away');
    for (const setting of ['dnf', 'apt']) {
      expect((await lab.update({ env: { UPDATE_PACKAGES: setting } })).code).to.equal(0);
    }
    lab.host.read('mv /usr/bin/apt-get.away /usr/bin/apt-get');
  });

  it('ends a packages manager that does not end', async () => {
    aPackageManager('dnf', 'sleep 1000');
    const { results } = await lab.update({ env: { PACKAGES_TIMEOUT: '1' } });
    expect(results).to.deep.equal({
      REASON: 'PackageUpdateFailed',
      MESSAGE: 'root@127.0.0.1: dnf did not end in 1 s',
    });
  });

  it('leaves no lock behind with a service that a package started', async () => {
    aPackageManager('dnf', 'setsid sleep 1000 >/dev/null 2>&1 </dev/null &');
    expect((await lab.update()).code).to.equal(0);
    expect((await lab.update()).code).to.equal(0);
    lab.host.read("pkill -f '^sleep 1000'");
  });

  it('refuses settings and addresses that are none', async () => {
    expect((await lab.update({ env: { STALE_HOURS: '0' } })).results['REASON']).to.equal('InvalidParameter');
    expect((await lab.update({ params: { HOST: '-oProxyCommand=x', USER: 'root' } })).results['REASON']).to.equal(
      'InvalidParameter',
    );
  });
});
