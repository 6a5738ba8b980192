// Builds that lose something they rely on: their machine, the connection of their provision, the controller, their node.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { exitCodeOf, logOf, sourceFolder, startBuild, untilDone } from './build.ts';
import { untilClean } from './cleanliness.ts';
import { hasSecret, untilBuild, untilOurs, type BuildName } from './interrupt.ts';
import { installScriptTask } from './script-task.ts';
import { shared, singleSlotPlatform, useNamespace } from './shared-cluster.ts';
import { until } from './until.ts';

const namespace = 'disturbed-build';
const operator = ['-n', 'multi-platform-controller'];

/** All processes but the first end at once, as when a machine loses its power; what they had below /tmp and /run is gone. */
async function reboot(): Promise<void> {
  await shared()
    .host.run('kill -KILL -1; true')
    // Our own shell ends as well.
    .catch(() => undefined);
  await shared().host.run('rm -rf /tmp/* /run/user/* /dev/shm/*');
}

/** Both replicas, without the time to say goodbye. */
async function killControllers(): Promise<void> {
  const { kubectl } = shared().cluster;
  const selector = ['-l', 'app=multi-platform-controller'];
  await kubectl.run(['delete', 'pods', ...operator, ...selector, '--grace-period=0', '--force', '--wait=false']);
}

