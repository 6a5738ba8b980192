// Builds that fail or are stopped: what the user is told, and that nothing of them stays on the host.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { exitCodeOf, logOf, resultOf, sourceFolder, startBuild, untilDone } from './build.ts';
import { untilClean } from './cleanliness.ts';
import { installScriptTask } from './script-task.ts';
import { shared, useNamespace } from './shared-cluster.ts';
import { until } from './until.ts';

const namespace = 'failed-build';
const platform = 'linux/amd64';

describe('a remote build that does not succeed', function () {
  this.timeout(600_000);
  before(async () => {
    await useNamespace(namespace);
    await installScriptTask(namespace);
  });
  afterEach(() => untilClean(namespace));

  it('ends with the exit code of the Dockerfile, and shows why', async () => {
    const { cluster } = shared();
    const build = { namespace, name: 'bad-dockerfile' };
    const files = {
      Dockerfile: `FROM ${cluster.registry.inside}/busybox:1\nUSER 0\nRUN echo no such thing >&2; exit 23\n`,
    };
    await startBuild(cluster, { ...build, platform, files });
    const done = await untilDone(cluster, build);
    const log = await logOf(cluster, build);
    expect(exitCodeOf(done, 'build'), log).to.equal(23);
    expect(done.status.conditions[0].status).to.equal('False');
    expect(log).to.include('no such thing').and.to.include('exit status 23');
    expect(log).to.match(/timeline .* exit=23$/m);
    expect(resultOf(done, 'IMAGE_DIGEST')).to.equal(undefined);
  });

  it('ends with the exit code of its script, and keeps the results and files the script wrote', async () => {
    const { cluster } = shared();
    const build = { namespace, name: 'bad-script' };
    const script = 'printf "half of it" >"$RESULT"\necho unfinished >report\nexit 42\n';
    await startBuild(cluster, { ...build, platform, files: { script }, task: 'script-remote' });
    const done = await untilDone(cluster, build);
    const log = await logOf(cluster, build);
    expect(exitCodeOf(done, 'build'), log).to.equal(42);
    expect(resultOf(done, 'SAID')).to.equal('half of it');
    expect(readFileSync(join(sourceFolder(cluster, build), 'report'), 'utf8')).to.equal('unfinished\n');
  });

  it('is gone from the host when its TaskRun is cancelled while it runs', async () => {
    const { cluster, host } = shared();
    const build = { namespace, name: 'cancelled' };
    const files = { Dockerfile: `FROM ${cluster.registry.inside}/busybox:1\nUSER 0\nRUN sleep 4711\n` };
    await startBuild(cluster, { ...build, platform, files });
    const sleeping = (): Promise<string> => host.run(`ps -eo args --no-headers | grep -c '^sleep 471[1]' || true`);
    await until(
      async () => ((await sleeping()).trim() === '0' ? undefined : true),
      async () => `its RUN never started; its log:\n${await logOf(cluster, build)}`,
    );
    const patch = JSON.stringify({ spec: { status: 'TaskRunCancelled' } });
    await cluster.kubectl.run(['patch', 'taskrun', build.name, '-n', namespace, '--type=merge', '-p', patch]);
    const done = await untilDone(cluster, build);
    expect(done.status.conditions[0]).to.include({ status: 'False', reason: 'TaskRunCancelled' });
    await untilClean(namespace);
    expect((await sleeping()).trim()).to.equal('0');
  });
});
