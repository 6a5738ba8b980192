// As whom the script runs: as the user its image or its Task names, who owns what was sent, as in a pod with that user's files.
import { expect } from 'chai';
import { hostSecret, runBuild } from './build.ts';
import { openWorld } from './world.ts';
import type { World } from './world.ts';

const image = 'localhost/with-user:1';
const cases = [
  { host: 'builder', user: '1001', task: [], is: '1001' },
  { host: 'builder', user: '1001:0', task: [], is: '1001' },
  { host: 'builder', user: 'cnb', task: [], is: '1000' },
  { host: 'builder', user: 'root', task: [], is: '0' },
  { host: 'builder', user: '1001', task: ['--user=0'], is: '0' },
  { host: 'builder', user: '1001', task: ['--user=1234'], is: '1234' },
  { host: 'root', user: 'cnb', task: [], is: '1000' },
  { host: 'root', user: 'root', task: ['--user=1234:5678'], is: '1234' },
] as const;

describe('the remote script: the user of the image', function () {
  this.timeout(180_000);
  let world: World;
  before(async () => {
    world = await openWorld();
    const { code, stderr } = await world.run(`set -e
      cp /tmp/builder.tar /tmp/with-user.tar && chmod 644 /tmp/with-user.tar && mkdir -p /tmp/with-user/etc
      printf 'root:x:0:0::/root:/bin/sh\\ncnb:x:1000:1000::/:/bin/sh\\n' >/tmp/with-user/etc/passwd
      tar --delete -f /tmp/with-user.tar ./etc/passwd && tar -C /tmp/with-user -rf /tmp/with-user.tar ./etc/passwd
      install -d -m 0700 /root/.ssh /home/root; install -m 0600 /tmp/sshd/client.pub /root/.ssh/authorized_keys`);
    expect(code, stderr).to.equal(0);
  });
  after(() => world.close());

  for (const { host, user, task, is } of cases) {
    const of = task.length === 0 ? `USER ${user}` : `USER ${user} in the image, ${task.join()} of the Task`;
    it(`${of}, by the podman of ${host}: it is ${is}, owns the workspace, and what it writes comes back`, async () => {
      const load = `podman import -q --change 'ENV PATH=/bin' --change 'USER ${user}' /tmp/with-user.tar ${image}`;
      const loaded = await (host === 'root' ? world.run(load) : world.onHost(load));
      expect(loaded.code, loaded.stderr).to.equal(0);
      const build = await runBuild(world, {
        script: 'id -u; stat -c %u . in; echo more >>in; echo -n result >/tekton/results/R',
        secret: hostSecret(world, host),
        mounts: [{ path: '/workspace/source', sync: 'both' }],
        files: { 'workspace/source/in': 'x\n' },
        settings: { MP_WORKDIR: '/workspace/source', MP_IMAGE: image, MP_PODMAN_ARGS: task.join('\n') },
      });
      expect(build.code, build.stderr).to.equal(0);
      expect(build.stdout).to.equal(`${is}\n${is}\n${is}\n`);
      expect([build.read('workspace/source/in'), build.read('tekton/results/R')]).to.deep.equal([
        'x\nmore\n',
        'result',
      ]);
    });
  }
});
