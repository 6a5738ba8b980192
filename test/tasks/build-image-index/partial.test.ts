// tasks/build-image-index when a platform failed: nothing good is lost, and the next run builds only the rest.
import { expect } from 'chai';
import { IndexStand, report } from './index-stand.ts';

describe('build-image-index, when a platform failed', function () {
  this.timeout(120_000);
  let stand: IndexStand;
  before(async () => {
    stand = await IndexStand.open();
  });
  after(() => stand.world.close());

  const partial = () => ({
    PLATFORMS: ['linux/amd64', 'linux/arm64'],
    PLATFORM_RESULTS: [
      report('Succeeded', stand.images.amd64),
      report('Failed', '', 'step build ended with exit code 1\nit\'s "so"'),
    ],
  });

  it('M8 fails when a platform failed, reports the good digest, and says how to build only what is missing', async () => {
    const { code, stderr, results, taskRun } = await stand.run(partial());
    expect(code).to.equal(1);
    const [good, bad] = results();
    expect(good).to.include({ status: 'Succeeded', digest: stand.images.amd64.split('@')[1] });
    expect(bad).to.deep.equal({
      platform: 'linux/arm64',
      status: 'Failed',
      digest: '',
      size: 0,
      message: 'step build ended with exit code 1 it\'s "so"',
    });
    expect(stderr)
      .to.include('PLATFORMS: ["linux/arm64"]')
      .and.to.include(`IMAGES: ["linux/amd64=${stand.images.amd64}"]`);
    expect(await stand.manifest(taskRun.image), 'no tag').to.equal('');
  });

  it('M8 joins the image of the first run and that of the second', async () => {
    const first = await stand.run(partial());
    const kept = /IMAGES: (\[.*\])/.exec(first.stderr)?.[1] ?? '[]';
    const { code, stderr, results } = await stand.run({
      PLATFORMS: ['linux/arm64'],
      PLATFORM_RESULTS: [report('Succeeded', stand.images.arm64)],
      IMAGES: JSON.parse(kept),
    });
    expect(code, stderr).to.equal(0);
    expect(results().map(({ platform }) => platform)).to.deep.equal(['linux/arm64', 'linux/amd64']);
  });

  it('M8 joins what is there when ALLOW_MISSING says so', async () => {
    const { code, stderr, taskRun } = await stand.run({ ...partial(), ALLOW_MISSING: 'true' });
    expect(code, stderr).to.equal(0);
    expect(JSON.parse(await stand.manifest(taskRun.image)).manifests).to.have.length(1);
  });

  it('M8 but not when nothing is there', async () => {
    const { code } = await stand.run({
      PLATFORMS: ['linux/arm64'],
      PLATFORM_RESULTS: [report('Failed', '')],
      ALLOW_MISSING: 'true',
    });
    expect(code).to.equal(1);
  });

  it('M9 takes values as data, whatever they look like', async () => {
    const odd = '$(touch /tmp/owned); `touch /tmp/owned`';
    const { code, stderr } = await stand.run({
      IMAGES: [`linux/amd64=${odd}`, odd],
      PLATFORMS: [odd],
      PLATFORM_RESULTS: [odd],
    });
    expect(code, stderr).to.equal(1);
    expect((await stand.world.run('test -e /tmp/owned')).code).to.equal(1);
  });
});
