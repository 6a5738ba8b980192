// A pod as a build host on a real node, launched and terminated by TaskRuns that this test makes itself: what such a host can do, and what
// is left of it.
import { expect } from 'chai';
import type { Raw } from './build.ts';
import { launchPod, leftOfHost, logInAs, ourResult, runOurs, terminatePod } from './pod-host.ts';
import { shared, useNamespace } from './shared-cluster.ts';
import { until } from './until.ts';

const namespace = 'pod-host';

describe('a pod as a build host', function () {
  this.timeout(600_000);
  before(() => useNamespace(namespace));

  describe('P2, P5, P6, P8, P11: launched', () => {
    const token = 'mp-00000000000000000001';
    const build = { namespace, name: 'first' };
    let secret: Record<string, string>;
    let pod: Raw;
    before(async () => {
      secret = await launchPod(token, build);
      pod = await shared().cluster.kubectl.json<Raw>(['get', 'pod', token, '-n', 'multi-platform-hosts']);
    });

    it('P5: is reached on port 22 of its Service, by a client that knows nothing but the Secret', async () => {
      expect(secret).to.have.all.keys('host', 'user-dir', 'id_rsa', 'known_hosts');
      expect(await logInAs(secret, 'id -un; pwd')).to.deep.equal({ status: 0, said: 'build\n/home/build\n' });
    });

    it('P2: is not taken for another host', async () => {
      const [address] = secret['known_hosts']!.split(' ');
      const otherKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl';
      const { status, said } = await logInAs({ ...secret, known_hosts: `${address} ${otherKey}\n` }, 'true');
      expect(status).to.equal(255);
      expect(said).to.contain('Host key verification failed');
    });

    it('P5: lets nobody in as root, with a password, or through to elsewhere', async () => {
      const { said } = await logInAs(secret, 'cat .multi-platform/sshd_config');
      for (const line of [
        'PermitRootLogin no',
        'PasswordAuthentication no',
        'AllowTcpForwarding no',
        'X11Forwarding no',
      ])
        expect(said.split('\n')).to.include(line);
      const asRoot = { ...secret, host: secret['host']!.replace('build@', 'root@') };
      expect((await logInAs(asRoot, 'true')).status).to.equal(255);
    });

    it('P11: has a user namespace of its own, and no right in it', async () => {
      const { said } = await logInAs(secret, 'cat /proc/self/uid_map; grep CapEff /proc/self/status; id -u');
      const [map, capabilities, uid] = said.trim().split('\n');
      expect(Number(map!.trim().split(/\s+/)[1])).to.be.greaterThan(0);
      expect(map!.trim().split(/\s+/)[2]).to.equal('65536');
      expect(capabilities).to.match(/CapEff:\s+0{16}$/);
      expect(uid).to.equal('1000');
    });

    it('P6: has no token of the cluster, and none of its Services in its environment', async () => {
      const { said } = await logInAs(secret, 'ls /var/run/secrets 2>&1; tr "\\0" "\\n" </proc/1/environ 2>/dev/null');
      expect(said).to.contain('No such file');
      expect(said).not.to.contain('MULTI_PLATFORM');
      expect(pod.spec.automountServiceAccountToken).to.equal(false);
    });

    it('P8: builds and runs images, with layers of overlay', async () => {
      const { registry } = shared().cluster;
      const dockerfile = `FROM ${registry.inside}/debian:bookworm-slim\\nRUN echo made by $(id -u) >/said\\n`;
      const commands = [
        `printf '${dockerfile}' >Dockerfile`,
        'podman build -q -t one . >/dev/null',
        'podman build -q --no-cache --isolation chroot -t two . >/dev/null',
        'podman run --rm one cat /said',
        'podman run --rm two cat /said',
        "podman info --format '{{.Store.GraphDriverName}}'",
      ];
      const { status, said } = await logInAs(secret, commands.join(' && '));
      expect(said).to.equal('made by 0\nmade by 0\noverlay\n');
      expect(status).to.equal(0);
    });

    it('P1: is listed, and terminated by its token alone', async () => {
      const listed = await runOurs('list-pod', 'list-pod', {});
      expect(JSON.parse(ourResult(listed, 'INSTANCES') ?? '')).to.deep.include({
        id: token,
        token,
        taskRun: `${namespace}/first`,
      });
      const done = await terminatePod(token);
      expect(done.status.conditions[0].reason).to.equal('Succeeded');
      expect(ourResult(done, 'LOST')).to.equal(undefined);
      expect(await leftOfHost(token)).to.equal('');
    });
  });

  it('P10: that is deleted while its build is on it is lost within seconds: the connection ends, and terminate-pod says why', async () => {
    const token = 'mp-00000000000000000002';
    const secret = await launchPod(token, { namespace, name: 'second' });
    const building = logInAs(secret, 'echo on >/home/build/on; sleep 300');
    const { kubectl } = shared().cluster;
    await until(
      () =>
        kubectl
          .run(['exec', token, '-n', 'multi-platform-hosts', '--', 'cat', '/home/build/on'])
          .catch(() => undefined),
      () => 'the build never began',
    );
    await kubectl.run(['delete', 'pod', token, '-n', 'multi-platform-hosts', '--wait=false']);
    const { status } = await building;
    expect(status).to.equal(255);
    const done = await terminatePod(token);
    expect(ourResult(done, 'LOST')).to.equal(`pod ${token}: it was deleted`);
    expect(await leftOfHost(token)).to.equal('');
  });

  it('P1: is removed when its launch was cut off half-way, and the result never known', async () => {
    const { kubectl } = shared().cluster;
    const token = 'mp-00000000000000000003';
    // No node has this label: the launch waits.
    const params = { NODE_SELECTOR: 'no-node=has-this' };
    const waiting = launchPod(token, { namespace, name: 'third' }, params).catch((error: unknown) => String(error));
    await untilThere(token);
    await kubectl.run(['delete', 'taskrun', `launch-${token}`, '-n', 'multi-platform-controller', '--wait=true']);
    expect(await waiting).to.contain('is gone');
    await terminatePod(token);
    expect(await leftOfHost(token)).to.equal('');
  });

  it('P4: a node that comes later takes the pod, and until then the scheduler is quoted', async () => {
    const { kubectl } = shared().cluster;
    const token = 'mp-00000000000000000004';
    const launching = launchPod(token, { namespace, name: 'fourth' }, { NODE_SELECTOR: 'late=node' });
    await untilThere(token);
    await untilQuoted(token);
    await kubectl.run(['label', 'node', 'node-1', 'late=node']);
    try {
      const secret = await launching;
      expect((await logInAs(secret, 'true')).status).to.equal(0);
    } finally {
      await kubectl.run(['label', 'node', 'node-1', 'late-']);
    }
    await terminatePod(token);
    expect(await leftOfHost(token)).to.equal('');
  });

  it('P11, P12: privileged, or reached by the address of the pod, it builds as well', async () => {
    const modes = [{ PRIVILEGED: 'true' }, { EXPOSE: 'podIP' }, { RUN_AS_USER: '4321' }];
    for (const [number, params] of modes.entries()) {
      const token = `mp-0000000000000000001${number}`;
      const secret = await launchPod(token, { namespace, name: `mode-${number}` }, params);
      const { said } = await logInAs(
        secret,
        `printf 'FROM ${shared().cluster.registry.inside}/busybox:1\\nUSER 0\\nRUN true\\n' | podman build -q -f - . >/dev/null && echo built by $(id -un)`,
      );
      expect(said, JSON.stringify(params)).to.equal('built by build\n');
      await terminatePod(token);
      expect(await leftOfHost(token)).to.equal('');
    }
  });

  async function untilThere(token: string): Promise<void> {
    const { kubectl } = shared().cluster;
    await kubectl.run(['wait', '--for=create', `pod/${token}`, '-n', 'multi-platform-hosts', '--timeout=120s']);
  }

  async function untilQuoted(token: string): Promise<void> {
    const { kubectl } = shared().cluster;
    const condition = '--for=condition=PodScheduled=False';
    await kubectl.run(['wait', condition, `pod/${token}`, '-n', 'multi-platform-hosts', '--timeout=120s']);
    const events = ['get', 'events', '-n', 'multi-platform-controller', '--field-selector=reason=Unschedulable'];
    const messages = ['-o', 'jsonpath={.items[*].message}'];
    await until(
      async () => ((await kubectl.run([...events, ...messages])).includes('nodes are available') ? true : undefined),
      () => 'the scheduler was never quoted',
    );
  }
});
