// A host that keeps the builder image for all its builds: a fresh user builds with it at once, and without it everything goes on as before.
import { expect } from 'chai';
import { exitCodeOf, imageOf, logOf, resultOf, runImage, startBuild, untilDone } from './build.ts';
import { untilClean } from './cleanliness.ts';
import { startHost, type Host } from './host.ts';
import { keepBuilderImages } from './kept-images.ts';
import { addHost } from './product.ts';
import { shared, useNamespace } from './shared-cluster.ts';

const namespace = 'kept-images';
const platform = 'linux-kept/amd64';

describe('a host that keeps builder images', function () {
  this.timeout(600_000);
  let host: Host;
  let takeOut: () => Promise<void>;
  before(async () => {
    const { cluster } = shared();
    await useNamespace(namespace);
    host = await startHost(cluster.kubectl, 'keeper');
    await keepBuilderImages(cluster.kubectl, host, [`${cluster.registry.inside}/builder:1`]);
    takeOut = await addHost(cluster.kubectl, { host, platform, concurrency: 2 });
  });
  afterEach(() => untilClean(namespace));
  after(async () => {
    await takeOut();
    await host.stop();
  });

  it('lets a build begin without a pull, and RUN steps work in it', async () => {
    const { cluster } = shared();
    const build = { namespace, name: 'at-once' };
    const Dockerfile = `FROM ${cluster.registry.inside}/debian:bookworm-slim\nRUN id -u > /said && chown 1:1 /said\nCMD ["cat", "/said"]\n`;
    await startBuild(cluster, { ...build, platform, files: { Dockerfile }, params: { SBOM: 'none' } });
    const done = await untilDone(cluster, build);
    const log = await logOf(cluster, build);
    expect(exitCodeOf(done, 'build'), log).to.equal(0);
    expect(log).to.include('the builder image is here already').and.not.to.include('pulling the builder image');
    expect(await runImage(cluster, namespace, imageOf(cluster, build), resultOf(done, 'IMAGE_DIGEST') ?? '')).to.equal(
      '0\n',
    );
  });

  it('goes on with a pull when what it keeps is damaged', async () => {
    const { cluster } = shared();
    await host.run('rm -rf /var/lib/multi-platform-images/*/overlay/*/diff');
    const build = { namespace, name: 'damaged' };
    await startBuild(cluster, {
      ...build,
      platform,
      files: { Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' },
      params: { SBOM: 'none' },
    });
    const done = await untilDone(cluster, build);
    const log = await logOf(cluster, build);
    expect(exitCodeOf(done, 'build'), log).to.equal(0);
    expect(log).to.include('pulling the builder image');
  });
});
