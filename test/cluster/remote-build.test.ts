// The main job, whole: builds of the generated Task on a real host, for real images, alone and two at a time.
import { expect } from 'chai';
import { eventsOf, exitCodeOf, imageOf, logOf, resultOf, runImage, startBuild, untilDone, type Raw } from './build.ts';
import { untilClean } from './cleanliness.ts';
import { shared, useNamespace } from './shared-cluster.ts';
import { until } from './until.ts';

const namespace = 'remote-build';
const platform = 'linux/amd64';

/** Says at run time what it learnt at build time. */
const dockerfile = (base: string): string =>
  [`FROM ${base}`, 'COPY word /word', 'RUN echo "$(cat /word) from $(uname -m)" > /said', 'CMD ["cat", "/said"]'].join(
    '\n',
  );

describe('a remote build', function () {
  this.timeout(600_000);
  before(() => useNamespace(namespace));
  afterEach(() => untilClean(namespace));

  it('pushes an image that runs, and its results name it', async () => {
    const { cluster } = shared();
    const build = { namespace, name: 'hello' };
    const files = { Dockerfile: dockerfile(`${cluster.registry.inside}/debian:bookworm-slim`), word: 'hello' };
    await startBuild(cluster, { ...build, platform, files });
    const done = await untilDone(cluster, build);
    expect(done.status.conditions[0].reason, await logOf(cluster, build)).to.equal('Succeeded');
    const image = imageOf(cluster, build);
    const digest = resultOf(done, 'IMAGE_DIGEST') ?? '';
    expect(resultOf(done, 'IMAGE_URL')).to.equal(image);
    expect(digest).to.match(/^sha256:[0-9a-f]{64}$/);
    expect(resultOf(done, 'IMAGE_REF')).to.equal(`${image.replace(/:latest$/, '')}@${digest}`);
    expect(resultOf(done, 'SBOM_BLOB_URL')).to.match(/@sha256:[0-9a-f]{64}$/);
    expect(await runImage(cluster, namespace, image, digest)).to.equal('hello from x86_64\n');
  });

  it("tells its story in Events on the user's TaskRun", async () => {
    const { cluster, host } = shared();
    const wanted = ['HostAssigned', 'Provisioning', 'HostReady', 'Released'];
    const told = async (): Promise<Raw[]> => eventsOf(cluster, { namespace, name: 'hello' });
    const events = await until(
      async () => ((await told()).length >= wanted.length ? told() : undefined),
      async () => `only these Events: ${(await told()).map(({ reason }) => reason).join(', ')}`,
    );
    // In no order: some carry the same second.
    expect(events.map(({ reason }) => reason)).to.have.members(wanted);
    for (const { message } of events) expect(message).to.include(host.name);
  });

  it('shares a host with another build, each as a user of its own', async () => {
    const { cluster, host } = shared();
    const builds = ['left', 'right'].map((name) => ({ namespace, name }));
    // Long enough for both to be on the host at once.
    const files = {
      Dockerfile: [
        `FROM ${cluster.registry.inside}/busybox:1`,
        'USER 0',
        'COPY word /word',
        'RUN sleep 15 && cp /word /said',
        'CMD ["cat", "/said"]',
      ].join('\n'),
    };
    await Promise.all(
      builds.map(({ name }) =>
        startBuild(cluster, { namespace, name, platform, files: { ...files, word: name }, params: { SBOM: 'none' } }),
      ),
    );
    await until(
      async () => ((await host.run('getent passwd')).match(/^u-/gm)?.length === 2 ? true : undefined),
      () => 'there were never two users on the host',
    );
    for (const build of builds) {
      const done = await untilDone(cluster, build);
      expect(exitCodeOf(done, 'build'), await logOf(cluster, build)).to.equal(0);
      expect(done.status.conditions[0].status).to.equal('True');
      const digest = resultOf(done, 'IMAGE_DIGEST') ?? '';
      expect(await runImage(cluster, namespace, imageOf(cluster, build), digest)).to.equal(build.name);
    }
  });
});
