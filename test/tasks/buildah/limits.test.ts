// LIMIT_CPU and LIMIT_MEMORY on hosts that are no pods: what the container of the build gets, and what happens where podman cannot limit.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { installRunner } from '../../taskgen/installed-runner.ts';
import { TaskRun } from '../../taskgen/played-task-run.ts';
import type { Spec } from '../../taskgen/played-task-run.ts';
import { hostSecret } from '../../taskgen/remote-build/build.ts';
import { openWorld } from '../../taskgen/remote-build/world.ts';
import type { World } from '../../taskgen/remote-build/world.ts';

const file = join(import.meta.dirname, '../../../tasks/generated/buildah-remote.yaml');
const { spec }: { spec: Spec } = parse(readFileSync(file, 'utf8'));

describe('limits of the generated buildah Task', function () {
  this.timeout(120_000);
  let world: World;

  before(async () => {
    world = await openWorld();
    await installRunner(world);
    const { code, stderr } = await world.run(
      `install -d -m 700 /root/.ssh && install -m 600 /tmp/sshd/client.pub /root/.ssh/authorized_keys &&
       podman import -q --change 'ENV PATH=/bin' --change 'ENV BUILDAH_ISOLATION=chroot' /tmp/builder.tar localhost/builder:1`,
    );
    expect(code, stderr).to.equal(0);
  });
  after(() => world.close());

  /** Whether podman of this user can limit anything, as it says itself. */
  async function controllers(user: 'root' | 'builder'): Promise<string> {
    const ask = "podman info --format '{{.Host.CgroupControllers}}'";
    return (await (user === 'root' ? world.run(ask) : world.onHost(ask))).stdout;
  }

  async function build(user: 'root' | 'builder'): Promise<string> {
    const asRoot = { host: 'root@127.0.0.1', 'user-dir': '/root/build' };
    const secret = { ...hostSecret(world), ...(user === 'root' ? asRoot : {}) };
    const common = { CONTEXT: 'app', SBOM: 'none', BUILDER_IMAGE: 'localhost/builder:1', PLATFORM: 'linux/amd64' };
    const values = { ...common, LIMIT_CPU: '500m', LIMIT_MEMORY: '256Mi' };
    const run = new TaskRun(world, spec, { name: user, secret, values });
    // Long enough to be looked at.
    const Dockerfile = 'FROM scratch\nCOPY busybox /bin/sh\nCOPY busybox /bin/busybox\nRUN busybox sleep 2\n';
    run.writeSource({ Dockerfile });
    await world.run(`cp /bin/busybox ${run.folder}/source/app/`);
    let log = '';
    for (const name of ['prepare', 'build']) {
      const { code, stdout, stderr } = await run.step(spec.steps.find((step) => step.name === name)!);
      log += stdout + stderr;
      expect(code, log).to.equal(0);
    }
    return log;
  }

  it('M6 are given to podman where it can limit', async () => {
    expect(await controllers('root'))
      .to.include('cpu')
      .and.to.include('memory');
    const seen = world.run(
      `for try in $(seq 200); do
         id=$(podman ps -q | head -n 1)
         if [ -n "$id" ]; then podman inspect --format '{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}}' "$id" && exit; fi
         sleep 0.05
       done`,
    );
    const log = await build('root');
    expect((await seen).stdout, log).to.equal('500000000 268435456\n');
    expect(log).not.to.include('has no effect');
  });

  it('M6 do not stop a build where podman cannot limit: its log says so', async () => {
    const known = await controllers('builder');
    const log = await build('builder');
    for (const [controller, option] of [
      ['cpu', '--cpus=0.500'],
      ['memory', '--memory=268435456'],
    ] as const) {
      const missing = `podman cannot limit the ${controller} of containers for this user on this host: ${option} has no effect`;
      expect(log.includes(missing), `${known}: ${log}`).to.equal(!known.includes(controller));
    }
  });
});
