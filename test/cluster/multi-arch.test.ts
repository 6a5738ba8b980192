// One run of the Pipeline that taskgen wrote: amd64 on a pod that is launched for it or on the static host, arm64 on the played one (see
// arm64-build.test.ts), one index of both.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventsOf, imageConfig, runImage, sourceFolder, type Raw } from './build.ts';
import { untilClean } from './cleanliness.ts';
import {
  indexOf,
  pipelineLog,
  pipelineResult,
  startPipeline,
  taskRunsOf,
  untilPipelineDone,
  useMultiArchNamespace,
} from './multi-arch.ts';
import { leftOfHostsFor } from './pod-host.ts';
import { podPlatform, shared } from './shared-cluster.ts';
import { until } from './until.ts';

const namespace = 'multi-arch';

interface PlatformResult {
  readonly platform: string;
  readonly status: string;
  readonly digest: string;
  readonly size: number;
  readonly message: string;
}

function platformResults(run: Raw): PlatformResult[] {
  return JSON.parse(pipelineResult(run, 'PLATFORM_RESULTS') ?? '[]');
}

describe('one image for linux/amd64 and linux/arm64', function () {
  this.timeout(900_000);
  before(() => useMultiArchNamespace(namespace));
  afterEach(() => untilClean(namespace));

  const dockerfile = (check: string): string =>
    `FROM ${shared().cluster.registry.inside}/busybox:1\nUSER 0\nRUN ${check}uname -m >/built-on\nUSER 65532\nCMD ["cat", "/built-on"]\n`;

  it('M1 is built on a pod for amd64 and on the arm64 host, joined in an index, and runs', async () => {
    const { cluster, arm64Host } = shared();
    const build = { namespace, name: 'both', files: { Dockerfile: dockerfile('') } };
    await startPipeline(cluster, { ...build, params: { PLATFORMS: [podPlatform, 'linux/arm64'] } });
    const run = await untilPipelineDone(cluster, build);
    const log = await pipelineLog(cluster, build);
    expect(run.status.conditions[0], log).to.include({ status: 'True' });

    const index = await indexOf(cluster, build);
    const platforms = index.manifests.map(({ platform }: Raw) => `${platform.os}/${platform.architecture}`);
    expect(platforms).to.deep.equal(['linux/amd64', 'linux/arm64']);
    const image = pipelineResult(run, 'IMAGE_URL') ?? '';
    expect(image).to.equal(`${cluster.registry.inside}/${namespace}/both:latest`);
    for (const { digest, platform } of index.manifests) {
      const { architecture, os } = await imageConfig(cluster, image, digest);
      expect({ architecture, os }).to.deep.equal(platform);
    }
    expect(platformResults(run).map(({ platform, status, digest }) => [platform, status, digest])).to.deep.equal([
      [podPlatform, 'Succeeded', index.manifests[0].digest],
      ['linux/arm64', 'Succeeded', index.manifests[1].digest],
    ]);

    const taskRuns = await taskRunsOf(cluster, build);
    const ready = async (platform: string): Promise<string | undefined> => {
      const events = await eventsOf(cluster, { namespace, name: taskRuns.get(platform).metadata.name });
      return events.find(({ reason }) => reason === 'HostReady')?.message;
    };
    expect(await ready(podPlatform)).to.match(/\bmp-[0-9a-f]{20}\b/);
    expect(await ready('linux/arm64')).to.include(arm64Host.name);
    // The kubelet takes the member for its own node out of the index.
    expect(await runImage(cluster, namespace, image, pipelineResult(run, 'IMAGE_DIGEST') ?? '')).to.equal('x86_64\n');
    const tags = await fetch(`http://${cluster.registry.outside}/v2/${namespace}/both/tags/list`);
    expect(await tags.json()).to.deep.include({ tags: ['latest'] });
    let left = '';
    await until(
      async () => ((left = await leftOfHostsFor(namespace)) === '' ? true : undefined),
      () => `of the pod for amd64 there is still ${left}`,
    );
  });

  it('M8 fails when one platform failed, and the next run builds only that one', async () => {
    const { cluster } = shared();
    const first = { namespace, name: 'partial', files: { Dockerfile: dockerfile('[ "$(uname -m)" != aarch64 ] && ') } };
    await startPipeline(cluster, first);
    const failed = await untilPipelineDone(cluster, first);
    const log = await pipelineLog(cluster, first);
    expect(failed.status.conditions[0], log).to.include({ status: 'False' });
    const [amd64, arm64] = platformResults(failed);
    expect(amd64, log).to.include({ platform: 'linux/amd64', status: 'Succeeded' });
    expect(arm64, log).to.include({ platform: 'linux/arm64', status: 'Failed' });
    expect(arm64?.message).to.match(/^step build ended with exit code \d+$/);
    expect(await indexOf(cluster, first)).to.equal(undefined);

    writeFileSync(join(sourceFolder(cluster, first), 'Dockerfile'), dockerfile(''));
    const second = { namespace, name: 'partial-again', files: { Dockerfile: dockerfile('') } };
    const repository = `${cluster.registry.inside}/${namespace}/partial`;
    const params = { PLATFORMS: ['linux/arm64'], IMAGES: [`linux/amd64=${repository}@${amd64?.digest}`] };
    await startPipeline(cluster, { ...second, params }, 'partial');
    const done = await untilPipelineDone(cluster, second);
    expect(done.status.conditions[0], await pipelineLog(cluster, second)).to.include({ status: 'True' });
    expect([...(await taskRunsOf(cluster, second)).keys()].toSorted()).to.deep.equal(['index', 'linux/arm64']);
    const index = await indexOf(cluster, first);
    const platforms = index.manifests.map(({ platform }: Raw) => platform.architecture);
    expect(platforms).to.deep.equal(['arm64', 'amd64']);
  });

  it('M8 reports a platform that no host is for', async () => {
    const { cluster } = shared();
    const build = { namespace, name: 'no-host', files: { Dockerfile: dockerfile('') } };
    await startPipeline(cluster, { ...build, params: { PLATFORMS: ['linux/amd64', 'linux/s390x'] } });
    const run = await untilPipelineDone(cluster, build);
    const log = await pipelineLog(cluster, build);
    const [amd64, s390x] = platformResults(run);
    expect(amd64, log).to.include({ status: 'Succeeded' });
    expect(s390x, log).to.deep.include({ platform: 'linux/s390x', status: 'Failed', digest: '' });
    expect(s390x?.message).to.include('no build host could be had');
    // The Secret that holds the reason stays as long as the build.
    await cluster.kubectl.run(['delete', 'pipelinerun', build.name, '-n', namespace, '--wait', '--timeout=120s']);
  });

  it('M10 frees every host when it is cancelled', async () => {
    const { cluster, host, arm64Host } = shared();
    const build = { namespace, name: 'cancelled', files: { Dockerfile: dockerfile('sleep 4720; ') } };
    await startPipeline(cluster, build);
    const look = "ps -eo args --no-headers | grep '[s]leep 4720' || true";
    for (const each of [host, arm64Host]) {
      await until(
        async () => ((await each.run(look)) === '' ? undefined : true),
        () => `the build never ran on ${each.name}`,
      );
    }
    const patch = JSON.stringify({ spec: { status: 'Cancelled' } });
    await cluster.kubectl.run(['patch', 'pipelinerun', build.name, '-n', namespace, '--type=merge', '-p', patch]);
    await untilPipelineDone(cluster, build);
    // afterEach sees hosts and cluster clean.
  });
});
