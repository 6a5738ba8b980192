// Provisioning that cannot succeed: each failure has its own REASON, and a MESSAGE a person can act on.
import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { ProviderLab } from './provider-lab.ts';
import type { TaskInput, TaskOutcome } from './run-task.ts';

describe('provision-shared-host, failing', function () {
  this.timeout(120_000);
  let lab: ProviderLab;
  before(async () => {
    lab = await ProviderLab.start();
  });
  after(() => lab.stop());

  const provision = (changed: Record<string, string> = {}, other: Partial<TaskInput> = {}): Promise<TaskOutcome> =>
    lab.provision(lab.aBuild(changed), other);
  /** For a lock of the host. */
  const untilOneWaits = "while ! grep -q -- '-> FLOCK' /proc/locks; do sleep 0.1; done";
  const users = (): string =>
    lab.host.read('getent passwd | cut -d: -f1 | grep ^u- || true; ls /etc/sudoers.d /etc/security/limits.d');

  describe('with a value that no shell, ssh or file may take for something else', () => {
    const hostile = [
      "'; touch /tmp/pwned; '",
      '$(touch /tmp/pwned)',
      '`touch /tmp/pwned`',
      'a\ntouch /tmp/pwned',
      '-oProxyCommand=touch /tmp/pwned',
      'a b',
      '../../x',
    ];
    for (const name of ['SECRET_NAME', 'TASKRUN_NAME', 'NAMESPACE', 'HOST', 'USER', 'TASKRUN_UID', 'ATTEMPT']) {
      it(`refuses such a ${name} before it connects`, async () => {
        const before = users();
        for (const value of hostile) {
          const { code, results, log } = await provision({ SECRET_NAME: 'multi-platform-ssh-x', [name]: value });
          expect(code, value).to.equal(1);
          expect(results['REASON'], `${value}: ${log}`).to.equal('InvalidParameter');
          expect(results['MESSAGE']).to.match(new RegExp(`^param ${name} is '`));
          expect(log).not.to.contain('step ');
        }
        expect(users()).to.equal(before);
        expect(lab.host.run('ls /tmp/pwned').code).to.equal(2);
      });
    }

    it('writes no such SUDO_COMMANDS into force', async () => {
      const reasons = [];
      for (const value of [
        ...hostile.slice(0, 3),
        'ALL\nnobody-special ALL=(ALL) NOPASSWD: ALL',
        '/bin/ls \\',
        '#include /tmp/x',
      ]) {
        const { results } = await provision({ SUDO_COMMANDS: value });
        reasons.push(results['REASON']);
      }
      expect(reasons).to.deep.equal([
        ...Array(3).fill('SudoersInvalid'),
        'InvalidParameter',
        'SudoersInvalid',
        'SudoersInvalid',
      ]);
      expect(lab.host.read('ls -A /etc/sudoers.d')).to.equal('README\ndeployer');
      expect(lab.host.run('ls /tmp/pwned').code).to.equal(2);
    });

    it('passes RAW_PLATFORM and INSTANCE_TAG, which nobody reads, on to nobody', async () => {
      const { code } = await provision({ RAW_PLATFORM: hostile[0]!, INSTANCE_TAG: hostile[1]! });
      expect(code).to.equal(0);
      expect(lab.host.run('ls /tmp/pwned').code).to.equal(2);
    });
  });

  const key = (): string => lab.host.adminKey;
  const otherKey = 'other.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\n';
  const connecting: readonly [string, string, RegExp, Record<string, string>, () => Record<string, string>][] = [
    [
      'nobody answers',
      'HostUnreachable',
      /No route to host|timed out/,
      { HOST: '10.99.0.77' },
      () => ({ id_rsa: key() }),
    ],
    [
      'the name does not exist',
      'HostUnknown',
      /Could not resolve hostname/,
      // No name server has to be asked.
      { HOST: 'host..invalid' },
      () => ({ id_rsa: key() }),
    ],
    [
      'the account refuses the key',
      'AuthenticationFailed',
      /Permission denied/,
      { USER: 'daemon' },
      () => ({ id_rsa: key() }),
    ],
    ['the key is no key', 'SshSecretInvalid', /id_rsa .* is not a private key/, {}, () => ({ id_rsa: 'no key' })],
    ['the Secret has no key', 'SshSecretInvalid', /no key id_rsa/, {}, () => ({ other: 'x' })],
    [
      'the account may not become root',
      'RootRefused',
      /password is required/,
      { USER: 'nobody-special' },
      () => ({ id_rsa: key() }),
    ],
    [
      'the host key is not among the known',
      'HostKeyUnknown',
      /verification failed/,
      {},
      () => ({ id_rsa: key(), known_hosts: otherKey }),
    ],
    [
      'the host key is not the known one',
      'HostKeyChanged',
      /verification failed/,
      {},
      () => ({ id_rsa: key(), known_hosts: otherKey.replace('other.example', '127.0.0.1') }),
    ],
  ];
  for (const [when, reason, message, changed, ssh] of connecting) {
    it(`says ${reason} when ${when}`, async () => {
      const { code, results, log } = await provision(changed, { ssh: ssh() });
      expect(code).to.equal(1);
      expect(results['REASON'], log).to.equal(reason);
      expect(results['MESSAGE']).to.match(message);
    });
  }

  it('says HostUnreachable when no name server answers, after some patience', async () => {
    const { results, log } = await provision({ HOST: 'host.example' }, { env: { LOGIN_PATIENCE: '2' } });
    expect(results['REASON'], log).to.equal('HostUnreachable');
    expect(results['MESSAGE']).to.contain('Temporary failure in name resolution');
    expect(log).to.contain('try 2: ');
  });

  it('says HostUnreachable when something answers that never speaks', async () => {
    const listen = "require('net').createServer(() => {}).listen(22, '10.99.0.1', () => console.log('ready'))";
    lab.host.read(
      "sed -i '1iListenAddress 127.0.0.1' /etc/ssh/sshd_config && kill -HUP $(cat /run/sshd.pid) && while ss -ltn | grep -q '0.0.0.0:22'; do sleep 0.1; done",
    );
    const silent = spawn('nsenter', [...lab.host.network, process.execPath, '-e', listen], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => silent.stdout.once('data', resolve));
    const { results } = await provision({ HOST: '10.99.0.1' });
    silent.kill('SIGKILL');
    expect(results).to.include({ REASON: 'HostUnreachable' });
    expect(results['MESSAGE']).to.match(/timed out/);
  });

  it('says ConnectionLost, and where it was, when the connection breaks off', async () => {
    lab.host.read(
      'mkdir -p /var/lib/multi-platform; flock /var/lib/multi-platform/user-database.lock sleep 60 >/dev/null 2>&1 & echo $! >/tmp/locker',
    );
    const running = provision();
    lab.host.read(`${untilOneWaits}; pkill -f '^sshd: root'`);
    const { results } = await running;
    lab.host.read('pkill -P $(cat /tmp/locker); true');
    expect(results['REASON']).to.equal('ConnectionLost');
    expect(results['MESSAGE']).to.contain('adding the user');
  });

  it('says SecretExists and overwrites nothing', async () => {
    const build = lab.aBuild();
    await lab.api.createSecret('team-a', build.secret);
    expect((await lab.provision(build)).results).to.deep.equal({
      REASON: 'SecretExists',
      MESSAGE: `Secret team-a/${build.secret} exists already; it was not overwritten`,
    });
    expect(await lab.api.values('team-a', build.secret)).to.deep.equal({ of: 'somebody else' });
  });

  it('tries again when the Secret met others in a quota, and blames no Secret for it', async () => {
    const stop = await lab.api.keepQuotaBusy(2);
    const { code, log } = await provision();
    expect([await stop(), code], log).to.deep.equal([2, 0]);
  });

  it('says NamespaceGone when the namespace is not there (any more)', async () => {
    expect((await provision({ NAMESPACE: 'gone' })).results['REASON']).to.equal('NamespaceGone');
  });

  it('says Forbidden when the ServiceAccount may not create Secrets', async () => {
    const token = { '/var/run/secrets/kubernetes.io/serviceaccount/token': 'nobody' };
    expect((await provision({}, { files: token })).results['REASON']).to.equal('Forbidden');
  });

  it('says ApiUnavailable when the API server does not answer', async () => {
    expect((await provision({}, { env: { KUBERNETES_SERVICE_PORT: '1' } })).results['REASON']).to.equal(
      'ApiUnavailable',
    );
  });

  it('says NoSpace when the host is full, by the limit an admin set', async () => {
    const { results } = await provision({}, { env: { MIN_FREE_MB: '99999999' } });
    expect(results['REASON']).to.equal('NoSpace');
    expect(results['MESSAGE']).to.match(/\/home has \d+ MiB free, 99999999 are needed/);
  });

  it('says NoPodman when podman is missing, unless an admin does without', async () => {
    lab.host.read('mv /usr/bin/podman /usr/bin/podman.away');
    const [refused, allowed] = [await provision(), await provision({}, { env: { REQUIRE_PODMAN: 'false' } })];
    lab.host.read('mv /usr/bin/podman.away /usr/bin/podman');
    expect([refused.results['REASON'], allowed.code]).to.deep.equal(['NoPodman', 0]);
  });

  // There is no dnf here: a stand-in brings podman back, or fails.
  it('lets dnf install a missing podman, and says NoPodman when it cannot', async () => {
    const dnf = (text: string): string =>
      lab.host.read(`printf '#!/bin/sh\\n${text}\\n' >/usr/bin/dnf; chmod 755 /usr/bin/dnf`);
    lab.host.read('mv /usr/bin/podman /usr/bin/podman.away');
    dnf('exit 1');
    const refused = await provision();
    dnf('test "$*" = "install -y podman" && mv /usr/bin/podman.away /usr/bin/podman');
    const allowed = await provision();
    lab.host.read('rm /usr/bin/dnf');
    expect([refused.results['REASON'], allowed.code]).to.deep.equal(['NoPodman', 0]);
  });

  it('says AlreadyCleaned after the cleanup of the attempt, and the next attempt works', async () => {
    const build = lab.aBuild();
    expect(await lab.clean(build)).to.include({ code: 0 });
    expect((await lab.provision(build)).results['REASON']).to.equal('AlreadyCleaned');
    expect(await lab.provision(lab.aBuild({ ...build.params, ATTEMPT: '2' }))).to.include({ code: 0 });
  });

  it('stops at its next step when the cleanup comes meanwhile, and leaves nothing', async () => {
    const build = lab.aBuild();
    // Until the cleanup has left its sign.
    lab.host.read(`cd /var/lib/multi-platform; before=$(ls tombstones | wc -l)
      flock user-database.lock sh -c "while [ \\$(ls tombstones | wc -l) -le $before ]; do sleep 0.1; done" >/dev/null 2>&1 &
      while flock -n user-database.lock true; do sleep 0.1; done`);
    const provisioning = lab.provision(build);
    lab.host.read(untilOneWaits);
    const [provisioned, cleaned] = await Promise.all([provisioning, lab.clean(build)]);
    expect([provisioned.results['REASON'], cleaned.code]).to.deep.equal(['AlreadyCleaned', 0]);
    const tombstone = lab.host.read('ls -t /var/lib/multi-platform/tombstones | head -n 1');
    expect(
      lab.host.read(`getent passwd; ls /home /etc/security/limits.d /var/lib/multi-platform/users`),
    ).not.to.contain(tombstone);
  });
});
