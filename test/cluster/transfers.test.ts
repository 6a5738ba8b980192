// The other ways of an image from the host: as one stream, and by a push from there with a credential of its own.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { exitCodeOf, imageOf, logOf, resultOf, runImage, startBuild, untilDone } from './build.ts';
import { untilClean } from './cleanliness.ts';
import { shared, useNamespace } from './shared-cluster.ts';

const namespace = 'transfers';
const password = 'not-for-the-log';

/** `image-<name>`, made by taskgen with these flags. */
async function install(name: string, ...flags: readonly string[]): Promise<void> {
  const generator = join(import.meta.dirname, '../../taskgen/main.ts');
  const source = join(import.meta.dirname, 'image-task.yaml');
  const runner = ['--runner-image', 'localhost/multi-platform-runner:dev'];
  const args = [generator, ...runner, '--name', `image-${name}`, ...flags, source];
  await shared().cluster.kubectl.apply(execFileSync(process.execPath, args, { encoding: 'utf8' }), '-n', namespace);
}

/** The log of a build that succeeded, and the digest its result has. */
async function built(name: string): Promise<{ readonly log: string; readonly digest: string }> {
  const { cluster } = shared();
  const build = { namespace, name };
  const Dockerfile = `FROM ${cluster.registry.inside}/busybox:1\nUSER 0\nRUN echo by ${name} > /said\nCMD ["cat", "/said"]\n`;
  await startBuild(cluster, { ...build, platform: 'linux/amd64', files: { Dockerfile }, task: `image-${name}` });
  const done = await untilDone(cluster, build);
  const log = await logOf(cluster, build);
  expect(exitCodeOf(done, 'build'), log).to.equal(0);
  expect(done.status.conditions[0].status, log).to.equal('True');
  return { log, digest: resultOf(done, 'IMAGE_DIGEST') ?? '' };
}

describe('an image that comes another way', function () {
  this.timeout(600_000);
  before(() => useNamespace(namespace));
  afterEach(() => untilClean(namespace));

  it('streams into the storage of later steps', async () => {
    const { cluster } = shared();
    await install('stream', '--transfer', 'stream');
    const { log, digest } = await built('stream');
    expect(log).to.match(/ fetch=\S+\/\d\S+ /);
    expect(await runImage(cluster, namespace, imageOf(cluster, { namespace, name: 'stream' }), digest)).to.equal(
      'by stream\n',
    );
  });

  it('is pushed by the host, and later steps have that very image', async () => {
    const { cluster } = shared();
    const { inside } = cluster.registry;
    const auth = Buffer.from(`builder:${password}`).toString('base64');
    const config = JSON.stringify({ auths: { [inside]: { auth } } });
    const metadata = { name: 'multi-platform-registry-push', namespace };
    const type = 'kubernetes.io/dockerconfigjson';
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata, type, stringData: { '.dockerconfigjson': config } };
    await cluster.kubectl.apply([secret]);
    await install('registry', '--transfer', 'registry', '--registry-auth', 'push');
    const { log } = await built('registry');
    const image = imageOf(cluster, { namespace, name: 'registry' });
    const [, digest = ''] = /pushed from the host: \S+, (sha256:[0-9a-f]{64})/.exec(log) ?? [];
    expect(log).to.include(`build-local: loaded ${image}`).and.not.to.include(password).and.not.to.include(auth);
    expect(await runImage(cluster, namespace, image, digest)).to.equal('by registry\n');
  });

  it('is not begun when the credential for the push is missing', async () => {
    const { cluster } = shared();
    await install('unpaid', '--transfer', 'registry', '--registry-auth', 'push');
    const build = { namespace, name: 'unpaid' };
    const params = { REGISTRY_PUSH_SECRET: 'nobody-made-it' };
    const files = { Dockerfile: 'FROM scratch\n' };
    await startBuild(cluster, { ...build, platform: 'linux/amd64', files, params, task: 'image-unpaid' });
    const done = await untilDone(cluster, build);
    const log = await logOf(cluster, build);
    expect(exitCodeOf(done, 'build'), log).to.equal(78);
    expect(log).to.include('the credential for pushing from the host is missing');
  });
});
