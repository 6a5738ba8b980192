// start-host.sh, what a pod host starts by, on a machine of its own where one thing is not as it should be.
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildHost, type CommandOutcome } from '../build-host.ts';
import { podTasks } from './host-objects.ts';

const script = readFileSync(join(podTasks, 'start-host.sh'), 'utf8');

describe('start-host.sh', function () {
  this.timeout(60_000);
  let host: BuildHost;
  before(async () => {
    host = await BuildHost.start();
    host.read(
      `mkdir -p /keys /home/build && ssh-keygen -q -t ed25519 -N '' -f /keys/ssh_host_ed25519_key && : >/keys/authorized_keys
       cat >/keys/start <<'SCRIPT'\n${script}SCRIPT
       chmod -R a+rX /keys; chmod a+r /keys/*; mv /usr/sbin/sshd /usr/sbin/real-sshd
       printf '#!/bin/sh\\nid -u; echo "sshd $*"; exec real-sshd -T -f "$4"\\n' >/usr/sbin/sshd; chmod 755 /usr/sbin/sshd`,
    );
  });
  after(() => host?.stop());

  /** sshd tells its configuration instead of serving. `setup` runs first. */
  function start(env: string, setup = 'true'): CommandOutcome & { readonly termination: string } {
    const defaults =
      'MP_KEYS=/keys MP_USER=build MP_PORT=2222 MP_TOOLS= MP_USERNS=false MP_TERMINATION_LOG=/tmp/termination';
    host.read(`: >/tmp/termination; chmod 666 /tmp/termination; rm -rf /home/build/.multi-platform; ${setup}`);
    const outcome = host.run(`${defaults} ${env}`);
    return { ...outcome, termination: host.read('cat /tmp/termination') };
  }
  const asRoot = 'sh /keys/start';
  const asUid = (uid: number): string => `setpriv --reuid=${uid} --regid=0 --clear-groups sh /keys/start`;

  it('P5: makes an sshd for one account that lets in by key only and forwards nothing', () => {
    const { code, stdout, stderr } = start(asRoot);
    expect(code, stderr).to.equal(0);
    for (const line of [
      'port 2222',
      'permitrootlogin no',
      'passwordauthentication no',
      'kbdinteractiveauthentication no',
      'allowtcpforwarding no',
      'allowstreamlocalforwarding no',
      'allowagentforwarding no',
      'x11forwarding no',
      'permittunnel no',
      'usepam no',
      'pidfile none',
      'allowusers build',
      'authorizedkeysfile /keys/authorized_keys',
    ])
      expect(stdout.split('\n')).to.include(line);
  });

  it('P5: never serves as root', () => {
    expect(start(asRoot).stdout.split('\n')[0]).to.equal('1000');
  });

  it('P11: gives up where the runtime gave no user namespace, and says so', () => {
    const { code, termination } = start(
      `MP_USERNS=true MP_UID_MAP=/tmp/uid_map ${asRoot}`,
      'echo "0 0 4294967295" >/tmp/uid_map',
    );
    expect(code).to.equal(70);
    expect(termination).to.match(/^UserNamespacesUnsupported: .*hostUsers: false/);
  });

  it('P11: in a user namespace the subordinate ids stay inside its 65,536', () => {
    const setup = 'echo "0 1000000 65536" >/tmp/uid_map';
    expect(start(`MP_USERNS=true MP_UID_MAP=/tmp/uid_map ${asRoot}`, setup).code).to.equal(0);
    expect(host.read('cat /etc/subuid')).to.equal('build:1:999\nbuild:1001:64535');
    expect(host.read('cat /etc/subgid')).to.equal(host.read('cat /etc/subuid'));
  });

  it('takes any uid for its account where group root may write the files of accounts', () => {
    const setup =
      'echo "0 1000000 65536" >/tmp/uid_map; chgrp 0 /etc/passwd /etc/subuid /etc/subgid; chmod g=u /etc/passwd /etc/subuid /etc/subgid; chmod 777 /home/build';
    const { code, stdout, stderr } = start(`MP_USERNS=true MP_UID_MAP=/tmp/uid_map ${asUid(4321)}`, setup);
    expect(code, stderr).to.equal(0);
    expect(stdout.split('\n')[0]).to.equal('4321');
    expect(host.read('getent passwd build')).to.match(/^build:\*:4321:0::\/home\/build:/);
    expect(host.read('cat /etc/subuid')).to.equal('build:1:4320\nbuild:4322:61214');
  });

  it('tells what is wrong with an image whose account is another', () => {
    const { code, termination } = start(asUid(4322), 'chmod 644 /etc/passwd');
    expect(code).to.equal(70);
    expect(termination).to.match(/^ImageUnsuitable: .*no account build with uid 4322/);
  });

  describe('P13: tools', () => {
    beforeEach(() => host.read('rm -f /usr/local/bin/apk /usr/local/bin/apt-get /usr/local/bin/dnf'));
    const manager = (name: string, does: string): string =>
      `printf '#!/bin/sh\\necho "${name} $*" >>/tmp/installed\\n${does}\\n' >/usr/local/bin/${name}; chmod 755 /usr/local/bin/${name}; : >/tmp/installed`;
    const managers: readonly (readonly [string, RegExp])[] = [
      ['apk', /^apk add --no-cache git rsync$/m],
      ['apt-get', /^apt-get update\napt-get install -y --no-install-recommends git rsync$/m],
      ['dnf', /^dnf install -y git rsync$/m],
    ];
    for (const [name, expected] of managers) {
      it(`P13: are installed by ${name}, and then root is given up`, () => {
        const hidden =
          name === 'dnf' ? '[ ! -e /usr/bin/apt-get ] || mv /usr/bin/apt-get /usr/bin/hidden-apt-get;' : '';
        const { code, stdout, stderr } = start(`MP_TOOLS=git,rsync ${asRoot}`, `${hidden} ${manager(name, 'true')}`);
        expect(code, stderr).to.equal(0);
        expect(host.read('cat /tmp/installed')).to.match(expected);
        expect(Number(stdout.split('\n')[0])).to.be.greaterThan(0);
      });
    }

    it('P13: that cannot be installed end the pod with the reason', () => {
      const { code, termination } = start(`MP_TOOLS=git ${asRoot}`, manager('apk', 'exit 3'));
      expect(code).to.equal(70);
      expect(termination).to.match(/^ToolsNotInstalled: the packages git cannot be installed/);
    });
  });
});
