// Builds where the key server is installed: generated Tasks and those written by hand get their key from it, a retried build gets
// it again, and nothing of it is left. Installed for this file only; the others run without it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { exitCodeOf, logOf, resultOf, startBuild, untilDone, type Raw } from './build.ts';
import { untilClean } from './cleanliness.ts';
import { installScriptTask } from './script-task.ts';
import { shared, useNamespace } from './shared-cluster.ts';
import { until } from './until.ts';

const namespace = 'otp-build';
const operatorNamespace = 'multi-platform-controller';
const platform = 'linux/amd64';
const overlay = join(import.meta.dirname, 'otp-overlay');
const storedKeys = ['get', 'secrets', '-n', operatorNamespace, '-l', 'build.appstudio.redhat.com/one-time-key'];

describe('a build whose key is handed over once', function () {
  this.timeout(600_000);

  before(async () => {
    const { kubectl } = shared().cluster;
    await useNamespace(namespace);
    await installScriptTask(namespace);
    await kubectl.apply(readFileSync(join(import.meta.dirname, 'stock-task.yaml'), 'utf8'), '-n', namespace);
    await kubectl.apply(await kubectl.run(['kustomize', overlay]));
    const deployment = 'deployment/multi-platform-otp-server';
    await kubectl.run(['rollout', 'status', '-n', operatorNamespace, deployment, '--timeout=120s']);
  });
  afterEach(async () => {
    await untilClean(namespace);
    await until(
      async () => ((await keysLeft()).length === 0 ? true : undefined),
      async () => `stored keys are left: ${(await keysLeft()).join(', ')}`,
    );
  });
  after(async () => {
    const { kubectl } = shared().cluster;
    await kubectl.run(['delete', '-f', '-', '--wait', '--ignore-not-found'], await kubectl.run(['kustomize', overlay]));
    const made = ['secret/otp-tls-secrets', 'secret/multi-platform-otp-encryption'];
    await kubectl.run(['delete', ...made, '-n', operatorNamespace, '--ignore-not-found']);
  });

  const keysLeft = async (): Promise<string[]> => {
    const { items } = await shared().cluster.kubectl.json<Raw>(storedKeys);
    return items.map((secret: Raw) => secret.metadata.name);
  };
  const serverLog = (): Promise<string> =>
    shared().cluster.kubectl.run(['logs', '-n', operatorNamespace, '-l', 'app=multi-platform-otp-server', '--tail=-1']);
  const handedOver = async (name: string): Promise<number> =>
    (await serverLog()).split('\n').filter((line) => line.includes('key handed over') && line.includes(`/${name}"`))
      .length;

  it('gets it with the token of its Secret, which holds no key', async () => {
    const { cluster } = shared();
    const build = { namespace, name: 'generated' };
    const script = 'sleep 5; echo built >"$RESULT"\n';
    await startBuild(cluster, { ...build, platform, files: { script }, task: 'script-remote' });
    const secret = await until(
      () =>
        cluster.kubectl
          .json<Raw>(['get', 'secret', `multi-platform-ssh-${build.name}`, '-n', namespace])
          .catch(() => undefined),
      async () => `its Secret never came; its log:\n${await logOf(cluster, build)}`,
    );
    const done = await untilDone(cluster, build);
    const log = await logOf(cluster, build);
    expect(exitCodeOf(done, 'build'), log).to.equal(0);
    expect(resultOf(done, 'SAID')?.trim()).to.equal('built');
    expect(Object.keys(secret.data)).to.include.members(['otp', 'otp-ca', 'otp-server']).and.not.to.include('id_rsa');
    expect(await handedOver(build.name)).to.equal(1);
    const token = Buffer.from(secret.data.otp, 'base64').toString();
    for (const text of [log, await serverLog()]) expect(text).not.to.contain(token).and.not.to.contain('PRIVATE KEY');
  });

  it('gets it again when its TaskRun is retried', async () => {
    const { cluster } = shared();
    const build = { namespace, name: 'retried' };
    const script = '[ -e again ] || { touch again; exit 3; }\necho second >"$RESULT"\n';
    await startBuild(cluster, { ...build, platform, files: { script }, task: 'script-remote', retries: 1 });
    const done = await untilDone(cluster, build);
    expect(exitCodeOf(done, 'build'), await logOf(cluster, build)).to.equal(0);
    expect(done.status.retriesStatus).to.have.length(1);
    expect(resultOf(done, 'SAID')?.trim()).to.equal('second');
    expect(await handedOver(build.name)).to.equal(2);
  });

  it('of a Task written by hand gets it with curl', async () => {
    const { cluster } = shared();
    const build = { namespace, name: 'by-hand' };
    const files = { Dockerfile: `FROM ${cluster.registry.inside}/busybox:1\nUSER 0\nRUN echo by hand > /said\n` };
    await startBuild(cluster, { ...build, platform, files, task: 'stock-buildah-remote' });
    const done = await untilDone(cluster, build);
    expect(done.status.conditions[0].status, await logOf(cluster, build)).to.equal('True');
    expect(await handedOver(build.name)).to.equal(1);
  });
});