describe('a build that is disturbed', function () {
  this.timeout(600_000);
  before(async () => {
    await useNamespace(namespace);
    await installScriptTask(namespace);
  });
  afterEach(() => untilClean(namespace));

  const start = async (name: string, script: string, platform = 'linux/amd64', more = {}): Promise<BuildName> => {
    const build = { namespace, name };
    await startBuild(shared().cluster, { ...build, platform, files: { script }, task: 'script-remote', ...more });
    return build;
  };
  const untilRuns = async (build: BuildName): Promise<void> => {
    const { cluster } = shared();
    await untilBuild(cluster, build, 'given its Secret', hasSecret);
    await until(
      // Until its containers run there is no log.
      async () => ((await logOf(cluster, build).catch(() => '')).includes('the script is here') ? true : undefined),
      () => logOf(cluster, build),
    );
  };

  it('by a reboot of its host: it says that the connection was lost, and the host is cleaned', async () => {
    const { cluster } = shared();
    const build = await start('rebooted', 'echo the script is here\nsleep 4721\n');
    await untilRuns(build);
    await reboot();
    const done = await untilDone(cluster, build);
    const log = await logOf(cluster, build);
    expect(exitCodeOf(done, 'build'), log).to.equal(75);
    expect(log)
      .to.match(/lost the connection to u-[0-9a-f]{28}@/)
      .and.to.include('run it again');
  });

  it('by a host that drops the connection of its provision: it is told, and the next build gets the slot', async () => {
    const { cluster, host } = shared();
    const build = await start('dropped', 'true', singleSlotPlatform);
    await untilOurs(cluster, build, 'provision');
    const dropped = await host.run(
      `end=$((SECONDS + 120)); until pids=$(pgrep -f 'sshd: [r]oot@notty'); do
         [ $SECONDS -lt $end ] || exit 1
         sleep 0.01
       done; kill -KILL $pids; echo dropped`,
    );
    expect(dropped).to.equal('dropped\n');
    const done = await untilDone(cluster, build);
    const log = await logOf(cluster, build);
    expect(exitCodeOf(done, 'build'), log).to.be.oneOf([0, 69]);
    if (exitCodeOf(done, 'build') === 69) expect(log).to.include('all available hosts for the platform have failed');
    const next = await start('after-dropped', 'true', singleSlotPlatform);
    expect((await untilDone(cluster, next)).status.conditions[0].status).to.equal('True');
    await cluster.kubectl.run(['delete', 'taskruns', ...operator, '--all', '--wait']);
    // Rejected, it keeps the Secret that says why for as long as it is there.
    await cluster.kubectl.run(['delete', 'taskrun', 'dropped', '-n', namespace, '--wait']);
  });

  const begun: readonly [string, string, string][] = [
    ['when it has begun', 'lost-early', 'until pgrep -f "sshd: [r]oot@notty" >/dev/null; do sleep 0.01; done'],
    ['when it has made the user', 'lost-late', 'until getent passwd | grep -q "^u-"; do sleep 0.01; done'],
  ];
  for (const [moment, name, asSoonAs] of begun) {
    it(`by the deletion of its provision ${moment}, whose pod runs on for a moment: it is prepared again`, async () => {
      const { cluster, host } = shared();
      const build = await start(name, 'true');
      const { metadata } = await untilOurs(cluster, build, 'provision');
      await host.run(`timeout 120 sh -c '${asSoonAs}'`);
      await cluster.kubectl.run(['delete', 'taskrun', metadata.name, ...operator, '--wait=false']);
      const done = await untilDone(cluster, build);
      expect(done.status.conditions[0].status, await logOf(cluster, build)).to.equal('True');
    });
  }

  it('by the end of the controller, while it is prepared, while it runs and while its host is cleaned: it succeeds', async () => {
    const { cluster } = shared();
    const build = await start('orphaned', 'echo the script is here\nsleep 15\n');
    await untilOurs(cluster, build, 'provision');
    await killControllers();
    await untilRuns(build);
    await killControllers();
    const done = await untilDone(cluster, build);
    expect(done.status.conditions[0].status, await logOf(cluster, build)).to.equal('True');
    await untilOurs(cluster, build, 'clean');
    await killControllers();
    await untilClean(namespace);
  });

  it('by a drain of its node: it fails, and its host is cleaned', async () => {
    const { cluster } = shared();
    const { kubectl } = cluster;
    const build = await start('drained', 'echo the script is here\nsleep 4722\n');
    await untilRuns(build);
    const node = (await kubectl.run(['get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}'])).trim();
    const selector = `--pod-selector=tekton.dev/taskRun=${build.name}`;
    await kubectl.run(['drain', node, selector, '--force', '--delete-emptydir-data', '--ignore-daemonsets']);
    await kubectl.run(['uncordon', node]);
    const done = await untilDone(cluster, build);
    expect(done.status.conditions[0].status).to.equal('False');
  });

  it('by its own first try that fails: the retry runs on the same host', async () => {
    const { cluster } = shared();
    const script = '[ -e tried ] && exit 0\ntouch tried\nexit 9\n';
    const build = await start('retried', script, 'linux/amd64', { retries: 1 });
    const done = await untilDone(cluster, build);
    expect(done.status.conditions[0].status, await logOf(cluster, build)).to.equal('True');
    expect(done.status.retriesStatus).to.have.length(1);
  });

  it('by nothing but its size: 20,000 files of 200 MB travel to the host and the changed ones back', async () => {
    const { cluster } = shared();
    const folder = sourceFolder(cluster, { namespace, name: 'large' });
    for (let directory = 0; directory < 200; directory += 1) {
      mkdirSync(join(folder, 'tree', String(directory)), { recursive: true });
      for (let file = 0; file < 100; file += 1)
        writeFileSync(join(folder, 'tree', String(directory), String(file)), randomBytes(10_000));
    }
    const sum = `cd '${folder}' && find tree -type f -print0 | sort -z | xargs -0 cat | sha256sum`;
    const before = execFileSync('sh', ['-c', sum], { encoding: 'utf8' });
    const script = 'find tree -type f -print0 | sort -z | xargs -0 cat | sha256sum >sum\necho changed >tree/17/4\n';
    const build = await start('large', script);
    const done = await untilDone(cluster, build);
    expect(done.status.conditions[0].status, await logOf(cluster, build)).to.equal('True');
    expect(readFileSync(join(folder, 'sum'), 'utf8')).to.equal(before);
    expect(readFileSync(join(folder, 'tree/17/4'), 'utf8')).to.equal('changed\n');
  });
});
