// Provisioning on a real sshd with the real scripts: what the host and the Secret look like when it went well.
import { expect } from 'chai';
import { randomUid } from './run-task.ts';
import { ProviderLab } from './provider-lab.ts';

describe('provision-shared-host', function () {
  this.timeout(120_000);
  let lab: ProviderLab;
  before(async () => {
    lab = await ProviderLab.start();
  });
  after(() => lab.stop());

  const states = (user: string): string =>
    lab.host
      .read(`getent passwd ${user}; getent shadow ${user}; stat -c '%a %U %n' /home/${user} /home/${user}/.ssh /home/${user}/.ssh/*
      cat /etc/security/limits.d/${user}.conf; ls /etc/sudoers.d; grep ${user} /etc/subuid /etc/subgid`);

  it('makes a user, and a Secret with which the build logs in', async () => {
    const build = lab.aBuild();
    const { code, results, log } = await lab.provision(build);
    expect(code, log).to.equal(0);
    expect(results).to.deep.equal({});
    const secret = await lab.api.secret('team-a', build.secret);
    expect(secret.type).to.equal('Opaque');
    expect(secret.metadata.labels).to.deep.equal({ 'build.appstudio.redhat.com/multi-platform-secret': 'true' });
    const owner = { apiVersion: 'tekton.dev/v1', kind: 'TaskRun', name: build.name, uid: build.params['TASKRUN_UID'] };
    expect(secret.metadata.ownerReferences).to.deep.equal([owner]);
    const values = await lab.api.values('team-a', build.secret);
    expect(Object.keys(values).sort()).to.deep.equal(['host', 'id_rsa', 'user-dir']);
    expect(values['host']).to.match(/^u-[0-9a-f]{28}@127\.0\.0\.1\n$/);
    const user = await lab.userOf(build);
    expect(values['user-dir']).to.equal(`/home/${user}\n`);
    expect(values['id_rsa']).to.match(/^-----BEGIN OPENSSH PRIVATE KEY-----\n[^]*-----END OPENSSH PRIVATE KEY-----\n$/);
    expect(await lab.logIn(build, 'id -un; pwd; ls -d build')).to.include({
      code: 0,
      stdout: `${user}\n/home/${user}\nbuild\n`,
    });
  });

  it('says that the Secret is there, by an Event that names its own TaskRun', async () => {
    await lab.provision(lab.aBuild());
    expect(await lab.api.reports()).to.include('of-context.taskRun.uid');
  });

  it('gives the user what rootless podman needs, and its files to nobody else', async () => {
    const build = lab.aBuild();
    await lab.provision(build);
    const user = await lab.userOf(build);
    expect(states(user)).to.match(new RegExp(`/etc/subuid:${user}:\\d+:65536\n/etc/subgid:${user}:\\d+:65536`));
    const mode = (path: string): string => lab.host.read(`stat -c '%a %U' ${path}`);
    expect(mode(`/home/${user}`)).to.equal(`700 ${user}`);
    expect(mode(`/home/${user}/.ssh`)).to.equal(`700 ${user}`);
    expect(mode(`/home/${user}/.ssh/authorized_keys`)).to.equal(`600 ${user}`);
    expect(lab.host.read(`cat /home/${user}/.ssh/authorized_keys`)).to.match(/^ssh-ed25519 \S+ u-[0-9a-f]{28}$/);
    const podman = await lab.logIn(
      build,
      'podman info --format "{{.Host.Security.Rootless}} {{.Store.GraphRoot}}"; podman unshare id -u; ulimit -u',
    );
    expect(podman.stdout, podman.stderr).to.equal(`true /home/${user}/.local/share/containers/storage\n0\n32768\n`);
  });

  it('keeps the private key off the host', async () => {
    const build = lab.aBuild();
    await lab.provision(build);
    const { id_rsa: key } = await lab.api.values('team-a', build.secret);
    const line = key!.split('\n')[3]!;
    expect(
      lab.host.run(`grep -rlF -- '${line}' /home /root /tmp /var/tmp /run /dev/shm /var/lib/multi-platform /var/log`)
        .stdout,
    ).to.equal('');
  });

  it('runs twice for one attempt with the same user and the newer key', async () => {
    const build = lab.aBuild({ SUDO_COMMANDS: '/usr/bin/id' });
    await lab.provision(build);
    const user = await lab.userOf(build);
    const [before, old] = [states(user), await lab.api.values('team-a', build.secret)];
    await lab.api.deleteSecret('team-a', build.secret);
    const { code, log } = await lab.provision(build);
    expect(code, log).to.equal(0);
    expect(await lab.userOf(build)).to.equal(user);
    expect(states(user)).to.equal(before);
    expect(await lab.logIn(build, 'true')).to.include({ code: 0 });
    expect(lab.logInWith(old['id_rsa']!, `${user}@127.0.0.1`, 'true').stderr).to.contain('Permission denied');
  });

  it('replaces the key through no symbolic link of the user', async () => {
    const build = lab.aBuild();
    await lab.provision(build);
    const user = await lab.userOf(build);
    await lab.logIn(build, 'mv .ssh old && ln -s /root/.ssh .ssh');
    await lab.api.deleteSecret('team-a', build.secret);
    const { results } = await lab.provision(build);
    expect(results['REASON']).to.equal('KeyNotInstalled');
    expect(lab.host.read('cat /root/.ssh/authorized_keys')).not.to.contain(user);
  });

  it('tells equal names in two namespaces apart, also where name and namespace glued together are equal', async () => {
    const uid = '00000000-0000-4000-8000-00000000cafe';
    const builds = [
      lab.aBuild({ TASKRUN_NAME: 'same' }),
      lab.aBuild({ TASKRUN_NAME: 'same', NAMESPACE: 'team-b' }),
      lab.aBuild({ TASKRUN_NAME: 'xteam-a', NAMESPACE: 'team-b', TASKRUN_UID: uid }),
      lab.aBuild({ TASKRUN_NAME: 'xteam-a', NAMESPACE: 'team-a', TASKRUN_UID: uid }),
      lab.aBuild({ TASKRUN_NAME: 'same', SECRET_NAME: 'multi-platform-ssh-same-2', ATTEMPT: '2' }),
    ];
    const codes = [];
    for (const build of builds) codes.push((await lab.provision(build)).code);
    expect(codes).to.deep.equal([0, 0, 0, 0, 0]);
    expect(new Set(await Promise.all(builds.map((build) => lab.userOf(build)))).size).to.equal(5);
  });

  it('uses the old name where an older controller sends no uid, and takes nobody else’s user for its own', async () => {
    const build = lab.aBuild({ TASKRUN_UID: '' });
    await lab.provision(build);
    const name = lab.host.read(`echo '${build.name}team-a' | md5sum | cut -c-28`);
    expect(await lab.userOf(build)).to.equal(`u-${name}`);
    expect((await lab.api.secret('team-a', build.secret)).metadata.ownerReferences).to.equal(undefined);
    expect((await lab.provision(build)).results['REASON']).to.equal('UserExists');
  });

  it('makes twenty users on one host at once', async () => {
    const builds = Array.from({ length: 20 }, () => lab.aBuild());
    const outcomes = await Promise.all(builds.map((build) => lab.provision(build)));
    expect(outcomes.map(({ code, results }) => results['MESSAGE'] ?? code)).to.deep.equal(builds.map(() => 0));
    const users = await Promise.all(builds.map((build) => lab.userOf(build)));
    expect(new Set(users).size).to.equal(20);
    const ranges = lab.host.read('cut -d: -f2 /etc/subuid').split('\n');
    expect(new Set(ranges).size).to.equal(ranges.length);
    for (const build of builds) expect(await lab.logIn(build, 'true')).to.include({ code: 0 });
  });

  it('waits for another program that holds /etc/passwd', async () => {
    const build = lab.aBuild();
    lab.host.read('{ sleep 5; rm /etc/passwd.lock; } >/dev/null 2>&1 & echo -n $! >/etc/passwd.lock');
    const { code, log } = await lab.provision(build);
    expect(code, log).to.equal(0);
    expect(log).to.contain('cannot lock /etc/passwd');
  });

  it('comes through an account that becomes root by sudo', async () => {
    const build = lab.aBuild({ USER: 'deployer' });
    expect(await lab.provision(build)).to.include({ code: 0 });
    expect(await lab.logIn(build, 'true')).to.include({ code: 0 });
  });

  it('allows the configured commands through sudo, and no others', async () => {
    const build = lab.aBuild({ SUDO_COMMANDS: '/usr/bin/id -u, /usr/bin/true' });
    await lab.provision(build);
    const user = await lab.userOf(build);
    expect(lab.host.read(`cat /etc/sudoers.d/${user}; stat -c %a /etc/sudoers.d/${user}`)).to.equal(
      `${user} ALL=(ALL) NOPASSWD: /usr/bin/id -u, /usr/bin/true\n440`,
    );
    expect(await lab.logIn(build, 'sudo -n id -u')).to.include({ code: 0, stdout: '0\n' });
    expect((await lab.logIn(build, 'sudo -n cat /etc/shadow')).code).to.equal(1);
  });

  it('pins the host key where it is known, and tells the build the keys of its host only', async () => {
    const build = lab.aBuild();
    const known = `other.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\n${lab.host.knownHosts}`;
    const { code, log } = await lab.provision(build, { ssh: { id_rsa: lab.host.adminKey, known_hosts: known } });
    expect(code, log).to.equal(0);
    expect((await lab.api.values('team-a', build.secret))['known_hosts']).to.equal(lab.host.knownHosts);
  });

  it('brings a key of another kind where sshd takes no ed25519', async () => {
    // Read by `sshd -T`; the one that runs takes all kinds, and the host's own keys are for others to choose.
    lab.host.read("echo 'PubkeyAcceptedAlgorithms ecdsa-sha2-nistp256,rsa-sha2-512' >>/etc/ssh/sshd_config");
    const build = lab.aBuild();
    const { code, log } = await lab.provision(build);
    lab.host.read("sed -i '$d' /etc/ssh/sshd_config");
    expect(code, log).to.equal(0);
    const user = await lab.userOf(build);
    expect(lab.host.read(`cat /home/${user}/.ssh/authorized_keys`)).to.match(/^ecdsa-sha2-nistp256 [^\n]*$/);
    expect(await lab.logIn(build, 'true')).to.include({ code: 0 });
  });

  it('gives subordinate ids also where useradd gives none, beside a range for all containers', async () => {
    lab.host.read(`cp /etc/login.defs /tmp/kept; printf 'SUB_UID_COUNT 0\nSUB_GID_COUNT 0\n' >>/etc/login.defs
      for ids in subuid subgid; do echo containers:2147483647:2147483648 >>/etc/$ids; done`);
    const build = lab.aBuild();
    const { code, log } = await lab.provision(build);
    lab.host.read("cp /tmp/kept /etc/login.defs; sed -i '/^containers:/d' /etc/subuid /etc/subgid");
    expect(code, log).to.equal(0);
    const ranges = lab.host.read(`grep -h "^${await lab.userOf(build)}:" /etc/subuid /etc/subgid`).split('\n');
    for (const range of ranges) expect(range).to.match(/^u-[0-9a-f]{28}:[0-9]{6,7}:65536$/);
    expect(ranges).to.have.length(2);
  });

  it('runs under a uid without a name', async () => {
    const { code, log } = await lab.provision(lab.aBuild(), { uid: randomUid });
    expect(code, log).to.equal(0);
  });

  it('takes a key that was pasted without its last line feed or with carriage returns', async () => {
    for (const key of [lab.host.adminKey.trimEnd(), lab.host.adminKey.replaceAll('\n', '\r\n')]) {
      const { code, log } = await lab.provision(lab.aBuild(), { ssh: { id_rsa: key } });
      expect(code, log).to.equal(0);
    }
  });
});
