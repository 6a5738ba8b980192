// A build for another architecture. The host is played: its own programs and the builder image are amd64 under another name, what is in the image (its
// base and its RUN instructions) is real arm64 under qemu. So this shows that the right host is chosen and that an arm64 image comes out of it.
import { expect } from 'chai';
import { eventsOf, exitCodeOf, imageConfig, imageOf, logOf, resultOf, startBuild, untilDone } from './build.ts';
import { untilClean } from './cleanliness.ts';
import { shared, useNamespace } from './shared-cluster.ts';

const namespace = 'arm64-build';

describe('a build for linux/arm64', function () {
  this.timeout(600_000);
  before(() => useNamespace(namespace));
  afterEach(() => untilClean(namespace));

  it('runs on the arm64 host and gives an arm64 image', async () => {
    const { cluster, arm64Host } = shared();
    const build = { namespace, name: 'hello' };
    const Dockerfile = `FROM ${cluster.registry.inside}/busybox:1\nUSER 0\nRUN echo "RUN on $(uname -m)"\n`;
    await startBuild(cluster, { ...build, platform: 'linux/arm64', files: { Dockerfile }, params: { SBOM: 'none' } });
    const done = await untilDone(cluster, build);
    const log = await logOf(cluster, build);
    expect(exitCodeOf(done, 'build'), log).to.equal(0);
    expect(done.status.conditions[0].status, log).to.equal('True');
    expect(log).to.include('RUN on aarch64');
    const config = await imageConfig(cluster, imageOf(cluster, build), resultOf(done, 'IMAGE_DIGEST') ?? '');
    expect(config).to.include({ architecture: 'arm64', os: 'linux' });
    const ready = (await eventsOf(cluster, build)).find(({ reason }) => reason === 'HostReady');
    expect(ready?.message).to.include(arm64Host.name);
  });
});
