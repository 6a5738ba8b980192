// Tasks that people have already: written by hand for the Secret's keys, with no knowledge of this controller. See stock-task.yaml.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { deleteBuild, exitCodeOf, imageOf, logOf, resultOf, runImage, startBuild, untilDone } from './build.ts';
import { untilClean } from './cleanliness.ts';
import { brokenPlatforms, shared, useNamespace } from './shared-cluster.ts';

const namespace = 'stock-task';
const task = 'stock-buildah-remote';

describe('a build Task written by hand', function () {
  // The kubelet looks for a missing Secret again with growing pauses.
  this.timeout(600_000);
  before(async () => {
    await useNamespace(namespace);
    const manifest = readFileSync(join(import.meta.dirname, 'stock-task.yaml'), 'utf8');
    await shared().cluster.kubectl.apply(manifest, '-n', namespace);
  });
  afterEach(() => untilClean(namespace));

  it('gets its Secret, builds on the host and pushes', async () => {
    const { cluster } = shared();
    const build = { namespace, name: 'hello' };
    const Dockerfile = `FROM ${cluster.registry.inside}/busybox:1\nUSER 0\nRUN echo by hand > /said\nCMD ["cat", "/said"]\n`;
    await startBuild(cluster, { ...build, platform: 'linux/amd64', files: { Dockerfile }, task });
    const done = await untilDone(cluster, build);
    const log = await logOf(cluster, build);
    expect(exitCodeOf(done, 'build'), log).to.equal(0);
    expect(done.status.conditions[0].status, log).to.equal('True');
    expect(log).to.match(/building on u-[0-9a-f]{28}@\S+ in \/home\/u-[0-9a-f]{28}$/m);
    const image = imageOf(cluster, build);
    expect(resultOf(done, 'IMAGE_URL')).to.equal(image);
    expect(await runImage(cluster, namespace, image, resultOf(done, 'IMAGE_DIGEST') ?? '')).to.equal('by hand\n');
  });

  it('is told why there is no host', async () => {
    const { cluster } = shared();
    const build = { namespace, name: 'no-host' };
    await startBuild(cluster, {
      ...build,
      platform: brokenPlatforms.unknown,
      files: { Dockerfile: 'FROM scratch' },
      task,
    });
    const done = await untilDone(cluster, build);
    const log = await logOf(cluster, build);
    expect(exitCodeOf(done, 'build'), log).to.equal(1);
    expect(log).to.include(`no hosts configured for platform ${brokenPlatforms.unknown}`);
    await deleteBuild(cluster, build);
  });
});
