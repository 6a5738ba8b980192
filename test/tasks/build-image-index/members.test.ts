// tasks/build-image-index: what it joins and what it refuses, with a real registry.
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { registry } from '../../taskgen/played-task-run.ts';
import { IndexStand, report, repository } from './index-stand.ts';

describe('build-image-index', function () {
  this.timeout(120_000);
  let stand: IndexStand;
  before(async () => {
    stand = await IndexStand.open();
  });
  after(() => stand.world.close());

  it('M1 joins what was built, and says what each of them is', async () => {
    const { code, stderr, taskRun, results } = await stand.run({
      PLATFORMS: ['linux/amd64', 'linux-large/aarch64'],
      PLATFORM_RESULTS: [report('Succeeded', stand.images.amd64), report('Succeeded', stand.images.arm64)],
    });
    expect(code, stderr).to.equal(0);
    const text = await stand.manifest(taskRun.image);
    const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
    expect(taskRun.result('IMAGE_DIGEST')).to.equal(digest);
    expect(taskRun.result('IMAGE_URL')).to.equal(taskRun.image);
    expect(taskRun.result('IMAGE_REF')).to.equal(`${repository}@${digest}`);
    expect(taskRun.result('IMAGES')).to.equal(`${stand.images.amd64},${stand.images.arm64}`);
    const index = JSON.parse(text);
    expect(index.mediaType).to.equal('application/vnd.oci.image.index.v1+json');
    expect(index.manifests.map(({ platform }: { platform: object }) => platform)).to.deep.equal([
      { architecture: 'amd64', os: 'linux' },
      { architecture: 'arm64', os: 'linux' },
    ]);
    expect(results().map(({ platform, status, message }) => ({ platform, status, message }))).to.deep.equal([
      { platform: 'linux/amd64', status: 'Succeeded', message: '' },
      { platform: 'linux-large/aarch64', status: 'Succeeded', message: '' },
    ]);
    expect(results().map((it) => it.digest)).to.deep.equal([
      stand.images.amd64.split('@')[1],
      stand.images.arm64.split('@')[1],
    ]);
  });

  it('M1 gives the bytes to pull as the size: manifest, configuration and layers', async () => {
    const { results } = await stand.run({ IMAGES: [stand.images.amd64] });
    const { stdout } = await stand.world.run(`skopeo inspect --raw --tls-verify=false docker://${stand.images.amd64}`);
    const { config, layers } = JSON.parse(stdout);
    const layerBytes = layers.reduce((sum: number, { size }: { size: number }) => sum + size, 0);
    expect(results()[0]).to.include({ platform: 'linux/amd64', size: stdout.length + config.size + layerBytes });
  });

  it('M1 makes an index that people can pull from, each platform its own', async () => {
    const { taskRun } = await stand.run({
      IMAGES: [stand.images.amd64, `linux/arm64=${stand.images.arm64}`, stand.images.armv7],
    });
    for (const [options, name] of [
      ['--override-arch amd64', 'amd64'],
      ['--override-arch arm64', 'arm64'],
      ['--override-arch arm --override-variant v7', 'armv7'],
    ]) {
      const to = `/tmp/pulled-${name}`;
      const { stdout, stderr } = await stand.world.run(
        `skopeo copy -q ${options} --src-tls-verify=false docker://${taskRun.image} dir:${to} && for blob in ${to}/*; do tar -xzOf "$blob" file 2>/dev/null; done`,
      );
      expect(stdout, stderr).to.equal(`${name}\n`);
    }
  });

  it('M1 takes members of another repository, by bringing them over', async () => {
    const { code, stderr, taskRun } = await stand.run({ IMAGES: [stand.images.amd64, stand.images.elsewhere] });
    expect(code, stderr).to.equal(0);
    expect(JSON.parse(await stand.manifest(`${repository}@${stand.images.elsewhere.split('@')[1]}`))).to.have.property(
      'layers',
    );
    expect(JSON.parse(await stand.manifest(taskRun.image)).manifests[1].platform.architecture).to.equal('ppc64le');
  });

  it('M1 makes a list in the format of docker when all members are in it', async () => {
    const { taskRun, code, stderr } = await stand.run({ IMAGES: [stand.images.docker] });
    expect(code, stderr).to.equal(0);
    const { mediaType } = JSON.parse(await stand.manifest(taskRun.image));
    expect(mediaType).to.equal('application/vnd.docker.distribution.manifest.list.v2+json');
  });

  it('M1 drops the tag of a member that has tag and digest, behind a registry with a port', async () => {
    const tagged = stand.images.amd64.replace('@', ':some-tag@');
    const { code, stderr, taskRun } = await stand.run({ IMAGES: [tagged] });
    expect(code, stderr).to.equal(0);
    expect(taskRun.result('IMAGES')).to.equal(stand.images.amd64);
  });

  const refused = [
    { title: 'ArchMismatch: an image for another platform than the one asked for', images: () => [`linux/arm64=${stand.images.amd64}`], status: 'ArchMismatch', message: 'the image is for linux/amd64, not for linux/arm64' },
    { title: 'ArchMismatch: another variant', images: () => [`linux/arm/v6=${stand.images.armv7}`], status: 'ArchMismatch', message: 'the image is for linux/arm/v7, not for linux/arm/v6' },
    { title: 'InvalidReference: a tag', images: () => [`${repository}:amd64`], status: 'InvalidReference', message: `'${repository}:amd64' has no digest: write REPOSITORY@sha256:…` },
    { title: 'ImageUnreadable: a digest the registry does not have', images: () => [`${repository}@sha256:${'0'.repeat(64)}`], status: 'ImageUnreadable', message: /^reading manifest sha256:0+ in .*: manifest unknown/ },
  ]; // prettier-ignore
  for (const { title, images: given, status, message } of refused) {
    it(`M1 refuses ${title}`, async () => {
      const { code, results, taskRun } = await stand.run({ IMAGES: given() });
      expect(code).to.equal(1);
      expect(results()[0]).to.include({ status });
      expect(results()[0]!.message).to.match(
        typeof message === 'string' ? new RegExp(`^${message.replaceAll(/[.*+?()[\]]/g, '\\$&')}$`) : message,
      );
      expect(await stand.manifest(taskRun.image), 'no tag').to.equal('');
    });
  }

  it('M1 refuses an index as a member', async () => {
    const { taskRun } = await stand.run({ IMAGES: [stand.images.amd64] });
    const { code, results } = await stand.run({ IMAGES: [taskRun.result('IMAGE_REF')] });
    expect({ code, status: results()[0]!.status }).to.deep.equal({ code: 1, status: 'NotAnImage' });
  });

  it('M1 refuses two images for one platform', async () => {
    const { code, stderr, taskRun } = await stand.run({ IMAGES: [stand.images.amd64, stand.images.amd64] });
    expect(stderr).to.include('two images are for linux/amd64: an index has one for each platform');
    expect(code).to.equal(1);
    expect(await stand.manifest(taskRun.image)).to.equal('');
  });

  it('M1 does not move the tag when a member cannot be brought over', async () => {
    const { taskRun } = await stand.run({ IMAGES: [stand.images.amd64] });
    const before = await stand.manifest(taskRun.image);
    const layer = await stand.world.run(`skopeo inspect --raw --tls-verify=false docker://${stand.images.elsewhere}`);
    const { digest } = JSON.parse(layer.stdout).layers[0];
    const hex = digest.split(':')[1];
    const blob = join(stand.world.root, `tmp/registry/docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`);
    const content = readFileSync(blob);
    const fresh = `${registry}/team/fresh:1`;
    rmSync(blob);
    try {
      const { code, stderr } = await stand.run({ IMAGE: fresh, IMAGES: [stand.images.elsewhere] });
      expect(stderr).to.include(`${stand.images.elsewhere} could not be copied to ${registry}/team/fresh`);
      expect(code).to.equal(1);
      expect(await stand.manifest(fresh)).to.equal('');
    } finally {
      writeFileSync(blob, content);
    }
    expect(await stand.manifest(taskRun.image)).to.equal(before);
  });

  const usage = [
    { values: {}, says: 'there is nothing to join' },
    { values: { PLATFORMS: ['linux/amd64'] }, says: '1 PLATFORMS and 0 PLATFORM_RESULTS: there must be one for each' },
    { values: { IMAGE: `${repository}@sha256:${'0'.repeat(64)}` }, says: 'write REGISTRY/NAME:TAG, without a digest' },
    { values: { IMAGE: 'app' }, says: "IMAGE is 'app': write REGISTRY/NAME:TAG" },
    { values: { PLATFORMS: ['linux/amd64'], PLATFORM_RESULTS: ['{oops'] }, says: "PLATFORM_RESULTS: '{oops' is not the report of a build" },
  ]; // prettier-ignore
  for (const { values, says } of usage) {
    it(`M1 says what is wrong with ${JSON.stringify(values).slice(0, 60)}`, async () => {
      const { code, stderr } = await stand.run(values);
      expect(stderr).to.include(says);
      expect(code).to.equal(1);
    });
  }
});
